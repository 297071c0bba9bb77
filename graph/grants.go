package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	entgrant "github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/ent/key"
	entmodel "github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// grantAt finds a grant that the viewer sees, with its scope.
func (r *Resolver) grantAt(ctx context.Context, grantID string) (*ent.Grant, *ent.Scope, error) {
	g, err := r.Store.Grant.Query().Where(entgrant.ID(grantID)).WithScope().Only(ctx)
	if ent.IsNotFound(err) || (err == nil && g.Edges.Scope == nil) {
		return nil, nil, fault.Missing("grant")
	}
	if err != nil {
		return nil, nil, err
	}
	return g, g.Edges.Scope, nil
}

func (r *Resolver) grantSet(ctx context.Context, in model.GrantSetInput) (*ent.Grant, error) {
	s, err := r.Store.Scope.Get(ctx, in.ScopeID)
	if ent.IsNotFound(err) {
		e := fault.Missing("scope")
		e.Path = []string{"scopeId"}
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	var row *ent.Grant
	err = r.changeGrants(ctx, s, func(ctx context.Context, tx *store.Tx, v *tenancy.Viewer) (err error) {
		row, err = grant.Set(ctx, tx, r.Store.Now(), grant.Input{Scope: s, ResourceID: in.ResourceID, Effect: grant.Effect(in.Effect),
			ExpiresAt: in.ExpiresAt, Note: orEmpty(in.Note), ExpectedVersion: in.ExpectedVersion,
			Authority: grant.AuthorityOf(v, s.Path)})
		return err
	})
	return row, err
}

func (r *Resolver) grantRemove(ctx context.Context, grantID string) error {
	g, s, err := r.grantAt(ctx, grantID)
	if err != nil {
		return err
	}
	return r.changeGrants(ctx, s, func(ctx context.Context, tx *store.Tx, v *tenancy.Viewer) error {
		return grant.Remove(ctx, tx, s, g, grant.AuthorityOf(v, s.Path))
	})
}

// changeGrants runs a change of the grants at a scope, by whoever may set them
// there under its lock; what this replica remembers of the plane falls with the
// commit.
func (r *Resolver) changeGrants(ctx context.Context, s *ent.Scope, f func(context.Context, *store.Tx, *tenancy.Viewer) error) error {
	plane := tenancy.Plane(s.Plane)
	return r.underLeave(tenancy.InPlane(ctx, plane), []leave{need(access.GrantSet, s)}, func(ctx context.Context, tx *store.Tx) error {
		tx.AfterCommit(func() { r.Grants.Changed(s.AccountID, plane) })
		v, err := identity.Hold(ctx, tx, s)
		if err != nil {
			return err
		}
		return f(ctx, tx, v)
	})
}

// grantTo allows a new model to scopes of its plane, in the transaction that
// makes it.
func (r *Resolver) grantTo(ctx context.Context, tx *store.Tx, root *ent.Scope, m *ent.Model, scopeIDs []string) error {
	ids := slices.Compact(slices.Sorted(slices.Values(scopeIDs)))
	if len(ids) == 0 {
		return nil
	}
	if len(ids) > maxPage {
		return fault.At("grantTo", "Grant it to at most %d scopes at once; the others can follow.", maxPage)
	}
	scopes, err := tx.Scope.Query().Where(scope.IDIn(ids...), scope.AccountID(root.AccountID), scope.PlaneEQ(root.Plane)).All(ctx)
	if err != nil {
		return err
	}
	if len(scopes) != len(ids) {
		e := fault.Missing("scope")
		e.Path = []string{"grantTo"}
		return e
	}
	for _, s := range scopes {
		_, err := grant.Set(ctx, tx, r.Store.Now(), grant.Input{Scope: s, ResourceID: m.ID, Effect: grant.Allow,
			Authority: grant.AuthorityOf(tenancy.ViewerFrom(ctx), s.Path)})
		if err != nil {
			return err
		}
	}
	return nil
}

// grantPage lists grants that the viewer sees, newest first.
func (r *Resolver) grantPage(ctx context.Context, w window, where func(*sql.Selector)) (*model.GrantConnection, error) {
	query := func() *ent.GrantQuery {
		q := r.Store.Grant.Query()
		q.WhereP(where)
		return q
	}
	rows, info, err := list[*ent.Grant](ctx, query(), w, entgrant.FieldID, true, func(g *ent.Grant) string { return g.ID })
	if err != nil {
		return nil, err
	}
	return &model.GrantConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(ctx) },
		Edges: mapTo(rows, func(g *ent.Grant) *model.GrantEdge { return &model.GrantEdge{Node: toGrant(g), Cursor: encode(g.ID)} })}, nil
}

