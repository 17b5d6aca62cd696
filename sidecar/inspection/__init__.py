"""Text -> findings. Pure: regular expressions, tables, checksums and overlap rules; no I/O, no clock, no network.

From the bottom up:

    spans        what a detector marks, how sure it is, and how overlaps become disjoint spans
    tokens       one pass over a text: where its numbers stand; every number-like rule starts at one of them
    keywords     one scan for the words that rules start at
    context      whole words near a hit, looked up only for the hits that need them
    checksums    the arithmetic of card, account and identity numbers
    rules        one recogniser: where it may start, what it looks like, what proves it, what makes it likelier
    presidio_rules, presidio_checks    Presidio's patterns (derived table), our exact copies of its checks
    shipped      the derived tables, as they lie beside these files
    rows, national, national_checks    European numbers that Presidio has no recogniser for
    emails cards ibans phones network urls wallets    types whose Presidio recogniser misses real formats
    phone_forms, phone_words    how phone numbers are written; words beside them
    columns, tables    what a heading says of a column, also in SQL and HTML
    serials, card_codes, coordinates   phones' and cars' numbers (IMEI, VIN); CVV beside its word; places on a map
    secrets, credentials               gitleaks' rules (derived table); passwords and user names people type,
    credential_words, credential_forms     by these words, in these forms
    credential_speech, logins              in sentences and chats; a name and its password side by side
    made         keys that no form names, near a word that says that they are some
    dates, ages                        births and travel documents; minors
    streets, towns                     addresses by form; by the postcode and town behind them
    access, accounts    secrets by where they stand; user names in logs and profiles
    providers, commands    what access looks for: keys by their prefix, hashes; command lines, directives, calls
    bundles      secrets that stand together: JSON Web Keys, recovery codes, a wallet's words, .pgpass
    special, memberships               GDPR art. 9 by type: single words; unions and parties by name
    phrases      allow, deny and customers' word lists, to a million phrases
    normalise    the copy that is searched (NFKC, look-alikes, zero-width, escapes) and the way back to the offsets
    encoded      base64 that holds text
    transfer     form encoding, quoted-printable, encoded words of mail headers
    keyed        a value in data read beside its key
    records      fields of persons by their place: HL7, X12, EDIFACT, account statements, vCard, LDIF
    named        beside the names model: columns of names, speakers of a chat, what stands right behind names
    letters      salutations, signatures, introductions, where a letter was written
    labelled, numbered, identities, spelled    numbers found by the word before them, where their shape says nothing
    spoken       numbers and e-mail addresses dictated in words
    assignments, listings, literals    secrets behind their names; in SQL and columns; what is a value and what is code
    catalogue    the types there are, modes, thresholds, settings
    countries    the national types of each country, and which of them nobody looks for
    engine       all of these over one text: `Engine.find(text) -> list[Span]`
    segments     long texts cut where nothing is lost, so that a changed tail re-analyses only itself
    cache        spans (never text) by keyed hash, bounded in bytes
    consistency  a value found once is masked wherever it stands again, turn by turn
    report, scoring    `sidecar pii scan` and `sidecar pii eval`

drivers/inspector.py puts this behind the `Inspect` port: long texts and models in a worker process, with a deadline.
"""
