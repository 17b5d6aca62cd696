"""Text -> findings. Pure: regular expressions, tables, checksums and overlap rules; no I/O, no clock, no network.

From the bottom up:

    spans       what a detector marks, how sure it is, and how overlaps become disjoint spans
    tokens      one pass over the text: where digits, '@', ':' stand; every rule starts at one of these
    context     whole words near a hit, looked up only for the hits that need them
    checksums   the arithmetic of card, account and identity numbers
    rules       one recogniser: where it may start, what it looks like, what proves it
    presidio    Presidio's patterns (derived table) with our exact copies of its checks
    emails, cards, ibans, phones, network, urls, wallets   the types whose Presidio recogniser misses real formats
    normalise   the copy that is searched (NFKC, confusables, zero-width) and the way back to the caller's offsets
    engine      all of these over one text: `Engine.find(text) -> list[Span]`
    segments    long texts cut where nothing is lost, so that a changed tail re-analyses only itself
    cache       spans (never text) by keyed hash, bounded in bytes

drivers/inspector.py puts this behind the `Inspect` port: off the event loop for long texts, with a deadline.
"""
