# METADATA
# title: Content that nothing here can read
# description: >-
#   Images, audio, files, token ids: no detector has looked into them, so on egress they stay here unless their kind is
#   allowed. Beside an own model server they pass, and the record says so.
package packs.uninspectable

allowed := data.governor.config.uninspectable.allow[input.side]

passes(_) if "*" in allowed

passes(kind) if kind in allowed

# METADATA
# title: Uninspectable content
# description: The call holds {kind} content at {label}, which cannot be inspected.
# custom:
#   code: UNINSPECTABLE_CONTENT
#   severity: high
#   advice: >-
#     Send it as text (token ids: as strings, in LangChain check_embedding_ctx_length=False), leave `store` out, or ask
#     the operator to allow this kind.
#   control: GDPR 5(1)(c), 32
deny contains {"code": "UNINSPECTABLE_CONTENT", "params": {"kind": item.kind, "label": item.label}} if {
	some item in input.content.uninspectable
	not passes(item.kind)
}

obligation contains {"type": "annotate", "id": "uninspectable/passed", "params": {"uninspectable": item.kind}} if {
	some item in input.content.uninspectable
	passes(item.kind)
}
