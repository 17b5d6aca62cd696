# METADATA
# title: What several packs use
package governor.lib

# METADATA
# description: The tenant's own entry of a table, else the entry `*`, else `otherwise`.
for_tenant(table, otherwise) := object.get(table, input.principal.tenant, object.get(table, "*", otherwise))

# METADATA
# description: >-
#   Whether a name matches one of the patterns. `*` matches everything, also a name that is null or unreadable, and
#   nothing else matches those (`*read*` would); a missing delimiter list means that `*` inside a pattern crosses dots
#   and slashes.
matches(patterns, _) if "*" in patterns

matches(patterns, name) if {
	is_string(name)
	name != "[unreadable]"
	some pattern in patterns
	glob.match(pattern, null, name)
}
