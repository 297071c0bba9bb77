package cockpit.graph_test

import data.cockpit.graph

person(roles) := {"signedIn": true, "kind": "USER", "platform": false, "roles": roles}

staff(roles) := {"signedIn": true, "kind": "USER", "platform": true, "roles": roles}

allowed(subject) := {class | some class, true in decisions} if {
	decisions := graph.decisions with input as {"subject": subject}
}

test_stranger if {
	allowed({"signedIn": false, "kind": "", "platform": false, "roles": []}) == {"public"}
}

test_key_has_no_roles_of_a_person if {
	allowed({"signedIn": true, "kind": "KEY", "platform": false, "roles": [{"role": "ADMIN", "level": "ACCOUNT", "plane": "ACCOUNT"}]}) == {"public", "viewer", "person"}
}

test_person_without_role if allowed(person([])) == {"public", "viewer", "person"}

test_member if {
	allowed(person([{"role": "MEMBER", "level": "MEMBER", "plane": "CONSOLE"}])) == {"public", "viewer", "person", "member"}
}

test_team_viewer if {
	allowed(person([{"role": "VIEWER", "level": "TEAM", "plane": "CONSOLE"}])) == {"public", "viewer", "person", "member", "reader"}
}

test_team_admin if {
	allowed(person([{"role": "ADMIN", "level": "TEAM", "plane": "CONSOLE"}])) == {"public", "viewer", "person", "member", "reader", "admin"}
}

test_plane_admin if {
	allowed(person([{"role": "ADMIN", "level": "PLANE", "plane": "COPILOT"}])) == {"public", "viewer", "person", "member", "reader", "admin", "planeReader", "planeAdmin"}
}

test_account_auditor if {
	allowed(person([{"role": "VIEWER", "level": "ACCOUNT", "plane": "ACCOUNT"}])) == {"public", "viewer", "person", "member", "reader", "planeReader", "accountReader"}
}

test_super_admin_is_no_plane_admin if {
	allowed(staff([{"role": "ADMIN", "level": "PLATFORM", "plane": "PLATFORM"}])) == {"public", "viewer", "person", "member", "reader", "admin", "accountReader", "platformReader", "platformAdmin"}
}

test_platform_auditor if {
	allowed(staff([{"role": "VIEWER", "level": "PLATFORM", "plane": "PLATFORM"}])) == {"public", "viewer", "person", "member", "reader", "accountReader", "platformReader"}
}

test_platform_role_of_a_tenant_counts_for_nothing if {
	allowed(person([{"role": "ADMIN", "level": "PLATFORM", "plane": "PLATFORM"}])) == {"public", "viewer", "person", "member"}
}
