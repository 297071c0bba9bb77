package cockpit.graph_test

import data.cockpit.graph

subject(kind, platform, roles) := {"signedIn": kind != "", "kind": kind, "platform": platform, "roles": roles, "narrowed": false, "permissions": []}

person(roles) := subject("USER", false, roles)

staff(roles) := subject("USER", true, roles)

narrowed(who, permissions) := object.union(who, {"narrowed": true, "permissions": permissions})

role(name, level, plane) := {"role": name, "level": level, "plane": plane}

allowed(who) := {class | some class, true in decisions} if {
	decisions := graph.decisions with input as {"subject": who}
}

every_permission := [name | some name, _ in data.permissions]

account_admin := person([role("ADMIN", "ACCOUNT", "ACCOUNT")])

super_admin := staff([role("ADMIN", "PLATFORM", "PLATFORM")])

of_account_admin := {"public", "viewer", "person", "member", "requester", "builder", "runner", "reader", "admin", "planeReader", "planeAdmin", "accountReader", "accountAdmin", "tenantReader"}

test_stranger if allowed(subject("", false, [])) == {"public"}

test_key_has_no_roles_of_a_person if {
	allowed(subject("KEY", false, [role("ADMIN", "ACCOUNT", "ACCOUNT")])) == {"public", "viewer"}
}

test_person_without_role if allowed(person([])) == {"public", "viewer", "person"}

test_member if {
	allowed(person([role("MEMBER", "MEMBER", "CONSOLE")])) == {"public", "viewer", "person", "member", "requester", "builder", "runner"}
}

test_team_viewer if {
	allowed(person([role("VIEWER", "TEAM", "CONSOLE")])) == {"public", "viewer", "person", "member", "requester", "builder", "runner", "reader"}
}

test_team_admin if {
	allowed(person([role("ADMIN", "TEAM", "CONSOLE")])) == {"public", "viewer", "person", "member", "requester", "builder", "runner", "reader", "admin"}
}

test_plane_admin if {
	allowed(person([role("ADMIN", "PLANE", "COPILOT")])) == {"public", "viewer", "person", "member", "requester", "builder", "runner", "reader", "admin", "planeReader", "planeAdmin"}
}

test_account_auditor if {
	allowed(person([role("VIEWER", "ACCOUNT", "ACCOUNT")])) == {"public", "viewer", "person", "member", "requester", "builder", "runner", "reader", "planeReader", "accountReader", "tenantReader"}
}

test_account_admin if allowed(account_admin) == of_account_admin

test_super_admin_is_no_plane_admin if {
	allowed(super_admin) == {"public", "viewer", "person", "member", "requester", "reader", "admin", "accountReader", "accountAdmin", "platformReader", "platformAdmin"}
}

test_platform_auditor if {
	allowed(staff([role("VIEWER", "PLATFORM", "PLATFORM")])) == {"public", "viewer", "person", "member", "requester", "reader", "accountReader", "platformReader"}
}

test_platform_role_of_a_tenant_counts_for_nothing if {
	allowed(person([role("ADMIN", "PLATFORM", "PLATFORM")])) == {"public", "viewer", "person", "member", "requester", "builder", "runner"}
}

test_unknown_kind_has_no_roles if {
	allowed(subject("ROBOT", false, [role("ADMIN", "ACCOUNT", "ACCOUNT")])) == {"public", "viewer"}
}

# A program that acts for itself holds roles as a person does, and is none.
test_program_holds_roles if {
	client := narrowed(subject("CLIENT", false, [role("ADMIN", "ACCOUNT", "ACCOUNT")]), ["profile", "read"])
	allowed(client) == of_account_admin - {"person", "requester", "builder", "runner"}
	allowed(narrowed(subject("CLIENT", false, []), ["profile", "read"])) == {"public", "viewer"}
	not "person" in allowed(subject("CLIENT", false, []))
}

test_program_of_the_platform if {
	client := narrowed(subject("CLIENT", true, [role("VIEWER", "PLATFORM", "PLATFORM")]), ["profile", "read"])
	allowed(client) == {"public", "viewer", "member", "reader", "accountReader", "platformReader"}
}

test_narrowed_to_nothing if allowed(narrowed(account_admin, [])) == {"public"}

test_narrowed_to_the_profile if allowed(narrowed(account_admin, ["profile"])) == {"public", "viewer"}

test_narrowed_to_reading if allowed(narrowed(account_admin, ["read"])) == of_account_admin - {"person", "viewer", "requester", "builder", "runner"}

test_narrowed_to_agents if allowed(narrowed(account_admin, ["agents.manage"])) == {"public", "builder"}

test_narrowed_to_running_agents if allowed(narrowed(account_admin, ["agents.resolve"])) == {"public", "runner"}

test_narrowed_to_budgets if allowed(narrowed(account_admin, ["budgets.manage"])) == {"public", "requester"}

test_narrowed_to_what_is_no_class if allowed(narrowed(account_admin, ["models.call", "keys.manage", "cakes.eat"])) == {"public"}

test_permissions_are_no_roles if allowed(narrowed(person([]), every_permission)) == {"public", "viewer"}

# Without narrowing they mean nothing.
test_permissions_of_the_unnarrowed_mean_nothing if {
	allowed(object.union(person([]), {"permissions": every_permission})) == allowed(person([]))
}

test_narrowing_only_takes if {
	every who in [account_admin, super_admin, person([role("ADMIN", "TEAM", "CONSOLE")]), person([]), subject("KEY", false, []), subject("", false, [])] {
		every permissions in array.concat([every_permission, []], [[p] | some p in every_permission]) {
			count(allowed(narrowed(who, permissions)) - allowed(who)) == 0
		}
	}
}

# The permission that a class names is the one that decides.
test_every_class_needs_its_permission if {
	every class, about in data.classes {
		every who in [account_admin, super_admin] {
			closed_without(who, class, about.permission)
		}
	}
}

closed_without(_, _, "")

closed_without(who, class, null) if not class in allowed(narrowed(who, array.concat(every_permission, ["", "null"])))

closed_without(who, class, permission) if {
	permission in every_permission
	not class in allowed(narrowed(who, [p | some p in every_permission; p != permission]))
	allowed_alike(who, class, permission)
}

allowed_alike(who, class, _) if not class in allowed(who)

allowed_alike(who, class, permission) if class in allowed(narrowed(who, [permission]))

# null keeps a class from everything narrowed, and so does a line without one.
test_class_without_a_permission_is_for_people if {
	classes := {"member": {"permission": "read"}, "reader": {"permission": null}, "admin": {}, "unheardOf": {"permission": "read"}}
	decisions := graph.decisions with data.classes as classes with input as {"subject": narrowed(account_admin, array.concat(every_permission, ["", "null"]))}
	decisions == {"member": true, "reader": false, "admin": false, "unheardOf": false}
}

test_person_is_never_narrowed if {
	decisions := graph.decisions with data.classes as {"person": {"permission": "read"}} with input as {"subject": narrowed(account_admin, every_permission)}
	decisions == {"person": false}
}

test_every_class_names_a_known_permission if {
	every class, about in data.classes {
		"permission" in object.keys(about)
		named(class, about.permission)
	}
}

named("public", "")

named("person", null)

named(_, permission) if permission in every_permission