// grantsAt lists the grants of a scope, with below those of its whole subtree.
func (r *Resolver) grantsAt(ctx context.Context, at model.Ref, below bool, resourceID *string, w window) (*model.GrantConnection, error) {
	return r.grantPage(ctx, w, func(s *sql.Selector) {
		s.Where(sql.And(sql.EQ(s.C(entgrant.FieldAccountID), at.AccountID), sql.EQ(s.C(entgrant.FieldPlane), string(at.Plane))))
		if resourceID != nil {
			s.Where(about(s, *resourceID))
		}
		if !below {
			s.Where(sql.EQ(s.C(entgrant.FieldScopeID), at.ID))
			return
		}
		t := sql.Dialect(s.Dialect()).Table(scope.Table).As("granted_scopes")
		s.Where(sql.Exists(sql.Dialect(s.Dialect()).Select(t.C(scope.FieldID)).From(t).Where(sql.And(
			sql.ColumnsEQ(t.C(scope.FieldID), s.C(entgrant.FieldScopeID)), startsWith(t.C(scope.FieldPath), at.Path)))))
	})
}

// about is true for grants of a resource, of whatever kind.
func about(s *sql.Selector, resourceID string) *sql.Predicate {
	k, _ := grant.KindOf(resourceID)
	column := map[grant.Kind]string{grant.Model: entgrant.FieldModelID, grant.Agent: entgrant.FieldAgentID,
		grant.Connection: entgrant.FieldConnectionID, grant.Tool: entgrant.FieldToolID}[k]
	if column == "" {
		return sql.False()
	}
	return sql.EQ(s.C(column), resourceID)
}

// granted is what a grant is about, by name.
func (r *Resolver) granted(ctx context.Context, g *ent.Grant) (*model.Resource, error) {
	t, err := r.Grants.Table(ctx, g.AccountID, tenancy.Plane(g.Plane))
	if err != nil {
		return nil, err
	}
	about := t.Resource(grant.ResourceOf(g))
	if about == nil {
		return nil, fmt.Errorf("graph: grant %s is about nothing that the plane has", g.ID)
	}
	return toResource(about), nil
}

func toResource(r *grant.Resource) *model.Resource {
	return &model.Resource{ID: r.ID, Kind: model.ResourceKind(r.Kind), Name: r.Name}
}

// startsWith compares byte by byte under any collation.
func startsWith(column, prefix string) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		b.WriteString("substr(").WriteString(column).WriteString(", 1, ").Arg(len(prefix)).WriteString(") = ").Arg(prefix)
	})
}

// ruling is the answer to whether a scope may use a resource: what the grants say,
// and for a key also its list.
type ruling struct {
	grant.Verdict
	// of is what was asked about.
	of           *grant.Resource
	rule, reason string
	allowed      bool
}

// rulings answers for all resources at one scope.
type rulings struct {
	*grant.Table
	at model.Ref
	// listed has the models of a key; nil for scopes of other kinds.
	listed map[string]bool
	// ended says why a key calls nothing any more; empty while it may.
	ended string
}

func (r *Resolver) rulings(ctx context.Context, at model.Ref) (*rulings, error) {
	t, err := r.Grants.Table(ctx, at.AccountID, at.Plane)
	if err != nil {
		return nil, err
	}
	out := &rulings{Table: t, at: at}
	if at.Kind != tenancy.KindKey {
		return out, nil
	}
	k, err := r.Store.Key.Query().Where(key.ID(at.ID)).WithModels().Only(ctx)
	if err != nil {
		return nil, err
	}
	out.listed = map[string]bool{}
	for _, m := range k.Edges.Models {
		out.listed[m.ModelID] = true
	}
	if state := keyState(k, r.Store.Now()); state != model.KeyStateActive {
		out.ended = "The key was revoked or has expired; make a new one."
	}
	return out, nil
}

