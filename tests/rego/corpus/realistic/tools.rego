package packs.tools

dangerous contains name if {
	some tool in input.request.tools_offered
	name := tool.name
	some prefix in data.tools.dangerous
	startswith(name, prefix)
}

obligation contains {"type": "disable_tools", "id": "tools", "params": {"names": dangerous}} if count(dangerous) > 0

deny contains {"code": "TOO_MANY_TOOLS"} if count(input.request.tools_offered) > data.tools.max

deny contains {"code": "TOOL_NEEDS_ROLE", "params": {"tool": tool.name}} if {
	some tool in input.request.tools_offered
	role := data.tools.roles[tool.name]
	not role in input.principal.roles
}
