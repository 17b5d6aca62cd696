package governor.decide_test

import data.governor.decide
import data.governor.lib
import data.testing.request
import data.testing.response

# Routes of their own: the wrapper is right whatever packs a bundle has.
routes := {"request": ["models", "pii_egress", "uninspectable"], "response": ["pii_egress"]}

test_a_call_is_allowed if decide.decision.allow with input as request with data.governor.routes as routes

test_a_reply_is_allowed if decide.decision.allow with input as response with data.governor.routes as routes

test_the_contract if decide.decision.contract == "1" with input as request

test_a_phase_without_packs_is_denied if {
	decision := decide.decision with input as json.patch(request, [{"op": "replace", "path": "/phase", "value": "tool_call"}])
	not decision.allow
	decision.denies == {{"code": "NO_POLICY", "params": {"phase": "tool_call"}}}
}

test_a_missing_pack_is_denied if {
	decision := decide.decision with input as request with data.governor.routes as {"request": ["models", "gone"]}
	not decision.allow
	decision.denies == {{"code": "PACK_MISSING", "params": {"pack": "gone"}}}
}

test_another_contract_is_denied if {
	decision := decide.decision with input as json.patch(request, [{"op": "replace", "path": "/contract", "value": "2"}])
	not decision.allow
	"INPUT_INVALID" in {deny.code | some deny in decision.denies}
}

test_no_input_is_denied if {
	decision := decide.decision with input as {}
	not decision.allow
}

test_packs_are_merged if {
	held := json.patch(request, [{
		"op": "replace",
		"path": "/content",
		"value": object.union(request.content, {
			"entities": [{"type": "PRIVATE_KEY", "role": "user", "count": 1, "score_ppm": 1000000}],
			"uninspectable": [{"kind": "image", "count": 1, "label": "messages[0].content[1]"}],
		}),
	}])
	denies := decide.denies with input as held with data.governor.routes as routes
	{deny.code | some deny in denies} == {"PII_FORBIDDEN", "UNINSPECTABLE_CONTENT"}
}

test_matches if {
	lib.matches(["*"], null)
	lib.matches(["*"], "[unreadable]")
	lib.matches(["a*"], "a.b/c")
	not lib.matches(["a*"], null)
	not lib.matches([], "a")
	not lib.matches(["A"], "a")
	not lib.matches(["*read*", "**", "[[]*"], "[unreadable]")
}
