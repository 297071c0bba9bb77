package cockpit.gateway_test

import data.cockpit.gateway

rule(subject) := d.rule if d := gateway.decision with input as {"subject": subject}

test_stranger if rule({"signedIn": false, "kind": "", "platform": false, "roles": []}) == "signed-out"

test_key if {
	d := gateway.decision with input as {"subject": {"signedIn": true, "kind": "KEY", "platform": false, "roles": []}}
	d.allow
}

test_session if rule({"signedIn": true, "kind": "USER", "platform": false, "roles": []}) == "key-needed"

test_platform if rule({"signedIn": true, "kind": "KEY", "platform": true, "roles": []}) == "platform"

test_unknown_kind if rule({"signedIn": true, "kind": "ROBOT", "platform": false, "roles": []}) == "key-needed"
