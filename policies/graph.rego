# Which classes of GraphQL coordinates a subject may use.
# input.subject = {signedIn, kind, platform, roles: [{role, level, plane}], narrowed, permissions}
package cockpit.graph

# One answer for every class of classes.json; a class without a rule below is
# denied to everybody.
decisions[class] := decide(class) if some class, _ in data.classes

default decide(_) := false

decide(class) if {
	allows(class)
	permitted(class)
}

# A program, a token and a support access do what their permissions name; a
# class with null is for people themselves.
permitted(_) if {
	not input.subject.narrowed
	input.subject.kind != "CLIENT"
}

permitted(class) if data.classes[class].permission == ""

permitted(class) if data.classes[class].permission in input.subject.permissions

default allows(_) := false

allows("public")

allows("viewer") if input.subject.signedIn

allows("person") if {
	input.subject.signedIn
	input.subject.kind == "USER"
	not input.subject.narrowed
}

allows("member") if {
	actor
	count(input.subject.roles) > 0
}

allows("requester") if {
	actor
	count(input.subject.roles) > 0
}

allows("builder") if {
	actor
	not input.subject.platform
	count(input.subject.roles) > 0
}

allows("runner") if {
	actor
	not input.subject.platform
	count(input.subject.roles) > 0
}

allows("reader") if holds({"ADMIN", "VIEWER"}, {"PLATFORM", "ACCOUNT", "PLANE", "ORGANIZATION", "TEAM"})

allows("admin") if holds({"ADMIN"}, {"PLATFORM", "ACCOUNT", "PLANE", "ORGANIZATION", "TEAM"})

allows("planeReader") if holds({"ADMIN", "VIEWER"}, {"ACCOUNT", "PLANE"})

allows("planeAdmin") if holds({"ADMIN"}, {"ACCOUNT", "PLANE"})

allows("accountReader") if holds({"ADMIN", "VIEWER"}, {"PLATFORM", "ACCOUNT"})

allows("accountAdmin") if holds({"ADMIN"}, {"PLATFORM", "ACCOUNT"})

allows("tenantReader") if holds({"ADMIN", "VIEWER"}, {"ACCOUNT"})

allows("platformReader") if holds({"ADMIN", "VIEWER"}, {"PLATFORM"})

allows("platformAdmin") if holds({"ADMIN"}, {"PLATFORM"})

# Whoever roles count for: people, and programs that act for themselves.
actor if {
	input.subject.signedIn
	input.subject.kind in {"USER", "CLIENT"}
}

# A role at the platform counts for platform staff alone, whatever a stray
# role binding says.
holds(roles, levels) if {
	actor
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
