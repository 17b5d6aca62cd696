package packs.uninspectable_test

import data.packs.uninspectable
import data.testing.request

image := {"kind": "image", "count": 3, "label": "messages[0].content[1]"}

audio := {"kind": "audio", "count": 1, "label": "messages[0].content[2]"}

holding(side, items) := json.patch(request, [
	{"op": "replace", "path": "/side", "value": side},
	{"op": "replace", "path": "/content/uninspectable", "value": items},
])

refused(side, items) := {deny.params.kind | some deny in denies} if {
	denies := uninspectable.deny with input as holding(side, items)
}

test_text_passes if refused("egress", []) == set()

test_egress_refuses if refused("egress", [image, audio]) == {"image", "audio"}

test_inbound_passes_and_says_so if {
	refused("inbound", [image]) == set()
	obligations := uninspectable.obligation with input as holding("inbound", [image])
	obligations == {{"type": "annotate", "id": "uninspectable/passed", "params": {"uninspectable": "image"}}}
}

test_kind_allowed if {
	config := {"allow": {"egress": ["image"], "inbound": []}}
	refused("egress", [image, audio]) == {"audio"} with data.governor.config.uninspectable as config
	refused("inbound", [image]) == {"image"} with data.governor.config.uninspectable as config
}

test_place_is_named if {
	denies := uninspectable.deny with input as holding("egress", [image])
	denies == {{"code": "UNINSPECTABLE_CONTENT", "params": {"kind": "image", "label": "messages[0].content[1]"}}}
}
