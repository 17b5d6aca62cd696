"""A governance and audit sidecar for model servers.

The rooms, from the bottom up (imports point down only; tests/test_architecture.py holds it):

    model       the nouns: caller, call, part, place, finding, decision, obligation
    errors      faults by whose fault they are
    stream      feed()/finish() transducers and the Gate: all that knows about chunks
    dialects    bytes <-> calls and reply events, one folder per API shape
    inspection  text -> findings
    redaction   findings + obligations -> edits, surrogates, vault, streaming restore
    policy      the input document, the answer, the merged duties
    rego        OPA's plan turned into Python functions
    ledger      entries, canonical bytes, Merkle tree, checkpoints, proofs, verification
    ports       what the conductor needs of the outside, as Protocols
    exchange    the conductor: the path of one call from top to bottom; beside it plan (what is decided before sending),
                wire (bytes), carried (query and headers), relay (the reply half), ending (when a stream is over),
                account (what is recorded), deadline
    drivers     whatever is outside, behind the ports: recognisers and their processes, policy engines, upstream
                client, SQL store, keys, clock
    proxy       the aiohttp data plane; admin beside it
    console     the auditor's read side
    config      settings from a file, the environment and flags (config_sources) -> one frozen Config
    wiring      Config -> ports -> apps; the only place that constructs drivers
    cli         the command, thin: cli_audit, cli_pii, cli_values; terminal for its colours; demo shows it at work, in
                front of stub, a server that answers without a model
    testing     the ports in memory, for tests

One call: accept (proxy) -> parse (dialects) -> inspect -> decide (policy) -> redact -> record the intent, durable
(ledger) -> forward exactly these bytes (drivers) -> read the reply (dialects, stream) -> judge it if policy asks ->
restore the caller's own values (redaction) -> record the outcome, durable (ledger) -> last bytes out (proxy).

A surrogate is what stands upstream in place of a person's value (`<PERSON_1>`). "Guarantee 4" and its like are numbers
of the list in docs/architecture.md.
"""
