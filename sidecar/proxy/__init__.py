"""The aiohttp shell: calls in, answers out, and a second port for operators.

    server        listens, serves until told to stop, drains
    app           the data plane's one handler: route, admit, accept, govern, or refuse
    accept        the head and the body of a call, within limits
    callers       who called
    pages         which calls a web page made a browser send
    headers       which headers go past this hop
    ids           record ids
    answer        the way back; the only place that turns errors into responses
    drain         what is in flight, and the way out
    admin         health, metrics, receipts, drain
    meter         what is counted; tally: counters that cost an addition
    logs          lines without content; log_writer: the thread that writes them
"""
