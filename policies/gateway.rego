# Whether a subject may call the model gateway at all; which models, on whose
# budget, is decided by the key itself.
# input.subject = {signedIn, kind, platform, roles, narrowed, permissions}
package cockpit.gateway

decision := {"allow": false, "rule": "signed-out", "reason": "Model calls need a virtual key or a person's token: send it as `Authorization: Bearer …`."} if {
	not input.subject.signedIn
} else := {"allow": false, "rule": "platform", "reason": "The platform's own account makes no model calls; use a key of a customer's account."} if {
	input.subject.platform
} else := {"allow": true, "rule": "key", "reason": "A virtual key calls models."} if {
	input.subject.kind == "KEY"
} else := {"allow": false, "rule": "person-needed", "reason": "A program pays with a person's seat: exchange its token for one in their name, or use a virtual key."} if {
	input.subject.kind == "CLIENT"
} else := {"allow": true, "rule": "token", "reason": "A token with the permission models.call calls models in the person's name."} if {
	input.subject.kind == "USER"
	input.subject.narrowed
	"models.call" in input.subject.permissions
} else := {"allow": false, "rule": "permission", "reason": "The token lacks the permission models.call."} if {
	input.subject.kind == "USER"
	input.subject.narrowed
} else := {"allow": false, "rule": "key-needed", "reason": "Model calls need a virtual key; make one under Keys."}
