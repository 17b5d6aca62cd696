"""Config -> ports -> apps: the only place that constructs drivers.

    serving      the proxy: everything
    auditing     the auditor's side: the store and the policy engine, and nothing of the proxy
    checking     whether a configuration can be had, before anything is opened
    engines      the policy engine; policy_data: what its settings name
    bundles      the bundles that were in force, kept beside the ledger
    detection    the inspector
    surrogates   how surrogates look, and the one-way operators
    callers      the table of callers
    observe      an ended exchange -> metrics and the log
    receipts     proofs for the admin port
    banner       what is said at the start

Serving and auditing are each imported only by who needs them, so that verification runs with no proxy code loaded.
"""
