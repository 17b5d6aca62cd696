package packs.models_test

import data.packs.models
import data.testing.request

listed := {"allow": {"acme": ["gpt-4o*", "meta-llama/*"], "*": ["small"]}}

asking(model) := json.patch(request, [{"op": "replace", "path": "/model/requested", "value": model}])

refused(model) := {deny.code | some deny in denies} if {
	denies := models.deny with input as asking(model) with data.governor.config.models as listed
}

test_any_model_by_default if count(models.deny) == 0 with input as asking("anything")

test_no_model_by_default if count(models.deny) == 0 with input as asking(null)

test_unreadable_model_by_default if count(models.deny) == 0 with input as asking("[unreadable]")

test_listed if {
	every model in ["gpt-4o", "gpt-4o-mini", "gpt-4o-2024.11", "meta-llama/Llama-3.1-8B"] {
		refused(model) == set()
	}
}

test_not_listed if {
	every model in ["o3", "GPT-4o", "xgpt-4o", "small", "[unreadable]", null] {
		refused(model) == {"MODEL_NOT_ALLOWED"}
	}
}

test_unreadable_matches_no_part_of_a_name if {
	config := {"allow": {"*": ["*able*"]}}
	count(models.deny) == 1 with input as asking("[unreadable]") with data.governor.config.models as config
	count(models.deny) == 0 with input as asking("stable-lm") with data.governor.config.models as config
}

test_tenant_without_an_entry_gets_the_star if {
	stranger := json.patch(asking("small"), [{"op": "replace", "path": "/principal/tenant", "value": "other"}])
	count(models.deny) == 0 with input as stranger with data.governor.config.models as listed
}

test_no_entry_and_no_star_is_nothing if {
	count(models.deny) == 1 with input as asking("small") with data.governor.config.models as {"allow": {"other": ["*"]}}
}

test_the_model_is_named if {
	some deny in models.deny with input as asking("o3") with data.governor.config.models as listed
	deny == {"code": "MODEL_NOT_ALLOWED", "params": {"model": "o3"}}
}
