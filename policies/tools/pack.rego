# METADATA
# title: Tools per tenant
# description: Which tools a call may offer to the model. The default lets every tenant offer any.
package packs.tools

import data.governor.lib

config := data.governor.config.tools

allowed := lib.for_tenant(config.allow, [])

denied := lib.for_tenant(config.deny, [])

refused contains tool if {
	some tool in input.request.tools_offered
	not lib.matches(allowed, tool)
}

refused contains tool if {
	some tool in input.request.tools_offered
	lib.matches(denied, tool)
}

# A name that policy may not see can be on no list: it passes only where nothing is listed at all.
refused contains "[unreadable]" if {
	"[unreadable]" in input.request.tools_offered
	count(denied) > 0
}

# METADATA
# title: A tool that the tenant may not offer
# description: This caller may not offer the tool {tool}.
# custom:
#   code: TOOL_NOT_ALLOWED
#   severity: medium
#   advice: Take the tool out of the call, or ask the operator to allow it.
#   control: EU AI Act 14
deny contains {"code": "TOOL_NOT_ALLOWED", "params": {"tool": tool}} if {
	config.action != "disable"
	some tool in array.slice(sort(refused), 0, 100)
}

# METADATA
# title: A refused tool that cannot be taken out by name
# description: A tool's name cannot be read, so the tool can be neither allowed nor taken out.
# custom:
#   code: TOOL_UNREADABLE
#   severity: medium
#   advice: Name tools with letters, digits, `_`, `-` and `.`, at most 64 of them, and no person's data.
#   control: EU AI Act 14
deny contains {"code": "TOOL_UNREADABLE"} if {
	"[unreadable]" in refused
	config.action == "disable"
}

# An answer holds 256 denies and obligations at most, and a list as many names: hundreds of tools are taken out together.
obligation contains {"type": "disable_tools", "id": "tools/disable", "params": {"names": names}} if {
	config.action == "disable"
	named := sort(refused - {"[unreadable]"})
	some start in numbers.range_step(0, count(named), 200)
	names := array.slice(named, start, start + 200)
	count(names) > 0
}
