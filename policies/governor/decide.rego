# METADATA
# title: The decision
# description: >-
#   Owned by the platform. Packs expose `deny` and `obligation` sets; this wrapper merges them, so that no pack can set
#   `allow`. Which packs run in which phase is data (data.governor.routes).
package governor.decide

# METADATA
# entrypoint: true
decision := {"contract": "1", "allow": allow, "denies": denies, "obligations": obligations}

default allow := false

allow if {
	count(denies) == 0
	count(routed) > 0
}

routed contains pack if some pack in data.governor.routes[input.phase]

denies contains deny if {
	some pack in routed
	some deny in data.packs[pack].deny
}

# Asked rule by rule: for `not data.packs[pack]` OPA 1.19 plans something else than its server evaluates.
present contains pack if {
	some pack in routed
	data.packs[pack].deny
}

present contains pack if {
	some pack in routed
	data.packs[pack].obligation
}

# METADATA
# title: A phase that no pack is routed to
# description: No policy is set for this phase.
# custom:
#   code: NO_POLICY
#   severity: high
#   status: 503
#   advice: Name at least one pack for the phase in data.governor.routes.
#   control: EU AI Act 12
denies contains {"code": "NO_POLICY", "params": {"phase": input.phase}} if count(routed) == 0

# METADATA
# title: A routed pack that is not in the bundle
# description: The policy pack {pack} is routed but missing, so nothing can be allowed.
# custom:
#   code: PACK_MISSING
#   severity: high
#   status: 503
#   advice: Add the pack to the bundle, or take it out of data.governor.routes.
#   control: EU AI Act 12
denies contains {"code": "PACK_MISSING", "params": {"pack": pack}} if {
	some pack in routed
	not pack in present
}

# METADATA
# title: An input of another contract
# description: The policy input is of a contract that this policy does not know.
# custom:
#   code: INPUT_INVALID
#   severity: high
#   status: 503
#   advice: Run a bundle that was built for this version of the sidecar.
#   control: EU AI Act 12
denies contains {"code": "INPUT_INVALID"} if not input.contract == "1"

obligations contains obligation if {
	some pack in routed
	some obligation in data.packs[pack].obligation
}
