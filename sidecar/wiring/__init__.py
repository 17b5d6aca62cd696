"""Config -> ports -> apps: the only place that constructs drivers.

    serving    the proxy: everything
    auditing   the auditor's side: the store and the policy engine, and nothing of the proxy

Each is imported only by who needs it, so that verification runs with no proxy code loaded.
"""
