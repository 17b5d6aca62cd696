# METADATA
# title: Models per tenant
# description: Who may ask for which model. The default lets every tenant ask for any.
package packs.models

import data.governor.lib

allowed := lib.for_tenant(data.governor.config.models.allow, [])

# METADATA
# title: A model that the tenant may not use
# description: This caller may not use the model {model}.
# custom:
#   code: MODEL_NOT_ALLOWED
#   severity: medium
#   advice: Ask for one of the models that are allowed to you, or ask the operator to add it.
#   control: EU AI Act 26(1)
deny contains {"code": "MODEL_NOT_ALLOWED", "params": {"model": input.model.requested}} if {
	not lib.matches(allowed, input.model.requested)
}
