package packs.tools_test

import data.packs.tools
import data.testing.request

offering(names) := json.patch(request, [{"op": "replace", "path": "/request/tools_offered", "value": names}])

listed(action) := {"allow": {"acme": ["lookup_*"], "*": []}, "deny": {"*": ["lookup_salary"]}, "action": action}

refused(names) := {deny.params.tool | some deny in denies} if {
	denies := tools.deny with input as offering(names) with data.governor.config.tools as listed("deny")
}

test_any_tool_by_default if {
	count(tools.deny) == 0 with input as offering(["[unreadable]", "anything"])
	count(tools.obligation) == 0 with input as offering(["[unreadable]", "anything"])
}

test_listed if refused(["lookup_order"]) == set()

test_not_listed if refused(["lookup_order", "shell"]) == {"shell"}

test_deny_goes_before_allow if refused(["lookup_salary"]) == {"lookup_salary"}

test_unreadable_is_on_no_list if refused(["[unreadable]"]) == {"[unreadable]"}

test_unreadable_where_only_some_are_denied if {
	config := {"allow": {"*": ["*"]}, "deny": {"*": ["shell"]}, "action": "deny"}
	count(tools.deny) == 1 with input as offering(["[unreadable]"]) with data.governor.config.tools as config
}

test_taken_out if {
	config := listed("disable")
	count(tools.deny) == 0 with input as offering(["lookup_order", "shell"]) with data.governor.config.tools as config
	obligations := tools.obligation with input as offering(["lookup_order", "shell"])
		with data.governor.config.tools as config
	obligations == {{"type": "disable_tools", "id": "tools/disable", "params": {"names": ["shell"]}}}
}

test_unreadable_matches_no_part_of_a_name if {
	config := {"allow": {"*": ["*read*", "*able*"]}, "deny": {"*": []}, "action": "deny"}
	count(tools.deny) == 1 with input as offering(["[unreadable]"]) with data.governor.config.tools as config
	count(tools.deny) == 0 with input as offering(["read_file"]) with data.governor.config.tools as config
}

test_an_action_that_is_not_known_denies if {
	every action in ["Disable", "deny", "block", ""] {
		count(tools.deny) == 1 with input as offering(["shell"]) with data.governor.config.tools as listed(action)
		count(tools.obligation) == 0 with input as offering(["shell"]) with data.governor.config.tools as listed(action)
	}
}

many := [sprintf("shell_%d", [number]) | some number in numbers.range(1, 450)]

test_hundreds_are_refused if {
	count(refused(many)) == 100
}

test_hundreds_are_taken_out if {
	obligations := tools.obligation with input as offering(many) with data.governor.config.tools as listed("disable")
	{count(obligation.params.names) | some obligation in obligations} == {200, 50}
	{name | some obligation in obligations; some name in obligation.params.names} == {name | some name in many}
}

test_unreadable_cannot_be_taken_out if {
	denies := tools.deny with input as offering(["[unreadable]"]) with data.governor.config.tools as listed("disable")
	denies == {{"code": "TOOL_UNREADABLE"}}
}

test_another_tenant if {
	stranger := json.patch(offering(["lookup_order"]), [{"op": "replace", "path": "/principal/tenant", "value": "other"}])
	count(tools.deny) == 1 with input as stranger with data.governor.config.tools as listed("deny")
}
