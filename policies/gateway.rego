# Whether a subject may call the model gateway at all; which models, on whose
# budget, is decided by the key itself.
# input.subject = {signedIn, kind, platform, roles}
package cockpit.gateway

decision := {"allow": false, "rule": "signed-out", "reason": "Model calls need a virtual key: send it as `Authorization: Bearer …`."} if {
	not input.subject.signedIn
} else := {"allow": false, "rule": "platform", "reason": "The platform's own account makes no model calls; use a key of a customer's account."} if {
	input.subject.platform
} else := {"allow": true, "rule": "key", "reason": "A virtual key calls models."} if {
	input.subject.kind == "KEY"
} else := {"allow": false, "rule": "key-needed", "reason": "Model calls need a virtual key; make one under Keys."}
