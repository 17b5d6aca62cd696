package packs.human_review_test

import data.packs.human_review
import data.testing.request
import data.testing.response

answered(ppm) := json.patch(response, [{"op": "replace", "path": "/response/confidence_ppm", "value": ppm}])

config(on_unavailable) := {"threshold_ppm": 700000, "on_unavailable": on_unavailable, "queue": "second-pair-of-eyes"}

reasons(ppm, on_unavailable) := {obligation.params.reason | some obligation in obligations} if {
	obligations := human_review.obligation with input as answered(ppm)
		with data.governor.config.human_review as config(on_unavailable)
}

test_low if reasons(699999, false) == {"confidence-low"}

test_high if {
	reasons(700000, false) == set()
	reasons(1000000, true) == set()
}

test_zero_is_low if reasons(0, false) == {"confidence-low"}

test_null_is_not_low if reasons(null, false) == set()

test_null_where_asked_for if reasons(null, true) == {"confidence-unavailable"}

test_request_phase_asks_for_nothing if {
	count(human_review.obligation) == 0 with input as request with data.governor.config.human_review as config(true)
}

test_the_duty if {
	obligations := human_review.obligation with input as answered(1) with data.governor.config.human_review as config(false)
	obligations == {{
		"type": "human_review",
		"id": "human_review/after",
		"params": {"mode": "after", "queue": "second-pair-of-eyes", "reason": "confidence-low"},
	}}
}
