package packs.token_cap_test

import data.packs.token_cap
import data.testing.request

asking(max) := json.patch(request, [{"op": "replace", "path": "/request/max_tokens", "value": max}])

caps(max) := {obligation.params.max | some obligation in obligations} if {
	obligations := token_cap.obligation with input as asking(max)
		with data.governor.config.token_cap as {"max": {"acme": 4096, "*": 100}}
}

test_off_by_default if count(token_cap.obligation) == 0 with input as asking(null)

test_set_where_missing if caps(null) == {4096}

test_lowered if caps(4097) == {4096}

test_left_alone if {
	every max in [0, 1, 4096] {
		caps(max) == set()
	}
}

test_star if {
	stranger := json.patch(asking(null), [{"op": "replace", "path": "/principal/tenant", "value": "other"}])
	obligations := token_cap.obligation with input as stranger
		with data.governor.config.token_cap as {"max": {"acme": 4096, "*": 100}}
	obligations == {{"type": "cap_tokens", "id": "token_cap/cap", "params": {"max": 100}}}
}

test_embeddings_generate_nothing if {
	embedding := json.patch(asking(null), [{"op": "replace", "path": "/request/operation", "value": "embeddings"}])
	count(token_cap.obligation) == 0 with input as embedding
		with data.governor.config.token_cap as {"max": {"*": 100}}
}