func (r *Resolver) rule(on *rulings, resourceID string) ruling {
	v := on.Ask(resourceID, on.at.Path, r.Store.Now())
	switch {
	case on.ended != "":
		return ruling{rule: "key-ended", reason: on.ended}
	case on.listed != nil && v.Resource != nil && v.Resource.Kind == grant.Model && !on.listed[resourceID]:
		return ruling{rule: "key-list", reason: "The model isn't on the key's list; make a key that lists it."}
	}
	return ruling{Verdict: v, rule: string(v.Rule), reason: v.Reason(), allowed: v.Allowed()}
}

// resourceAccess lists the resources of a scope's plane, of one kind, with what
// decides on each. Names of agents, connections and tools are told where they
// may be used, or to whom they belong.
func (r *Resolver) resourceAccess(ctx context.Context, at model.Ref, kind grant.Kind, allowed *bool, search *string, w window) (*model.ResourceAccessConnection, error) {
	on, err := r.rulings(ctx, at)
	if err != nil {
		return nil, err
	}
	var decided []ruling
	for _, resourceID := range on.Resources(kind) {
		about := on.Resource(resourceID)
		d := r.rule(on, resourceID)
		if (allowed == nil || d.allowed == *allowed) && (d.allowed || mayKnow(ctx, about)) && contains(about.Name, search) {
			d.of = about
			decided = append(decided, d)
		}
	}
	slices.SortFunc(decided, func(a, b ruling) int {
		return cmp.Or(strings.Compare(a.of.Name, b.of.Name), strings.Compare(a.of.ID, b.of.ID))
	})
	decided, info, err := pageOf(decided, w, func(d ruling) named { return named{d.of.Name, d.of.ID} })
	if err != nil {
		return nil, err
	}
	grants, err := r.visibleGrants(ctx, decided)
	if err != nil {
		return nil, err
	}
	out := &model.ResourceAccessConnection{PageInfo: info, Edges: make([]*model.ResourceAccessEdge, len(decided))}
	for i, d := range decided {
		node := &model.ResourceAccess{Resource: toResource(d.of), Allowed: d.allowed, Rule: d.rule, Reason: d.reason}
		if d.Grant != nil {
			node.Grant = grants[d.Grant.ID]
		}
		out.Edges[i] = &model.ResourceAccessEdge{Node: node, Cursor: encode(named{d.of.Name, d.of.ID}.cursor())}
	}
	return out, nil
}

// mayKnow tells whether the viewer may know of a resource that isn't allowed
// where they ask: models are the plane's, the rest its owner's.
func mayKnow(ctx context.Context, r *grant.Resource) bool {
	return r.Owner == "" || tenancy.ViewerFrom(ctx).Reaches(r.Owner)
}

// contains looks for a text in a name, whatever its case.
func contains(name string, search *string) bool {
	return search == nil || strings.Contains(strings.ToLower(name), strings.ToLower(strings.TrimSpace(*search)))
}

