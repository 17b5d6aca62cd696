package governor.decide

# METADATA
# entrypoint: true
decision := {"contract": "1", "allow": allow, "denies": denies, "obligations": obligations}

default allow := false

allow if {
	count(denies) == 0
	count(routed) > 0
}

routed contains p if some p in data.governor.routes[input.phase]

denies contains d if {
	some p in routed
	some d in data.packs[p].deny
}

denies contains {"code": "NO_POLICY"} if count(routed) == 0

denies contains {"code": "PACK_MISSING", "params": {"pack": p}} if {
	some p in routed
	not p in data.governor.packs
}

obligations contains o if {
	some p in routed
	some o in data.packs[p].obligation
}
