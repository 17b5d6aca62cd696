package packs.pii

deny contains {"code": "PII_FORBIDDEN", "params": {"entity": e.type}} if {
	some e in input.content.entities
	e.type in data.pii.forbidden
	e.score >= 0.5
}

deny contains {"code": "PII_TOO_MANY", "params": {"count": total}} if {
	total := sum([e.count | some e in input.content.entities])
	total > data.pii.max_total
}

obligation contains {"type": "redact", "id": "pii", "params": {"entities": sensitive, "mode": "mask"}} if {
	count(sensitive) > 0
}

sensitive contains e.type if {
	some e in input.content.entities
	not e.type in data.pii.harmless
}

deny contains {"code": "LANGUAGE", "params": {"language": input.content.language}} if {
	not input.content.language in data.pii.languages
}
