# METADATA
# title: A ceiling on what a call may generate
# description: Set where the caller set none, lowered where the caller asked for more. Off unless a tenant has one.
package packs.token_cap

import data.governor.lib

cap := lib.for_tenant(data.governor.config.token_cap.max, 0)

generates if input.request.operation in {"chat", "text_completion"}

# `null > 4096` is false in Rego, so a call without a limit is asked for by type, never by comparison.
over if not is_number(input.request.max_tokens)

over if input.request.max_tokens > cap

obligation contains {"type": "cap_tokens", "id": "token_cap/cap", "params": {"max": cap}} if {
	cap > 0
	generates
	over
}
