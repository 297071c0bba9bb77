package grant

import (
	"context"
	"fmt"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	entgrant "github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/ent/predicate"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Load reads the table of a plane, of some resources alone where any are named;
// a tool brings its connection along. With the client of a transaction it sees
// what the transaction has changed.
func Load(ctx context.Context, c *ent.Client, accountID string, plane tenancy.Plane, resourceIDs ...string) (*Table, error) {
	ctx = tenancy.System(ctx, "who may use what depends on grants above those that the viewer sees")
	t, err := load(ctx, c, accountID, plane, resourceIDs)
	if err != nil {
		return nil, fmt.Errorf("grant: table: %w", err)
	}
	return t, nil
}

func load(ctx context.Context, c *ent.Client, accountID string, plane tenancy.Plane, ids []string) (*Table, error) {
	root, err := c.Scope.Query().Where(scope.AccountID(accountID), scope.PlaneEQ(scope.Plane(plane)), scope.KindEQ(scope.Kind(plane))).Only(ctx)
	if ent.IsNotFound(err) {
		return NewTable("", nil, nil, nil), nil // the account doesn't have the plane
	}
	if err != nil {
		return nil, err
	}
	archived, err := c.Scope.Query().Where(scope.AccountID(accountID), scope.PlaneEQ(scope.Plane(plane)), scope.ArchivedAtNotNil()).
		Select(scope.FieldPath).Strings(ctx)
	if err != nil {
		return nil, err
	}
	resources, err := resourcesOf(ctx, c, accountID, plane, ids)
	if err != nil {
		return nil, err
	}
	if len(ids) > 0 {
		ids = ids[:0:0]
		for _, r := range resources {
			ids = append(ids, r.ID)
		}
		if len(ids) == 0 {
			return NewTable(root.Path, archived, nil, nil), nil
		}
	}
	grants, err := grantsOf(ctx, c, accountID, plane, ids)
	if err != nil {
		return nil, err
	}
	return NewTable(root.Path, archived, resources, grants), nil
}

func grantsOf(ctx context.Context, c *ent.Client, accountID string, plane tenancy.Plane, ids []string) ([]*Grant, error) {
	mine := []predicate.Grant{entgrant.AccountID(accountID), entgrant.PlaneEQ(entgrant.Plane(plane))}
	if len(ids) > 0 {
		mine = append(mine, entgrant.Or(entgrant.ModelIDIn(ids...), entgrant.AgentIDIn(ids...), entgrant.ConnectionIDIn(ids...), entgrant.ToolIDIn(ids...)))
	}
	rows, err := c.Grant.Query().Where(mine...).All(ctx)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, nil
	}
	// Paths come from the scopes as they are now: teams and seats move.
	scopes, err := c.Scope.Query().Where(scope.AccountID(accountID), func(s *sql.Selector) {
		g := sql.Dialect(s.Dialect()).Table(entgrant.Table)
		s.Where(sql.In(s.C(scope.FieldID), sql.Dialect(s.Dialect()).Select(g.C(entgrant.FieldScopeID)).From(g).Where(sql.And(
			sql.EQ(g.C(entgrant.FieldAccountID), accountID), sql.EQ(g.C(entgrant.FieldPlane), string(plane))))))
	}).All(ctx)
	if err != nil {
		return nil, err
	}
	at := make(map[string]*ent.Scope, len(scopes))
	for _, s := range scopes {
		at[s.ID] = s
	}
	if err := authorities(ctx, c, accountID, rows, at); err != nil {
		return nil, err
	}
	out := make([]*Grant, 0, len(rows))
	for _, g := range rows {
		s := at[g.ScopeID]
		if s == nil {
			continue
		}
		entry := &Grant{ID: g.ID, Resource: ResourceOf(g), Effect: Effect(g.Effect), Scope: s.Path, ScopeName: s.Name}
		if a := at[lastOf(g.Authority)]; a != nil {
			entry.Authority = a.Path
		}
		if g.ExpiresAt != nil {
			entry.ExpiresAt = *g.ExpiresAt
		}
		out = append(out, entry)
	}
	return out, nil
}

// authorities adds the nodes that grants were set from.
func authorities(ctx context.Context, c *ent.Client, accountID string, rows []*ent.Grant, at map[string]*ent.Scope) error {
	var missing []string
	asked := map[string]bool{}
	for _, g := range rows {
		if id := lastOf(g.Authority); at[id] == nil && !asked[id] {
			asked[id] = true
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	nodes, err := c.Scope.Query().Where(scope.AccountID(accountID), scope.IDIn(missing...)).All(ctx)
	for _, s := range nodes {
		at[s.ID] = s
	}
	return err
}

// lastOf is the id of a path's last node.
func lastOf(path string) string {
	path = strings.TrimSuffix(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}
