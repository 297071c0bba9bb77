package graph

import (
	"context"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// maxWho bounds the people that an explanation names.
const maxWho = 10

// explain says why somebody may or may not do an action at a scope, or use a
// resource there; nil for a scope or a person that the viewer may not see.
func (r *Resolver) explain(ctx context.Context, in model.ExplainInput) (*model.Explanation, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	if (in.Action == nil) == (in.ResourceID == nil) {
		return nil, fault.New(fault.BadInput, "Ask either about an action or about a resource.")
	}
	self := in.UserID == nil || (*in.UserID == v.UserID && v.Kind == tenancy.UserViewer && v.SupportID == "")
	at, err := r.explainedScope(ctx, v, in.ScopeID, self)
	if at == nil || err != nil {
		return nil, err
	}
	subject := v
	if !self {
		if subject, err = r.explainedUser(ctx, *in.UserID, *at); subject == nil || err != nil {
			return nil, err
		}
	}
	e := &explaining{Resolver: r, viewer: v, subject: subject, self: self, at: *at}
	if in.Action != nil {
		return e.action(ctx, access.Action(*in.Action))
	}
	return e.resource(ctx, *in.ResourceID)
}

// explainedScope finds the scope of a question. About themselves, people may
// also ask at the nodes above their own, whose names they see anyway; the
// platform's staff ask about nothing inside a tenant.
func (r *Resolver) explainedScope(ctx context.Context, v *tenancy.Viewer, scopeID string, self bool) (*model.Ref, error) {
	s, err := r.Store.Scope.Get(tenancy.Platform(ctx), scopeID)
	if ent.IsNotFound(err) && self {
		s, err = r.Store.Scope.Get(tenancy.System(ctx, "the nodes above the viewer's own"), scopeID)
		if err == nil && (s.AccountID != v.AccountID || !slices.ContainsFunc(v.Roles, func(held tenancy.Role) bool { return strings.HasPrefix(held.Path, s.Path) })) {
			return nil, nil
		}
	}
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if v.Platform && s.Kind != scope.KindPLATFORM && s.Kind != scope.KindACCOUNT {
		return nil, nil
	}
	at := ref(s)
	return &at, nil
}

// explainedUser is another person as they would act, for those who may list
// them.
func (r *Resolver) explainedUser(ctx context.Context, userID string, at model.Ref) (*tenancy.Viewer, error) {
	_, err := r.Store.User.Query().Where(user.ID(userID)).OnlyID(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	listed := at
	for listed.Kind == tenancy.KindMember || listed.Kind == tenancy.KindKey || listed.Kind == tenancy.KindAgent {
		listed.Path = above(listed.Path)
		listed.Kind = kindOf(lastID(listed.Path))
	}
	if err := r.check(ctx, access.MemberList, listed); err != nil {
		return nil, err
	}
	return identity.ExplainedViewer(ctx, r.Store, userID)
}

// explaining is one question.
type explaining struct {
	*Resolver
	viewer  *tenancy.Viewer
	subject *tenancy.Viewer
	self    bool
	at      model.Ref
}

func (e *explaining) action(ctx context.Context, action access.Action) (*model.Explanation, error) {
	d := e.decide(ctx, action)
	out := &model.Explanation{Allowed: d.Allowed, Rule: d.Rule, Reason: d.Reason, Policy: d.Policy, Who: []*model.User{}}
	if !e.self {
		out.Reason = inTheThird(out.Reason)
	}
	if gone, err := e.deactivated(ctx); err != nil {
		return nil, err
	} else if gone {
		out.Allowed, out.Rule, out.Reason = false, "deactivated", "The person is deactivated and can't sign in. Ask an admin of the account to reactivate them."
	}
	var err error
	out.Steps, err = e.steps(ctx, func(path string, found []tenancy.Role) (string, bool) {
		decisive := out.Allowed && slices.ContainsFunc(found, func(held tenancy.Role) bool { return out.Rule == string(held.Role)+":"+access.LevelOf(held.Kind) })
		return "", decisive
	})
	if err != nil || out.Allowed {
		return out, err
	}
	mayHelp := func(node model.Ref) bool { return e.adminMay(ctx, node, action) }
	if out.Rule == access.FeatureRule {
		table, err := e.Features.Table(ctx, e.at.AccountID, e.at.Plane)
		if err != nil {
			return nil, err
		}
		lifted := e.at.Path // a denial is lifted where it stands
		for _, name := range access.Features(action) {
			if s := table.Ask(feature.Feature(name), e.at.Path); s.From != nil && s.From.Switch == feature.Deny {
				lifted = s.From.Scope
			}
		}
		mayHelp = func(node model.Ref) bool {
			return strings.HasPrefix(lifted, node.Path) && e.adminMay(ctx, node, access.FeatureSet)
		}
	}
	out.Who, err = e.who(ctx, mayHelp)
	return out, err
}

// decide tells what the subject may. A role that they hold above the viewer's
// reach counts, but isn't named: where it is held is not the viewer's to know.
func (e *explaining) decide(ctx context.Context, action access.Action) access.Decision {
	d := e.Access.Decide(tenancy.WithViewer(ctx, e.subject), action, target(e.at))
	if e.self || !d.Allowed {
		return d
	}
	seen := *e.subject
	seen.Roles = slices.DeleteFunc(slices.Clone(seen.Roles), func(held tenancy.Role) bool { return !e.viewer.Reaches(held.Path) })
	if by := e.Access.Decide(tenancy.WithViewer(ctx, &seen), action, target(e.at)); by.Allowed {
		return by
	}
	d.Rule, d.Reason = "role-above", "A role that they hold further up allows this."
	return d
}

// inTheThird turns a reason for the viewer into one about somebody else.
func inTheThird(reason string) string {
	return strings.NewReplacer("You are ", "They are ", "It is your own.", "It is their own.", ". You can ", ". They can ").Replace(reason)
}

// adminMay asks the same policy about an admin of a node, who isn't anybody yet.
func (e *explaining) adminMay(ctx context.Context, node model.Ref, action access.Action) bool {
	admin := &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: e.at.AccountID,
		Roles: []tenancy.Role{{Role: tenancy.Admin, Plane: node.Plane, Kind: node.Kind, ScopeID: node.ID, Path: node.Path}}}
	return e.Access.Decide(tenancy.WithViewer(ctx, admin), action, target(e.at)).Allowed
}

func (e *explaining) resource(ctx context.Context, resourceID string) (*model.Explanation, error) {
	if !inAPlane(e.at) {
		return nil, fault.New(fault.BadInput, "Resources are used in Console and Copilot: ask at a scope of one of them.")
	}
	on, err := e.rulings(ctx, e.at)
	if err != nil {
		return nil, err
	}
	about := on.Resource(resourceID)
	if about == nil {
		return nil, nil
	}
	d := e.rule(on, resourceID)
	if !d.allowed && !mayKnow(ctx, about) {
		return nil, nil
	}
	out := &model.Explanation{Allowed: d.allowed, Rule: d.rule, Reason: d.reason, Policy: e.Access.Revision(), Who: []*model.User{}}
	if gone, err := e.deactivated(ctx); err != nil {
		return nil, err
	} else if gone {
		out.Allowed, out.Rule, out.Reason = false, "deactivated", "The person is deactivated and can't sign in. Ask an admin of the account to reactivate them."
	}
	out.Steps, err = e.steps(ctx, func(path string, _ []tenancy.Role) (string, bool) {
		return finding(on.Table, resourceID, path, e), d.decidedAt(path, e.at.Path)
	})
	if err != nil || out.Allowed {
		return out, err
	}
	needs := d.Needs
	if out.Rule == "deactivated" {
		needs = accountPath(e.at.AccountID)
	}
	out.Who, err = e.who(ctx, func(node model.Ref) bool { return strings.HasPrefix(needs, node.Path) })
	return out, err
}

// decidedAt tells whether a node is where the ruling was made.
func (d ruling) decidedAt(path, asked string) bool {
	switch {
	case d.Resource == nil: // the key itself
		return path == asked
	case d.Grant != nil:
		return d.Grant.Scope == path
	}
	return false
}

// finding says what a node's grant of a resource is worth.
func finding(t *grant.Table, resourceID, path string, e *explaining) string {
	g := t.At(resourceID, path)
	if g == nil {
		return ""
	}
	word := "Allowed"
	if g.Effect == grant.Deny {
		word = "Denied"
	}
	now := e.Store.Now()
	switch {
	case t.Stands(g.ID, now) && g.ExpiresAt.IsZero():
		return word
	case t.Stands(g.ID, now):
		return word + " until " + g.ExpiresAt.UTC().Format("2006-01-02 15:04 MST")
	case !g.ExpiresAt.IsZero() && !now.Before(g.ExpiresAt):
		return word + " until " + g.ExpiresAt.UTC().Format("2006-01-02 15:04 MST") + ", which has passed"
	}
	return word + ", but by an admin who doesn't have it"
}

// deactivated tells whether the person asked about can't sign in at all.
func (e *explaining) deactivated(ctx context.Context) (bool, error) {
	if e.self {
		return false, nil
	}
	active, err := e.Store.User.Query().Where(user.ID(e.subject.UserID), user.StatusEQ(user.StatusACTIVE)).Exist(ctx)
	return !active, err
}

// steps leads from the root down to the node asked about. What roles others
// hold above the viewer's own reach isn't shown.
func (e *explaining) steps(ctx context.Context, of func(path string, held []tenancy.Role) (string, bool)) ([]*model.ExplanationStep, error) {
	nodes := nodesOf(e.at)
	names, err := from(ctx).names.LoadAll(ctx, mapTo(nodes, func(n model.Ref) string { return n.ID }))
	if err != nil {
		return nil, err
	}
	out := make([]*model.ExplanationStep, len(nodes))
	for i, n := range nodes {
		var held []tenancy.Role
		if e.self || e.viewer.Reaches(n.Path) {
			held = slices.DeleteFunc(slices.Clone(e.subject.Roles), func(role tenancy.Role) bool { return role.Path != n.Path })
		}
		found, decisive := of(n.Path, held)
		out[i] = &model.ExplanationStep{Name: names[i], Kind: model.ScopeKind(n.Kind), Finding: strings.Join(words(held, found), "; "), Decisive: decisive}
	}
	return out, nil
}

func words(held []tenancy.Role, more string) []string {
	var out []string
	for _, role := range held {
		out = append(out, map[tenancy.RoleName]string{tenancy.Admin: "Admin", tenancy.Auditor: "Viewer", tenancy.Seatholder: "Own seat"}[role.Role])
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if more != "" {
		out = append(out, more)
	}
	return out
}

// nodesOf lists the nodes from the account, or the platform, down to one.
func nodesOf(at model.Ref) []model.Ref {
	if at.Path == "/" {
		return []model.Ref{platformRef}
	}
	var out []model.Ref
	path := "/"
	for _, scopeID := range strings.Split(strings.Trim(at.Path, "/"), "/") {
		path += scopeID + "/"
		n := model.Ref{ID: scopeID, AccountID: at.AccountID, Plane: at.Plane, Kind: kindOf(scopeID), Path: path}
		if n.Kind == tenancy.KindAccount {
			n.Plane = tenancy.PlaneAccount
		}
		out = append(out, n)
	}
	return out
}

// who lists the admins, in the viewer's reach, of the nodes that count, the
// nearest first.
func (e *explaining) who(ctx context.Context, counts func(node model.Ref) bool) ([]*model.User, error) {
	out := []*model.User{}
	var ids []string
	for _, n := range slices.Backward(nodesOf(e.at)) {
		if n.ID != id.PlatformID && counts(n) {
			ids = append(ids, n.ID)
		}
	}
	for _, scopeID := range ids {
		bindings, err := e.Store.RoleBinding.Query().
			Where(rolebinding.ScopeID(scopeID), rolebinding.RoleEQ(rolebinding.RoleADMIN)).
			WithUser(func(q *ent.UserQuery) { q.Where(user.StatusEQ(user.StatusACTIVE)) }).
			Order(ent.Asc(rolebinding.FieldID)).Limit(maxPage).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, b := range bindings {
			u := b.Edges.User
			if u == nil || slices.ContainsFunc(out, func(o *model.User) bool { return o.ID == u.ID }) {
				continue
			}
			if out = append(out, toUser(u)); len(out) == maxWho {
				return out, nil
			}
		}
	}
	return out, nil
}

// above is the path of the node above.
func above(path string) string {
	return path[:strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')+1]
}

func lastID(path string) string {
	path = strings.TrimSuffix(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}
