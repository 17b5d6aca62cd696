"""The ledger: entries, their bytes, the tree over them, and its verification. Pure; drivers/store*.py keep it.

    facts          what the conductor tells: Intent and Outcome
    fields         facts -> fields of a leaf, and fields disclosed beside it
    disclosure     salted, sealed, erasable: what is kept outside the tree
    entries        the kinds of entries, and their bytes
    canon          the closed JSON profile: one value, one spelling
    index          the columns that queries use
    merkle         the tree of RFC 6962: hashes, roots, proofs
    tiles          the layout of C2SP tlog-tiles
    note, checkpoint           signed notes and keys; signed tree heads and receipts
    record         one exchange as people see it: both entries joined
    chain          what a sequence of entries must mean
    source         how verification sees a store
    verify_store, verify_export                  the two verifications, and what they are made of: verify_range (what
                                                 can be said of entries apart from the rest),
    verify_tree, verify_index, verify_bundles
    views          a record as programs read it, as types: what the schemas are made of
    report         what a verification says

The format is docs/ledger-format.md. Nothing here imports exchange, redaction or dialects: verification runs without.
"""
