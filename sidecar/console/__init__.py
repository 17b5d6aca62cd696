"""The auditor's read side, for `sidecar audit`: questions of the record as tables, JSON and CSV.

    query    rows: what the index found
    opened   names that stand in the records only, found with the data key
    show     one whole record, with the rules that decided
    render   rows as text
    known    whether a name that is asked for can be found at all
"""
