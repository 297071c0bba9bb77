package tenancy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/scope"
)

var (
	// ErrNoViewer refuses work on rows for nobody in particular.
	ErrNoViewer = errors.New("tenancy: no viewer in the context")
	// ErrOutOfReach refuses a write to, or a link to, a row that the viewer
	// can't see; callers report it as not found.
	ErrOutOfReach = errors.New("tenancy: out of the viewer's reach")
)

type guardedQuery interface {
	TableName() string
	WhereP(...func(*sql.Selector))
}

type guardedMutation interface {
	ent.Mutation
	TableName() string
	EdgeTable(string) string
	RowID() string
	WhereP(...func(*sql.Selector))
	Client() *ent.Client
}

// Guard confines every read and write of a client to the viewer's reach.
// store.Open installs it on each client; nothing else makes clients.
//
// One thing it can't see: conditions and orders over neighbours (HasTeamsWith,
// ByTeamsCount) ask of rows that the viewer may not read. PostgreSQL's row-level
// security confines those too; SQLite doesn't. So no such condition is ever
// built from what a caller sends, only from what the program itself wants.
func Guard(c *ent.Client) {
	c.Intercept(ent.TraverseFunc(confineQuery))
	c.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			if err := confineMutation(ctx, m); err != nil {
				return nil, err
			}
			return next.Mutate(ctx, m)
		})
	})
}

func confineQuery(ctx context.Context, q ent.Query) error {
	if Bypassed(ctx) {
		return nil
	}
	g, ok := q.(guardedQuery)
	if !ok {
		return fmt.Errorf("tenancy: %T can't be confined", q)
	}
	p, err := predicate(ctx, g.TableName(), offers[g.TableName()])
	if err != nil {
		return err
	}
	g.WhereP(p)
	return nil
}

// predicate is what rows of a table must meet for the viewer of ctx; what the
// platform offers besides is for reading alone.
func predicate(ctx context.Context, table string, offer rule) (func(*sql.Selector), error) {
	v := ViewerFrom(ctx)
	if v == nil || v.AccountID == "" {
		return nil, ErrNoViewer
	}
	r, ok := tables[table]
	if !ok {
		return nil, fmt.Errorf("tenancy: table %q has no rule", table)
	}
	planes := Planes(ctx)
	return func(s *sql.Selector) {
		in := make([]any, len(planes))
		for i, p := range planes {
			in[i] = string(p)
		}
		own := sql.And(sql.EQ(s.C("account_id"), v.AccountID), sql.In(s.C("plane"), in...))
		if p := r(s, v); p != nil {
			own = sql.And(own, p)
		}
		if offer != nil {
			own = sql.Or(own, offer(s, v))
		}
		s.Where(own)
	}, nil
}

func confineMutation(ctx context.Context, m ent.Mutation) error {
	if Bypassed(ctx) {
		return nil
	}
	g, ok := m.(guardedMutation)
	if !ok {
		return fmt.Errorf("tenancy: %T can't be confined", m)
	}
	v := ViewerFrom(ctx)
	if v == nil || v.AccountID == "" {
		return ErrNoViewer
	}
	if may, some := written[g.TableName()]; some && may&g.Op() == 0 {
		return fmt.Errorf("%w: the system alone does this to %s", ErrOutOfReach, g.TableName())
	}
	if path, ok := g.Field("path"); ok && !v.Reaches(fmt.Sprint(path)) {
		return fmt.Errorf("%w: path %v", ErrOutOfReach, path)
	}
	if g.Op().Is(ent.OpCreate) {
		if err := confineCreate(ctx, v, g); err != nil {
			return err
		}
	} else {
		p, err := predicate(ctx, g.TableName(), nil)
		if err != nil {
			return err
		}
		g.WhereP(p)
		if g.Op().Is(ent.OpUpdateOne) && len(g.Fields())+len(g.AddedFields())+len(g.ClearedFields()) == 0 {
			// Without a column to set ent asks no predicate, adds the edges and
			// returns the row.
			if err := visible(ctx, g, g.TableName(), g.RowID()); err != nil {
				return err
			}
		}
	}
	return confineLinks(ctx, g)
}

// confineCreate refuses rows of another account or plane and rows about a
// scope beyond the reach.
func confineCreate(ctx context.Context, v *Viewer, g guardedMutation) error {
	account, _ := g.Field("account_id")
	plane, _ := g.Field("plane")
	if account != v.AccountID {
		return fmt.Errorf("%w: account %v", ErrOutOfReach, account)
	}
	allowed := false
	for _, p := range Planes(ctx) {
		allowed = allowed || fmt.Sprint(plane) == string(p)
	}
	if !allowed {
		return fmt.Errorf("%w: plane %v", ErrOutOfReach, plane)
	}
	switch g.TableName() {
	case "scopes":
		return confineScope(ctx, g)
	case "organizations", "teams", "members", "keys", "agents":
		return visible(ctx, g, "scopes", g.RowID())
	}
	return nil
}

// confineScope refuses nodes that don't hang where their path says.
func confineScope(ctx context.Context, g guardedMutation) error {
	parentID, _ := g.Field("parent_id")
	path, _ := g.Field("path")
	parent, err := g.Client().Scope.Query().Where(scope.ID(fmt.Sprint(parentID))).Only(ctx)
	if ent.IsNotFound(err) {
		return fmt.Errorf("%w: parent %v", ErrOutOfReach, parentID)
	}
	if err != nil {
		return err
	}
	if path != parent.Path+g.RowID()+"/" {
		return fmt.Errorf("%w: path %v", ErrOutOfReach, path)
	}
	return nil
}

// confineLinks re-reads every row that the write links to.
func confineLinks(ctx context.Context, g guardedMutation) error {
	for _, edge := range g.AddedEdges() {
		for _, id := range g.AddedIDs(edge) {
			if err := visible(ctx, g, g.EdgeTable(edge), fmt.Sprint(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

func visible(ctx context.Context, g guardedMutation, table, id string) error {
	ok, err := g.Client().Visible(ctx, table, id)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: %s %s", ErrOutOfReach, strings.TrimSuffix(table, "s"), id)
	}
	return nil
}
