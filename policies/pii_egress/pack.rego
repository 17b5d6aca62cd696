# METADATA
# title: Personal data that leaves
# description: >-
#   On egress everything found is replaced by a surrogate before it leaves; some types must not leave at all. Beside an
#   own model server nothing is replaced by default. Replies are judged only where configuration asks for it.
package packs.pii_egress

config := data.governor.config.pii

asked if input.phase == "request"

answered if input.response != null

# METADATA
# title: A type that must not leave
# description: The call holds {type}, which may not be sent even as a surrogate.
# custom:
#   code: PII_FORBIDDEN
#   severity: high
#   advice: Take it out of the call.
#   control: GDPR 32
deny contains {"code": "PII_FORBIDDEN", "params": {"type": entity.type, "count": entity.count}} if {
	asked
	some entity in input.content.entities
	entity.type in config.forbidden[input.side]
}

# METADATA
# title: A type that a reply must not hold
# description: The reply holds {type}, which may not be shown.
# custom:
#   code: PII_IN_REPLY
#   severity: high
#   advice: Ask the operator why; the record names the types found.
#   control: GDPR 32
deny contains {"code": "PII_IN_REPLY", "params": {"type": entity.type, "count": entity.count}} if {
	answered
	some entity in input.response.entities
	entity.type in config.reply.forbidden
}

obligation contains {
	"type": "redact",
	"id": "pii_egress/redact",
	"params": {"entities": config.redact[input.side], "mode": config.mode},
} if {
	asked
	count(config.redact[input.side]) > 0
}

# A mode of its own for a type; the stricter of this and the one above is taken.
obligation contains {
	"type": "redact",
	"id": "pii_egress/stricter",
	"params": {"entities": [type], "mode": mode},
} if {
	asked
	count(config.redact[input.side]) > 0
	some type, mode in config.stricter
}

obligation contains {
	"type": "redact",
	"id": "pii_egress/reply",
	"params": {"entities": config.reply.redact, "mode": "mask"},
} if {
	answered
	count(config.reply.redact) > 0
}

obligation contains {"type": "release", "id": "pii_egress/release", "params": {"mode": config.reply.release}} if {
	asked
	config.reply.release != "pass"
}

# Text that was let through at once can be neither withheld nor masked.
obligation contains {"type": "release", "id": "pii_egress/judged", "params": {"mode": "windowed"}} if {
	asked
	count(config.reply.forbidden) + count(config.reply.redact) > 0
}
