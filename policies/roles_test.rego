package cockpit.roles_test

import data.cockpit.roles

asked(kind, platform, action, target, holds) := {
	"action": action, "kind": kind, "platform": platform, "target": target, "holds": holds,
	"narrowed": false, "permissions": [],
}

decided(question) := d if d := roles.decision with input as question

ask(action, target, holds) := decided(asked("USER", false, action, target, holds))

staff(action, target, holds) := decided(asked("USER", true, action, target, holds))

narrowed(question, permissions) := object.union(question, {"narrowed": true, "permissions": permissions})

every_permission := [name | some name, _ in data.permissions]

account := {"level": "ACCOUNT", "plane": "ACCOUNT"}

org := {"level": "ORGANIZATION", "plane": "CONSOLE"}

team := {"level": "TEAM", "plane": "CONSOLE"}

seat := {"level": "MEMBER", "plane": "CONSOLE"}

key := {"level": "KEY", "plane": "CONSOLE"}

console := {"level": "PLANE", "plane": "CONSOLE"}

copilot := {"level": "PLANE", "plane": "COPILOT"}

role(r, level, relation) := {"role": r, "level": level, "relation": relation}

super := role("ADMIN", "PLATFORM", "ABOVE")

test_org_admin_sets_team_budget if {
	d := ask("budget.set", team, [role("ADMIN", "ORGANIZATION", "ABOVE")])
	d.allow
	d.rule == "ADMIN:ORGANIZATION"
}

test_team_admin_never_sets_own_budget if {
	d := ask("budget.set", team, [role("ADMIN", "TEAM", "AT")])
	not d.allow
	d.rule == "own-budget"
}

test_plane_admin_never_sets_the_pool if ask("budget.set", console, [role("ADMIN", "PLANE", "AT")]).rule == "own-budget"

test_account_admin_sets_console_pool if ask("budget.set", console, [role("ADMIN", "ACCOUNT", "ABOVE")]).allow

test_account_admin_never_sets_copilot_pool if ask("budget.set", copilot, [role("ADMIN", "ACCOUNT", "ABOVE")]).rule == "copilot-pool"

platform := {"level": "PLATFORM", "plane": "PLATFORM"}

test_super_admin_decides_at_the_platform if staff("request.decide", platform, [role("ADMIN", "PLATFORM", "AT")]).allow

test_platform_auditor_decides_on_nothing if not staff("request.decide", platform, [role("VIEWER", "PLATFORM", "AT")]).allow

test_super_admin_decides_nothing_inside_an_account if {
	every target in [account, copilot, org, team] {
		not staff("request.decide", target, [super]).allow
	}
}

test_account_admin_decides_nothing_at_the_platform if not ask("request.decide", platform, []).allow

test_tenant_with_a_platform_role_decides_on_nothing if not ask("request.decide", platform, [role("ADMIN", "PLATFORM", "AT")]).allow

test_super_admin_sets_copilot_pool if staff("budget.set", copilot, [super]).allow

test_platform_auditor_sets_no_pool if not staff("budget.set", copilot, [role("VIEWER", "PLATFORM", "ABOVE")]).allow

test_tenant_with_a_platform_role_sets_no_pool if not ask("budget.set", copilot, [super]).allow

test_super_admin_sets_no_console_pool if not staff("budget.set", console, [super]).allow

test_super_admin_sets_no_team_budget if not staff("budget.set", team, [super]).allow

test_viewer_reads_and_changes_nothing if {
	ask("audit.read", team, [role("VIEWER", "ORGANIZATION", "ABOVE")]).allow
	every action, rule in data.actions {
		every level in rule.targets {
			reads(action, {"level": level, "plane": object.get(rule, "plane", "CONSOLE")})
		}
	}
}

reads(action, _) if action in {"audit.read", "budget.watch", "member.list", "grant.read", "usage.export"}

reads(action, target) if not ask(action, target, [role("VIEWER", "ACCOUNT", "ABOVE")]).allow