// visibleGrants reads those of the deciding grants that the viewer sees.
func (r *Resolver) visibleGrants(ctx context.Context, decided []ruling) (map[string]*model.Grant, error) {
	var ids []string
	for _, d := range decided {
		if d.Grant != nil {
			ids = append(ids, d.Grant.ID)
		}
	}
	out := make(map[string]*model.Grant, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := r.Store.Grant.Query().Where(entgrant.IDIn(ids...)).All(ctx)
	for _, g := range rows {
		out[g.ID] = toGrant(g)
	}
	return out, err
}

// usableBy lists the seats in the viewer's reach that may use a model: by the
// subtrees that its grants make, not seat by seat.
func (r *Resolver) usableBy(ctx context.Context, m *model.Model, search *string, w window) (*model.MemberConnection, error) {
	plane := tenancy.Plane(m.Plane)
	t, err := r.Grants.Table(ctx, m.AccountID, plane)
	if err != nil {
		return nil, err
	}
	allowed, refused := t.Subtrees(m.ID, r.Store.Now())
	at := model.Ref{AccountID: m.AccountID, Plane: plane}
	return r.memberPage(ctx, at, nil, search, w, func(s *sql.Selector) {
		s.Where(underOneOf(s, allowed))
		if len(refused) > 0 {
			s.Where(sql.Not(underOneOf(s, refused)))
		}
	})
}

// underOneOf is true for scopes whose path begins with one of many: one
// parameter for each length that there is, however many paths.
func underOneOf(s *sql.Selector, paths []string) *sql.Predicate {
	byLength := map[int][]string{}
	for _, p := range paths {
		byLength[len(p)] = append(byLength[len(p)], p)
	}
	var parts []*sql.Predicate
	for length, group := range byLength {
		text, _ := json.Marshal(group) // strings always can
		parts = append(parts, sql.P(func(b *sql.Builder) {
			b.WriteString("substr(").WriteString(s.C(scope.FieldPath)).WriteString(", 1, ").Arg(length).WriteString(") IN (")
			if s.Dialect() == dialect.Postgres {
				b.WriteString("SELECT jsonb_array_elements_text(").Arg(string(text)).WriteString("::jsonb))")
			} else {
				b.WriteString("SELECT value FROM json_each(").Arg(string(text)).WriteString("))")
			}
		}))
	}
	if len(parts) == 0 {
		return sql.False()
	}
	return sql.Or(parts...)
}

// viewerModels lists what the viewer's default seat in a plane may use.
func (r *Resolver) viewerModels(ctx context.Context, v *tenancy.Viewer, plane tenancy.Plane, w window) (*model.ModelConnection, error) {
	seat, err := r.defaultSeat(ctx, v, plane)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	if seat != nil {
		t, err := r.Grants.Table(ctx, v.AccountID, plane)
		if err != nil {
			return nil, err
		}
		allowed := t.Allowed(seat.Ref.Path, r.Store.Now())
		ids = slices.DeleteFunc(t.Resources(grant.Model), func(m string) bool { return !allowed[m] })
	}
	return r.modelPage(ctx, model.Ref{AccountID: v.AccountID, Plane: plane}, w, entmodel.IDIn(ids...))
}

// viewerBudget is the tightest budget on the default seat's path, among those
// that the viewer sees.
func (r *Resolver) viewerBudget(ctx context.Context, v *tenancy.Viewer, plane tenancy.Plane) (*model.Budget, error) {
	seat, err := r.defaultSeat(ctx, v, plane)
	if seat == nil || err != nil {
		return nil, err
	}
	budgets, err := limitsOf(ctx, seat.Ref.Path)
	if err != nil || len(budgets) == 0 {
		return nil, err
	}
	states, err := from(ctx).states.LoadAll(ctx, mapTo(budgets, func(b *model.Budget) stateKey { return stateKey{b.Ref.AccountID, b.Ref.Plane, b.ID} }))
	if err != nil {
		return nil, err
	}
	tightest := 0
	left := func(s *budget.State) money.Nano { return s.Limit + s.Overflow - s.Spent - s.Held }
	for i, s := range states {
		if left(s) < left(states[tightest]) {
			tightest = i
		}
	}
	return budgets[tightest], nil
}

// inAPlane tells whether grants can stand at a node.
func inAPlane(at model.Ref) bool { return at.Plane == tenancy.Console || at.Plane == tenancy.Copilot }

// kindOf is the kind of a node by its id.
func kindOf(scopeID string) tenancy.Kind {
	prefix, _, _ := strings.Cut(scopeID, "_")
	return kindByPrefix[prefix]
}

var kindByPrefix = map[string]tenancy.Kind{
	"plt": tenancy.KindPlatform, "acc": tenancy.KindAccount, "con": tenancy.KindConsole, "cop": tenancy.KindCopilot,
	"org": tenancy.KindOrganization, "team": tenancy.KindTeam, "mem": tenancy.KindMember, "key": tenancy.KindKey, "agt": tenancy.KindAgent,
}

// canGrant tells what the viewer may do with a grant: set from above, it is not
// theirs to change.
func (r *Resolver) canGrant(ctx context.Context, g *ent.Grant) ([]*model.ViewerPermission, error) {
	s, err := from(ctx).scopes.Load(ctx, g.ScopeID)
	if err != nil {
		return nil, err
	}
	out, err := r.can(ctx, ref(s), []access.Action{access.GrantSet})
	if err != nil || !out[0].Allowed {
		return out, err
	}
	t, err := r.Grants.Table(ctx, g.AccountID, tenancy.Plane(g.Plane))
	if err != nil {
		return nil, err
	}
	if err := t.Changeable(g.ID, grant.AuthorityOf(tenancy.ViewerFrom(ctx), s.Path)); err != nil {
		out[0].Allowed, out[0].Reason = false, fault.As(err).Message
	}
	return out, nil
}
