package packs.budget

plan := data.tenants[input.principal.tenant].budget

deny contains {"code": "TOKENS_EXHAUSTED"} if {
	is_number(input.usage.tokens_today)
	input.usage.tokens_today > plan.tokens
}

deny contains {"code": "COST_EXHAUSTED"} if {
	is_number(input.usage.cost_today)
	input.usage.cost_today > plan.cost
}

obligation contains {"type": "cap_tokens", "id": "budget", "params": {"max": plan.reply}} if {
	is_number(input.request.max_tokens)
	input.request.max_tokens > plan.reply
}

obligation contains {"type": "rate", "id": "budget", "params": {"key": input.principal.tenant, "per_min": plan.rpm}}
