package cockpit.gateway_test

import data.cockpit.gateway

subject(kind, platform) := {"signedIn": kind != "", "kind": kind, "platform": platform, "roles": [], "narrowed": false, "permissions": []}

narrowed(who, permissions) := object.union(who, {"narrowed": true, "permissions": permissions})

decided(who) := d if d := gateway.decision with input as {"subject": who}

refused(who, rule) if {
	decided(who).allow == false
	decided(who).rule == rule
}

test_stranger if refused(subject("", false), "signed-out")

test_key if {
	decided(subject("KEY", false)).allow
	decided(subject("KEY", false)).rule == "key"
}

test_session if refused(subject("USER", false), "key-needed")

test_token if {
	decided(narrowed(subject("USER", false), ["models.call", "profile"])).allow
	decided(narrowed(subject("USER", false), ["models.call"])).rule == "token"
}

test_token_without_the_permission if {
	refused(narrowed(subject("USER", false), ["profile", "read"]), "permission")
	refused(narrowed(subject("USER", false), []), "permission")
}

# Permissions of somebody who isn't narrowed mean nothing.
test_session_with_stray_permissions if {
	refused(object.union(subject("USER", false), {"permissions": ["models.call"]}), "key-needed")
}

# It has no seat that could pay.
test_program if {
	refused(subject("CLIENT", false), "person-needed")
	refused(narrowed(subject("CLIENT", false), ["models.call"]), "person-needed")
}

test_platform if {
	every who in [subject("KEY", true), subject("USER", true), narrowed(subject("USER", true), ["models.call"]), narrowed(subject("CLIENT", true), ["models.call"])] {
		refused(who, "platform")
	}
}

test_unknown_kind if {
	refused(subject("ROBOT", false), "key-needed")
	refused(narrowed(subject("ROBOT", false), ["models.call"]), "key-needed")
}

tools(who) := d if d := gateway.decision with input as {"subject": who, "permission": "tools.call"}

test_tools_take_a_permission_of_their_own if {
	tools(narrowed(subject("USER", false), ["tools.call"])).allow
	not tools(narrowed(subject("USER", false), ["models.call"])).allow
	tools(narrowed(subject("USER", false), ["models.call"])).reason == "The token lacks the permission tools.call."
	refused(narrowed(subject("USER", false), ["tools.call"]), "permission")
	tools(subject("KEY", false)).allow
	not tools(subject("USER", false)).allow
}
