package packs.pii_egress_test

import data.packs.pii_egress
import data.testing.request
import data.testing.response

base := data.governor.config.pii

on(side) := json.patch(request, [{"op": "replace", "path": "/side", "value": side}])

holding(type) := json.patch(request, [{
	"op": "replace",
	"path": "/content/entities",
	"value": [{"type": type, "role": "user", "count": 2, "score_ppm": 900000}],
}])

answering(type) := json.patch(response, [{
	"op": "replace",
	"path": "/response/entities",
	"value": [{"type": type, "role": "assistant", "count": 1, "score_ppm": 900000}],
}])

everything := {
	"type": "redact",
	"id": "pii_egress/redact",
	"params": {"entities": ["*"], "mode": "surrogate"},
}

test_egress_redacts_everything if pii_egress.obligation == {everything} with input as request

test_inbound_redacts_nothing if pii_egress.obligation == set() with input as on("inbound")

test_inbound_redacts_where_configured if {
	config := object.union(base, {"redact": {"inbound": ["US_SSN"]}})
	some obligation in pii_egress.obligation with input as on("inbound") with data.governor.config.pii as config
	obligation.params.entities == ["US_SSN"]
}

test_forbidden_type if {
	pii_egress.deny == {{"code": "PII_FORBIDDEN", "params": {"type": "PRIVATE_KEY", "count": 2}}} with input as holding("PRIVATE_KEY")
}

test_other_types_are_not_forbidden if pii_egress.deny == set() with input as holding("EMAIL_ADDRESS")

test_forbidden_type_inbound if {
	inbound := json.patch(holding("PRIVATE_KEY"), [{"op": "replace", "path": "/side", "value": "inbound"}])
	pii_egress.deny == set() with input as inbound
}

test_stricter_mode if {
	config := object.union(base, {"stricter": {"US_SSN": "drop"}})
	obligations := pii_egress.obligation with input as request with data.governor.config.pii as config
	obligations == {
		everything,
		{"type": "redact", "id": "pii_egress/stricter", "params": {"entities": ["US_SSN"], "mode": "drop"}},
	}
}

test_reply_passes_by_default if {
	pii_egress.deny == set() with input as answering("CREDIT_CARD")
	pii_egress.obligation == set() with input as answering("CREDIT_CARD")
}

test_reply_forbidden if {
	config := object.union(base, {"reply": {"forbidden": ["CREDIT_CARD"]}})
	denies := pii_egress.deny with input as answering("CREDIT_CARD") with data.governor.config.pii as config
	denies == {{"code": "PII_IN_REPLY", "params": {"type": "CREDIT_CARD", "count": 1}}}
}

test_reply_masked if {
	config := object.union(base, {"reply": {"redact": ["*"]}})
	obligations := pii_egress.obligation with input as answering("CREDIT_CARD") with data.governor.config.pii as config
	obligations == {{"type": "redact", "id": "pii_egress/reply", "params": {"entities": ["*"], "mode": "mask"}}}
}

test_a_judged_reply_is_held if {
	every reply in [{"forbidden": ["CREDIT_CARD"]}, {"redact": ["*"]}] {
		config := object.union(base, {"reply": reply})
		obligations := pii_egress.obligation with input as request with data.governor.config.pii as config
		{"type": "release", "id": "pii_egress/judged", "params": {"mode": "windowed"}} in obligations
	}
}

test_release_as_configured if {
	config := object.union(base, {"reply": {"release": "whole"}})
	obligations := pii_egress.obligation with input as request with data.governor.config.pii as config
	{"type": "release", "id": "pii_egress/release", "params": {"mode": "whole"}} in obligations
}