test_member_manages_own_keys_alone if {
	own := role("MEMBER", "MEMBER", "AT")
	ask("key.create", seat, [own]).allow
	ask("key.revoke", key, [role("MEMBER", "MEMBER", "ABOVE")]).allow
	not ask("key.create", team, []).allow
	not ask("budget.set", seat, [own]).allow
	not ask("budget.set", key, [role("MEMBER", "MEMBER", "ABOVE")]).allow
	not ask("audit.read", seat, [own]).allow
	ask("budget.watch", seat, [own]).allow
	not ask("budget.watch", team, []).allow
	ask("grant.read", seat, [own]).allow
	not ask("grant.set", seat, [own]).allow
	ask("member.default", seat, [own]).allow
	not ask("member.delete", seat, [own]).allow
}

test_without_a_role_nothing if {
	every action, rule in data.actions {
		every level in rule.targets {
			not ask(action, {"level": level, "plane": object.get(rule, "plane", "CONSOLE")}, []).allow
		}
	}
}

test_provider_needs_plane_admin if {
	ask("provider.create", console, [role("ADMIN", "PLANE", "AT")]).allow
	ask("provider.create", console, [role("ADMIN", "ACCOUNT", "ABOVE")]).allow
	ask("provider.create", console, [role("ADMIN", "ORGANIZATION", "ABOVE")]).rule == "role"
}

test_provider_has_no_place_in_copilot if ask("provider.create", copilot, [role("ADMIN", "ACCOUNT", "ABOVE")]).rule == "wrong-place"

test_tenant_is_closed_to_the_platform if {
	not staff("key.create", team, [super]).allow
	not staff("provider.create", console, [super]).allow
	not staff("audit.read", team, [super]).allow
	not staff("budget.watch", team, [super]).allow
	# What the platform does to an account is done to the account as a whole.
	every action, rule in data.actions {
		every level in rule.targets {
			closed_to_the_platform(action, {"level": level, "plane": object.get(rule, "plane", "CONSOLE")})
		}
	}
}

closed_to_the_platform(action, target) if not staff(action, target, [super]).allow

closed_to_the_platform(_, target) if target.level == "PLATFORM"

closed_to_the_platform(action, target) if {
	target.level == "ACCOUNT"
	data.actions[action].platform
}

test_catalogue_is_the_super_admins if {
	platform := {"level": "PLATFORM", "plane": "PLATFORM"}
	staff("catalogModel.create", platform, [role("ADMIN", "PLATFORM", "AT")]).allow
	not staff("catalogModel.create", platform, [role("VIEWER", "PLATFORM", "AT")]).allow
	not ask("catalogModel.create", platform, [role("ADMIN", "PLATFORM", "AT")]).allow
}

test_key_acts_as_nobody if {
	question := asked("KEY", false, "key.create", seat, [role("MEMBER", "MEMBER", "AT")])
	decided(question).rule == "person-needed"
	decided(narrowed(question, every_permission)).rule == "person-needed"
	decided(object.union(question, {"kind": "ROBOT"})).rule == "person-needed"
}

test_unknown_action if ask("cake.eat", team, [role("ADMIN", "ACCOUNT", "ABOVE")]).rule == "unknown-action"

test_two_roles_at_one_level_are_no_conflict if {
	both := [role("VIEWER", "TEAM", "AT"), role("ADMIN", "TEAM", "AT"), role("ADMIN", "ORGANIZATION", "ABOVE"), role("VIEWER", "ORGANIZATION", "ABOVE")]
	ask("audit.read", team, both).rule == "ADMIN:ORGANIZATION"
}

test_unheard_of_level_is_denied if {
	ask("audit.read", {"level": "GALAXY", "plane": "CONSOLE"}, [role("ADMIN", "ACCOUNT", "ABOVE")]).rule == "wrong-place"
	ask("audit.read", team, [role("ADMIN", "GALAXY", "ABOVE")]).rule == "role"
	ask("audit.read", team, [role("CHIEF", "ACCOUNT", "ABOVE")]).rule == "role"
}

test_reason_names_the_highest_role if {
	d := ask("budget.set", team, [role("ADMIN", "ORGANIZATION", "ABOVE"), role("ADMIN", "ACCOUNT", "ABOVE")])
	d.reason == "You are admin of the account."
}

