package cockpit.roles_test

import data.cockpit.roles

ask(action, target, holds) := d if {
	d := roles.decision with input as {"action": action, "kind": "USER", "platform": false, "target": target, "holds": holds}
}

staff(action, target, holds) := d if {
	d := roles.decision with input as {"action": action, "kind": "USER", "platform": true, "target": target, "holds": holds}
}

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

reads(action, _) if action in {"audit.read", "budget.watch", "member.list"}

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
}

test_catalogue_is_the_super_admins if {
	platform := {"level": "PLATFORM", "plane": "PLATFORM"}
	staff("catalogModel.create", platform, [role("ADMIN", "PLATFORM", "AT")]).allow
	not staff("catalogModel.create", platform, [role("VIEWER", "PLATFORM", "AT")]).allow
	not ask("catalogModel.create", platform, [role("ADMIN", "PLATFORM", "AT")]).allow
}

test_key_acts_as_nobody if {
	d := roles.decision with input as {"action": "key.create", "kind": "KEY", "platform": false, "target": seat, "holds": [role("MEMBER", "MEMBER", "AT")]}
	d.rule == "person-needed"
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
