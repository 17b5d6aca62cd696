# METADATA
# title: A person looks at it afterwards
# description: A reply whose confidence is below the threshold, or unknown where that is asked for, is queued for review.
package packs.human_review

config := data.governor.config.human_review

# `null < 700000` is true in Rego, so a confidence is compared only where it is a number.
reason := "confidence-low" if {
	is_number(input.response.confidence_ppm)
	input.response.confidence_ppm < config.threshold_ppm
}

reason := "confidence-unavailable" if {
	input.response != null
	not is_number(input.response.confidence_ppm)
	config.on_unavailable == true
}

obligation contains {
	"type": "human_review",
	"id": "human_review/after",
	"params": {"mode": "after", "queue": config.queue, "reason": reason},
}
