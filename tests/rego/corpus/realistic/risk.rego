package packs.risk

deny contains {"code": "USE_CASE_PROHIBITED", "params": {"use_case": input.use_case.id}} if {
	input.use_case.risk == "prohibited"
}

obligation contains {"type": "human_review", "id": "risk", "params": {"queue": "high-risk", "mode": "after"}} if {
	input.use_case.risk == "high"
	input.use_case.user_facing == true
}

obligation contains {"type": "notice", "id": "risk", "params": {"text_id": "ai", "placement": "header"}} if {
	input.use_case.user_facing == true
}

deny contains {"code": "OUT_OF_HOURS"} if {
	input.use_case.risk == "high"
	not within_hours(input.time.hour_utc)
}

deny contains {"code": "INJECTION", "params": {"detector": d.name}} if {
	some d in input.content.detectors
	d.label == "injection"
	d.score > 0.8
}

within_hours(hour) if {
	hour >= 6
	hour < 22
}
