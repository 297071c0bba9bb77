# Which classes of GraphQL coordinates a subject may use.
# input.subject = {signedIn, kind, platform, roles: [{role, level, plane}]}
package cockpit.graph

# One answer for every class of classes.json; a class without a rule below is
# denied to everybody.
decisions[class] := allows(class) if some class, _ in data.classes

default allows(_) := false

allows("public")

allows("viewer") if input.subject.signedIn

allows("member") if {
	person
	count(input.subject.roles) > 0
}

allows("reader") if holds({"ADMIN", "VIEWER"}, {"PLATFORM", "ACCOUNT", "PLANE", "ORGANIZATION", "TEAM"})

allows("admin") if holds({"ADMIN"}, {"PLATFORM", "ACCOUNT", "PLANE", "ORGANIZATION", "TEAM"})

allows("planeReader") if holds({"ADMIN", "VIEWER"}, {"ACCOUNT", "PLANE"})

allows("planeAdmin") if holds({"ADMIN"}, {"ACCOUNT", "PLANE"})

allows("accountReader") if holds({"ADMIN", "VIEWER"}, {"PLATFORM", "ACCOUNT"})

allows("platformReader") if holds({"ADMIN", "VIEWER"}, {"PLATFORM"})

allows("platformAdmin") if holds({"ADMIN"}, {"PLATFORM"})

person if {
	input.subject.signedIn
	input.subject.kind == "USER"
}

# A role at the platform counts for platform staff alone, whatever a stray
# role binding says.
holds(roles, levels) if {
	person
	some held in input.subject.roles
	held.role in roles
	held.level in levels
	staffed(held)
}

staffed(held) if held.level != "PLATFORM"

staffed(held) if {
	held.level == "PLATFORM"
	input.subject.platform
}