test_directory_goes_by_the_tree if {
	ask("organization.create", console, [role("ADMIN", "PLANE", "AT")]).allow
	not ask("organization.delete", org, [role("ADMIN", "ORGANIZATION", "AT")]).allow
	ask("organization.update", org, [role("ADMIN", "ORGANIZATION", "AT")]).allow
	ask("team.create", org, [role("ADMIN", "ORGANIZATION", "AT")]).allow
	ask("team.delete", team, [role("ADMIN", "ORGANIZATION", "ABOVE")]).allow
	not ask("team.delete", team, [role("ADMIN", "TEAM", "AT")]).allow
	not ask("team.move", team, [role("ADMIN", "TEAM", "AT")]).allow
	ask("member.create", team, [role("ADMIN", "TEAM", "AT")]).allow
	ask("invitation.create", team, [role("ADMIN", "TEAM", "AT")]).allow
	ask("role.bind", team, [role("ADMIN", "TEAM", "AT")]).allow
	ask("grant.set", team, [role("ADMIN", "TEAM", "AT")]).allow
	not ask("user.update", account, [role("ADMIN", "PLANE", "AT")]).allow
	ask("user.update", account, [role("ADMIN", "ACCOUNT", "AT")]).allow
}

test_account_is_its_admins if {
	admin := role("ADMIN", "ACCOUNT", "AT")
	every action in ["account.update", "account.export", "domain.configure", "signIn.configure", "serviceClient.manage", "support.end"] {
		ask(action, account, [admin]).allow
		not ask(action, account, [role("VIEWER", "ACCOUNT", "AT")]).allow
	}
	every action in ["account.planes", "account.dispatch", "account.suspend", "account.close", "domain.approve", "support.start"] {
		ask(action, account, [admin]).rule == "role"
	}
}

test_super_admin_runs_accounts_from_outside if {
	every action in ["account.update", "account.planes", "account.dispatch", "account.suspend", "account.close", "domain.approve", "support.start", "support.end"] {
		staff(action, account, [super]).allow
		not staff(action, account, [role("VIEWER", "PLATFORM", "ABOVE")]).allow
		not ask(action, account, [super]).allow
	}
	every action in ["account.export", "domain.configure", "signIn.configure", "serviceClient.manage", "user.update", "session.revoke", "role.bind", "invitation.create"] {
		not staff(action, account, [super]).allow
	}
}

# A program, a token or a support access does what the roles allow and the
# permissions name, both.
test_narrowed_needs_the_permission if {
	question := asked("USER", false, "key.create", team, [role("ADMIN", "TEAM", "AT")])
	decided(narrowed(question, ["keys.manage", "models.call"])).rule == "ADMIN:TEAM"
	d := decided(narrowed(question, ["models.call", "read"]))
	not d.allow
	d.rule == "permission"
	contains(d.reason, "keys.manage")
}

# A key spends whatever its owner may, so that whoever makes one must be allowed
# to spend; revoking one takes no such thing.
test_what_may_not_spend_makes_no_key if {
	every kind in ["USER", "CLIENT"] {
		question := asked(kind, false, "key.create", team, [role("ADMIN", "TEAM", "AT")])
		d := decided(narrowed(question, ["keys.manage", "read"]))
		d.rule == "permission"
		contains(d.reason, "models.call")
		decided(narrowed(object.union(question, {"action": "key.revoke", "target": {"level": "KEY", "plane": "CONSOLE"}}), ["keys.manage"])).allow
	}
}

test_permissions_are_no_roles if {
	every action, rule in data.actions {
		every level in rule.targets {
			not decided(narrowed(asked("USER", true, action, {"level": level, "plane": object.get(rule, "plane", "CONSOLE")}, []), every_permission)).allow
		}
	}
}

test_permissions_of_the_unnarrowed_mean_nothing if {
	question := asked("USER", false, "key.create", team, [role("ADMIN", "TEAM", "AT")])
	decided(object.union(question, {"permissions": ["read"]})).allow
}

# Whoever may do an action at all may do it narrowed by exactly the permission
# it names; those that name none are done by people alone.
test_every_action_needs_its_permission if {
	every action, rule in data.actions {
		every level in rule.targets {
			question := strongest(action, {"level": level, "plane": object.get(rule, "plane", "CONSOLE")})
			narrows(question, rule.permission, spending(rule))
		}
	}
}

strongest(action, target) := asked("USER", true, action, target, [super, role("ADMIN", "ACCOUNT", "ABOVE"), role("ADMIN", "PLATFORM", "AT"), role("MEMBER", "MEMBER", "AT")])

spending(rule) := ["models.call"] if rule.spends

else := []

