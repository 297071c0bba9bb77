# Whether a viewer may do an action at a node: the question behind every
# mutation, `viewerCan` and `explain`.
#
# input = {
#   action, kind, platform, narrowed, permissions,
#   features: [name]                   those that the action asks for and that are on at the target
#   target: {level, plane},
#   holds: [{role, level, relation}]   roles that reach the target: "AT" it or "ABOVE" it
# }
package cockpit.roles

# From the root down; a role suffices at `from` and at every level before it.
levels := ["PLATFORM", "ACCOUNT", "PLANE", "ORGANIZATION", "TEAM", "MEMBER", "KEY", "AGENT"]

rank[level] := i if some i, level in levels

act := data.actions[input.action]

# An action without one is for people themselves.
needed := object.get(act, "permission", null)

# What makes something that can spend takes the permission to spend besides.
wanted := {needed, "models.call"} if act.spends

else := {needed}

lacking := sort(wanted - {p | some p in input.permissions})

decision := {"allow": false, "rule": "unknown-action", "reason": "There is no such action."} if {
	not act
} else := {"allow": false, "rule": "signed-out", "reason": "Sign in first."} if {
	input.kind == ""
} else := {"allow": false, "rule": "person-needed", "reason": "Keys call models and do nothing else; sign in as a person."} if {
	not input.kind in {"USER", "CLIENT"}
} else := {"allow": false, "rule": "wrong-place", "reason": "This isn't done here."} if {
	not fits
} else := {"allow": false, "rule": "people-only", "reason": "Only a person at the cockpit does this; no program or token."} if {
	restricted
	needed == null
} else := {"allow": false, "rule": "permission", "reason": sprintf("The program or token lacks the permission %s.", [concat(" and ", lacking)])} if {
	restricted
	count(lacking) > 0
} else := {"allow": true, "rule": sprintf("%s:%s", [held.role, held.level]), "reason": why(held)} if {
	held := highest
} else := {"allow": false, "rule": "copilot-pool", "reason": "Needs a super admin: the platform gives an account its credits."} if {
	copilot_pool
} else := {"allow": false, "rule": "own-budget", "reason": sprintf("Nobody sets the budget of the scope they administer: this needs %s.", [act.needs])} if {
	act.above
	some held in input.holds
	held.relation == "AT"
	held.role == "ADMIN"
} else := {"allow": false, "rule": "feature", "reason": sprintf("This is switched off here. Below Copilot, it needs a feature that admins switch on, and %s.", [act.needs])} if {
	some held in input.holds
	suffices(held)
} else := {"allow": false, "rule": "role", "reason": sprintf("Needs %s.", [act.needs])}

# Programs that act for themselves have permissions whether or not somebody
# thought of narrowing them.
restricted if input.narrowed

restricted if input.kind == "CLIENT"

fits if {
	input.target.level in act.targets
	plane_fits
}

plane_fits if not act.plane

plane_fits if act.plane == input.target.plane

copilot_pool if {
	act.above
	input.target == {"level": "PLANE", "plane": "COPILOT"}
}

# The role nearest to the root that grants the action is the reason shown.
highest := min(granted)[2]

granted contains [rank[held.level], held.role, held] if {
	some held in input.holds
	grants(held)
}

why(held) := "It is your own." if held.role == "MEMBER"

why(held) := "You answer for it." if held.role == "OWNER"

why(held) := sprintf("You are %s of the %s.", [lower(held.role), lower(held.level)]) if not held.role in {"MEMBER", "OWNER"}

grants(held) if {
	suffices(held)
	switched_on(held)
}

# Whoever administers the plane decides what is on there, and isn't bound by it.
switched_on(_) if not act.features

switched_on(held) if rank[held.level] <= rank.PLANE

switched_on(_) if {
	some feature in act.features
	feature in input.features
}

suffices(held) if {
	held.role in act.roles
	rank[held.level] <= rank[act.from]
	above_if_needed(held)
	staff_if_platform(held)
	not copilot_pool
}

# A super admin gives credits to a plane and reaches nothing below it.
suffices(held) if {
	copilot_pool
	held == {"role": "ADMIN", "level": "PLATFORM", "relation": "ABOVE"}
	input.platform
}

# Whoever gives a pool its credits may also stop them.
suffices(held) if {
	act.stops
	input.target == {"level": "PLANE", "plane": "COPILOT"}
	held == {"role": "ADMIN", "level": "PLATFORM", "relation": "ABOVE"}
	input.platform
}

# A seat uses and manages what is its own.
suffices(held) if {
	act.seat
	held.role == "MEMBER"
	held.level == "MEMBER"
}

# Whoever answers for an agent builds it, wherever they sit.
suffices(held) if {
	act.owner
	held == {"role": "OWNER", "level": "AGENT", "relation": "AT"}
	not input.platform
}

above_if_needed(_) if not act.above

above_if_needed(held) if held.relation == "ABOVE"

# Tenants are closed to the platform.
staff_if_platform(held) if held.level != "PLATFORM"

staff_if_platform(held) if {
	held.level == "PLATFORM"
	input.platform
	input.target.level == "PLATFORM"
}

# What the platform does to an account as a whole.
staff_if_platform(held) if {
	held.level == "PLATFORM"
	input.platform
	act.platform
}
