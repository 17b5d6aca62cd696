"""Drivers: whatever is outside, behind the ports. They decide nothing; one thing's files begin with its name.

    rego_engine, opa_server    who decides policy: the embedded engine, a real OPA server
    policy_auditor             the one's decisions held against the other's, afterwards
    bundle                     policy bundles: read, checked, packed
    bundle_signature, bundle_reasons, bundle_refusal    who signed one; its METADATA's codes; why it is not taken
    inspector                  the `Inspect` port: cached, off the event loop when long, within a deadline
    inspector_pool, inspector_worker, inspector_queue    its processes, what runs in them, whose turn it is
    inspector_scan             the keyword scan by Hyperscan or RE2
    names_model                the names model at run time; names/ its weights and word pieces
    names_files, names_lines, names_words    what it misreads: names of files, wrapped lines, words of programming
    presidio, presidio_models  bigger recognisers by configuration; that their models read all of a text
    anonymizer                 presidio-anonymizer's operators for mask, hash and drop
    upstream, upstream_door    the client of the model server; its connections
    store                      the `Record` port: the ledger, open for writing
    store_open, store_commits, store_writer    is it whole; groups of entries; one transaction
    store_reader, store_query  records and proofs; the questions people ask of the index
    store_source, store_verify the rows that verification asks for; it, in several processes
    store_export, store_backup copies for others, and for oneself
    store_folder, store_faults the state folder and its lock; what SQLite's errors mean
    store_sql, store_tables    statements; the same tables for the ORM
    keys                       the key files of a store
    clock                      time and randomness
"""
