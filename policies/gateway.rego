# Whether a subject may call the model gateway, or the tool gateway, at all;
# which models and tools, on whose budget, is decided by the key itself.
# input = {
#   subject: {signedIn, kind, platform, roles, narrowed, permissions},
#   permission: what a token needs; models.call unless given
# }
package cockpit.gateway

needed := object.get(input, "permission", "models.call")

what := {"models.call": "models", "tools.call": "tools"}[needed]

decision := {"allow": false, "rule": "signed-out", "reason": sprintf("Calls of %s need a virtual key or a person's token: send it as `Authorization: Bearer …`.", [what])} if {
	not input.subject.signedIn
} else := {"allow": false, "rule": "platform", "reason": sprintf("The platform's own account calls no %s; use a key of a customer's account.", [what])} if {
	input.subject.platform
} else := {"allow": true, "rule": "key", "reason": sprintf("A virtual key calls %s.", [what])} if {
	input.subject.kind == "KEY"
} else := {"allow": false, "rule": "person-needed", "reason": "A program pays with a person's seat: exchange its token for one in their name, or use a virtual key."} if {
	input.subject.kind == "CLIENT"
} else := {"allow": true, "rule": "token", "reason": sprintf("A token with the permission %s calls %s in the person's name.", [needed, what])} if {
	input.subject.kind == "USER"
	input.subject.narrowed
	needed in input.subject.permissions
} else := {"allow": false, "rule": "permission", "reason": sprintf("The token lacks the permission %s.", [needed])} if {
	input.subject.kind == "USER"
	input.subject.narrowed
} else := {"allow": false, "rule": "key-needed", "reason": sprintf("Calls of %s need a virtual key; make one under Keys.", [what])}
