package packs.models

tenant := data.tenants[input.principal.tenant]

deny contains {"code": "MODEL_NOT_ALLOWED", "params": {"model": input.model.resolved}} if {
	not input.model.resolved in tenant.models
}

deny contains {"code": "TENANT_UNKNOWN"} if not tenant

deny contains {"code": "REGION_NOT_ALLOWED", "params": {"region": input.model.region}} if {
	not input.model.region in tenant.regions
}

deny contains {"code": "MODEL_TIER", "params": {"tier": input.model.tier}} if {
	input.model.tier > tenant.max_tier
}