narrows(question, null, _) if {
	decided(question).allow
	d := decided(narrowed(question, array.concat(every_permission, ["", "null"])))
	not d.allow
	d.rule == "people-only"
}

narrows(question, permission, besides) if {
	decided(question).allow
	permission in every_permission
	decided(narrowed(question, array.concat([permission], besides))) == decided(question)
	decided(narrowed(question, [p | some p in every_permission; p != permission])).rule == "permission"
	decided(narrowed(question, [])).rule == "permission"
}

test_action_without_a_permission_is_for_people if {
	actions := {"key.create": object.remove(data.actions["key.create"], ["permission"])}
	question := asked("USER", false, "key.create", team, [role("ADMIN", "TEAM", "AT")])
	person := roles.decision with input as question with data.actions as actions
	person.allow
	token := roles.decision with input as narrowed(question, every_permission) with data.actions as actions
	token.rule == "people-only"
}

test_program_holds_roles if {
	question := asked("CLIENT", false, "key.create", team, [role("ADMIN", "ORGANIZATION", "ABOVE")])
	decided(narrowed(question, ["keys.manage", "models.call"])).rule == "ADMIN:ORGANIZATION"
	decided(narrowed(question, ["read"])).rule == "permission"
	decided(narrowed(asked("CLIENT", false, "key.create", team, []), ["keys.manage", "models.call"])).rule == "role"
	decided(narrowed(asked("CLIENT", false, "domain.configure", account, [role("ADMIN", "ACCOUNT", "AT")]), every_permission)).rule == "people-only"
}

test_every_action_names_a_known_permission if {
	every _, rule in data.actions {
		"permission" in object.keys(rule)
		named(rule.permission)
	}
}

named(null)

named(permission) if permission in every_permission

# A permission that nothing asks for would be an empty promise.
test_every_permission_is_asked_for if {
	used := ({rule.permission | some _, rule in data.actions} | {class.permission | some _, class in data.classes}) | {"models.call", "tools.call"}
	every permission in every_permission {
		permission in used
	}
}

copilot_seat := {"level": "MEMBER", "plane": "COPILOT"}

copilot_team := {"level": "TEAM", "plane": "COPILOT"}

own_seat := [role("MEMBER", "MEMBER", "AT")]

featured(action, target, holds, features) := decided(object.union(asked("USER", false, action, target, holds), {"features": features}))

test_a_seat_connects_where_its_kind_is_on if {
	featured("connection.createMcp", copilot_seat, own_seat, ["CREATE_MCP_CONNECTIONS"]).rule == "MEMBER:MEMBER"
	featured("connection.create", copilot_seat, own_seat, ["CREATE_INTEGRATIONS"]).allow
	featured("connection.createApi", copilot_seat, own_seat, ["CREATE_MCP_CONNECTIONS"]).rule == "feature"
	featured("connection.createMcp", copilot_seat, own_seat, []).rule == "feature"
	ask("connection.createMcp", copilot_seat, own_seat).rule == "feature"
}

test_a_seat_starts_no_program if {
	featured("connection.createProgram", copilot_seat, own_seat, ["CREATE_MCP_CONNECTIONS"]).rule == "role"
	featured("connection.createProgram", copilot_seat, [role("ADMIN", "TEAM", "ABOVE")], ["CREATE_MCP_CONNECTIONS"]).allow
}

test_admins_below_copilot_are_bound_by_features if {
	ask("connection.createMcp", copilot_team, [role("ADMIN", "TEAM", "AT")]).rule == "feature"
	ask("connection.createMcp", copilot_team, [role("ADMIN", "ORGANIZATION", "ABOVE")]).rule == "feature"
	ask("connection.createMcp", copilot_team, [role("ADMIN", "PLANE", "ABOVE")]).allow
	ask("connection.createMcp", copilot_seat, [role("ADMIN", "ACCOUNT", "ABOVE")]).allow
}

test_a_feature_is_no_role if {
	every_feature := ["CREATE_MCP_CONNECTIONS", "CREATE_OPENAPI_CONNECTIONS", "CREATE_INTEGRATIONS"]
	featured("connection.createMcp", copilot_team, [], every_feature).rule == "role"
	featured("connection.createMcp", copilot_team, [role("VIEWER", "PLANE", "ABOVE")], every_feature).rule == "role"
}
