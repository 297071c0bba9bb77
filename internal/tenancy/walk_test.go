package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/migrate"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Every table has a rule in the guard, an entity that the walk drives, and a
// decision in the tests' own words; the fixture has a row of it.
func TestEveryTableIsWalked(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	driven := map[string]bool{}
	for _, e := range entities(st.Client) {
		driven[e.table] = true
	}
	for _, table := range migrate.Tables {
		require.True(t, tenancy.HasRule(table.Name), "table %s has no rule in internal/tenancy/table.go", table.Name)
		require.True(t, driven[table.Name], "table %s has no entity", table.Name)
		if table.Name != "catalog_models" {
			require.NotNil(t, sights[table.Name], "table %s has no entry in sights: say who may see its rows", table.Name)
		}
	}
	require.Len(t, migrate.Tables, tenancy.Rules(), "a rule without a table")
}

// viewersOf the first account's Console, from the top down, and what they must
// not see: everything that the oracle says is foreign.
func viewersOf(w *identitytest.Trees) map[string]*tenancy.Viewer {
	c := w.A.Console
	key := &tenancy.Viewer{Kind: tenancy.KeyViewer, AccountID: w.A.Row.ID, UserID: c.Seat.UserID, KeyID: c.Key.ID,
		Roles: []tenancy.Role{{Role: tenancy.Seatholder, Plane: tenancy.Console, Kind: tenancy.KindKey, ScopeID: c.Key.ID, Path: c.KeyScope.Path}}}
	// The staff's user lies in the platform's account, and nothing there is seen.
	support := &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: w.A.Row.ID, UserID: w.SuperAdmin.UserID, SupportID: w.A.Support.ID, Narrowed: true,
		Roles: []tenancy.Role{{Role: tenancy.Auditor, Plane: tenancy.PlaneAccount, Kind: tenancy.KindAccount, ScopeID: w.A.Row.ID, Path: w.A.Root.Path}}}
	client := &tenancy.Viewer{Kind: tenancy.ClientViewer, AccountID: w.A.Row.ID, ClientID: w.Program.ID, Narrowed: true,
		Roles: []tenancy.Role{{Role: tenancy.Auditor, Plane: tenancy.Console, Kind: tenancy.KindConsole, ScopeID: c.Root.ID, Path: c.Root.Path}}}
	for _, v := range []*tenancy.Viewer{key, support, client} {
		v.Reach = tenancy.ReachOf(v.AccountID, v.Roles)
	}
	return map[string]*tenancy.Viewer{
		"account admin": w.A.Admin, "admin of the other account": w.B.Admin, "plane admin": c.Admin,
		"admin of the other plane": w.A.Copilot.Admin, "org admin": c.OrgAdmin, "sibling org admin": c.SiblingOrgAdmin,
		"team admin": c.TeamAdmin, "sibling team admin": c.SiblingTeamAdmin, "member": c.Seat, "key": key, "support access": support, "service client": client, "user without a role": w.A.Nobody,
		"staff, not acting as such": w.SuperAdmin,
	}
}

// walk is one viewer's walk over all tables, in one transaction that passes
// every wall but the guard and is undone at the end.
type walk struct {
	*testing.T
	ctx    context.Context // confined to the viewer
	tx     *store.Tx
	world  world
	viewer *tenancy.Viewer
}

var errUndo = errors.New("undo")

// absent is an id of the right form that no row has.
func absent(like string) string {
	p, ok := id.PrefixOf(like)
	if !ok {
		p = "xxx"
	}
	return id.New(p)
}

func TestNobodySeesOrChangesForeignRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		trees := identitytest.Tree(t, st)
		viewers := viewersOf(trees)
		for _, name := range []string{"account admin", "admin of the other account", "plane admin", "admin of the other plane", "org admin",
			"sibling org admin", "team admin", "sibling team admin", "member", "key", "support access", "service client", "user without a role", "staff, not acting as such"} {
			if st.Dialect == store.Postgres && !slices.Contains([]string{"account admin", "plane admin", "team admin", "member"}, name) {
				continue // the guard is the same; its SQL is what differs
			}
			t.Run(name, func(t *testing.T) {
				err := st.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
					w := &walk{T: t, ctx: tenancy.WithViewer(tenancy.Confined(ctx), viewers[name]), tx: tx, world: read(t, tx.SQL()), viewer: viewers[name]}
					for _, e := range entities(tx.Client) {
						w.reads(e)
						w.traverses(e)
						w.writes(e)
						w.forges(e)
						w.links(e)
					}
					return errUndo
				})
				require.ErrorIs(t, err, errUndo)
			})
		}
	})
}

// same tells that two errors read alike but for the ids that were asked for.
func (w *walk) same(want, got error, foreign, missing string) {
	w.Helper()
	require.Error(w, want)
	require.Error(w, got)
	require.Equal(w, strings.ReplaceAll(want.Error(), missing, "ID"), strings.ReplaceAll(got.Error(), foreign, "ID"))
	require.Equal(w, ent.IsNotFound(want), ent.IsNotFound(got))
}

func (w *walk) reads(e entity) {
	w.Helper()
	seen, foreign := w.world.split(w.viewer, e.table)
	rows, err := all(w.ctx, e.query())
	require.NoError(w, err)
	var got []string
	for _, r := range rows {
		got = append(got, idOf(r))
	}
	slices.Sort(got)
	require.Equal(w, seen, got, "list of %s", e.table)
	ids, err := e.query().IDs(w.ctx)
	require.NoError(w, err)
	require.Len(w, ids, len(seen), e.table)
	n, err := e.query().Count(w.ctx)
	require.NoError(w, err)
	require.Equal(w, len(seen), n, "count of %s", e.table)
	exists, err := e.query().Exist(w.ctx)
	require.NoError(w, err)
	require.Equal(w, len(seen) > 0, exists, e.table)

	sum, _ := call(reflect.ValueOf(e.query()), "Aggregate", ent.Count())
	total, err := call(sum, "Int", w.ctx)
	require.NoError(w, err)
	require.EqualValues(w, len(seen), total.Int(), "aggregate of %s", e.table)
	grouped, _ := call(reflect.ValueOf(e.query()), "GroupBy", "id")
	groups, err := call(grouped, "Strings", w.ctx)
	require.NoError(w, err)
	require.Equal(w, len(seen), groups.Len(), "groups of %s", e.table)
	selected, _ := call(reflect.ValueOf(e.query()), "Select", "id")
	texts, err := call(selected, "Strings", w.ctx)
	require.NoError(w, err)
	require.Equal(w, len(seen), texts.Len(), "selection of %s", e.table)

	for _, own := range some(seen, 2) {
		_, err := call(e.client, "Get", w.ctx, own)
		require.NoError(w, err)
	}
	for _, other := range some(foreign, 4) {
		missing := absent(other)
		_, want := call(e.client, "Get", w.ctx, missing)
		_, got := call(e.client, "Get", w.ctx, other)
		w.same(want, got, other, missing)
		require.True(w, ent.IsNotFound(got))
		q := e.query()
		q.WhereP(where(other))
		exists, err := q.Exist(w.ctx)
		require.NoError(w, err)
		require.False(w, exists, "%s %s", e.table, other)
		q = e.query()
		q.WhereP(where(other))
		_, err = q.FirstID(w.ctx)
		require.True(w, ent.IsNotFound(err))
	}
}

// traverses follows every edge from rows that are seen and from handles of
// rows that aren't: only what the viewer sees ever comes back.
func (w *walk) traverses(e entity) {
	w.Helper()
	_, foreign := w.world.split(w.viewer, e.table)
	for _, edge := range edges(e.query()) {
		next, _ := call(reflect.ValueOf(e.query()), "Query"+edge)
		q := next.Interface().(query)
		ids, err := q.IDs(w.ctx)
		require.NoError(w, err)
		for _, got := range ids {
			require.True(w, w.world.sees(w.viewer, q.TableName(), got), "%s over %s leads to %s", e.table, edge, got)
		}
		eager := e.query()
		_, _ = call(reflect.ValueOf(eager), "With"+edge)
		rows, err := all(w.ctx, eager)
		require.NoError(w, err)
		for _, r := range rows {
			for _, got := range loaded(r, edge) {
				require.True(w, w.world.sees(w.viewer, q.TableName(), got), "%s with %s loads %s", e.table, edge, got)
			}
		}
		for _, other := range some(foreign, 3) {
			handle, err := call(e.client, "Get", tenancy.System(w.ctx, "test"), other)
			require.NoError(w, err)
			from, _ := call(handle, "Query"+edge)
			ids, err := from.Interface().(query).IDs(w.ctx)
			require.NoError(w, err)
			for _, got := range ids {
				require.True(w, w.world.sees(w.viewer, q.TableName(), got), "%s %s over %s leads to %s", e.table, other, edge, got)
			}
		}
	}
}

// attempt runs one write and undoes it; no foreign row may differ before that.
func (w *walk) attempt(what string, f func() error) error {
	w.Helper()
	_, err := w.tx.SQL().Exec("SAVEPOINT attempt")
	require.NoError(w, err)
	failed := f()
	if failed != nil {
		_, err = w.tx.SQL().Exec("ROLLBACK TO SAVEPOINT attempt")
		require.NoError(w, err)
		return failed
	}
	for _, difference := range changed(w.world, read(w, w.tx.SQL())) {
		table, rest, _ := strings.Cut(difference, " ")
		id, _, _ := strings.Cut(rest, " ")
		require.True(w, w.world.sees(w.viewer, table, id), "%s changed %s", what, difference)
	}
	_, err = w.tx.SQL().Exec("ROLLBACK TO SAVEPOINT attempt")
	require.NoError(w, err)
	return nil
}

func (w *walk) writes(e entity) {
	w.Helper()
	_, foreign := w.world.split(w.viewer, e.table)
	// everything at once, the own rows included
	_ = w.attempt("updating all "+e.table, func() error {
		b := e.make("Update")
		scribble(b)
		_, err := call(b, "Save", w.ctx)
		return err
	})
	_ = w.attempt("deleting all "+e.table, func() error {
		_, err := call(e.make("Delete"), "Exec", w.ctx)
		return err
	})
	if len(foreign) == 0 {
		return
	}
	// by name, in bulk
	count := func(what string, b reflect.Value, method string) {
		narrow(b, where(foreign...))
		err := w.attempt(what+" foreign "+e.table, func() error {
			n, err := call(b, method, w.ctx)
			if err == nil {
				require.Zero(w, n.Int())
			}
			return err
		})
		if err != nil {
			require.ErrorIs(w, err, tenancy.ErrOutOfReach)
		}
	}
	update := e.make("Update")
	scribble(update)
	count("updating", update, "Save")
	count("deleting", e.make("Delete"), "Exec")
	// one by one: as if it didn't exist
	for _, other := range some(foreign, 3) {
		missing := absent(other)
		one := func(id string) (updated, deleted error) {
			updated = w.attempt("updating "+e.table+" "+id, func() error {
				b := e.make("UpdateOneID", id)
				scribble(b)
				_, err := call(b, "Save", w.ctx)
				return err
			})
			deleted = w.attempt("deleting "+e.table+" "+id, func() error {
				_, err := call(e.make("DeleteOneID", id), "Exec", w.ctx)
				return err
			})
			return updated, deleted
		}
		wantU, wantD := one(missing)
		gotU, gotD := one(other)
		w.same(wantU, gotU, other, missing)
		w.same(wantD, gotD, other, missing)
		// and by a handle that somebody else left lying about
		handle, err := call(e.client, "Get", tenancy.System(w.ctx, "test"), other)
		require.NoError(w, err)
		require.Errorf(w, w.attempt("updating by handle", func() error {
			b, _ := call(handle, "Update")
			scribble(b)
			_, err := call(b, "Save", w.ctx)
			return err
		}), "%s %s", e.table, other)

	}
}

// forges tries to create rows that belong or lead elsewhere.
func (w *walk) forges(e entity) {
	w.Helper()
	seen, foreign := w.world.split(w.viewer, e.table)
	template := append(slices.Clone(seen), foreign...)[0]
	for _, id := range foreign { // rather one of the own account, with links
		if len(seen) == 0 && w.world[e.table][id]["account_id"] == w.viewer.AccountID {
			template = id
		}
	}
	linked := false // all that the template leads to is seen, too
	for _, own := range seen {
		if !linked && w.owns(e.table, own) && w.seesLinks(e.table, own) {
			template, linked = own, true
		}
	}
	like, err := call(e.client, "Get", tenancy.System(w.ctx, "test"), template)
	require.NoError(w, err)
	create := func(forged map[string]string) error {
		return w.attempt(fmt.Sprint("forging ", e.table, forged), func() error {
			_, err := call(e.clone(w, like, forged), "Save", w.ctx)
			return err
		})
	}
	if linked && tenancy.MayWrite(e.table, ent.OpCreate) {
		err := create(nil)
		require.Error(w, err, "the id is taken")
		require.NotErrorIs(w, err, tenancy.ErrOutOfReach, "the template of %s is no good: the guard refuses it unforged", e.table)
	}
	own := map[string]string{"account_id": w.viewer.AccountID}
	for _, account := range []string{id.PlatformID, otherAccount(w), ""} {
		if account == w.viewer.AccountID {
			continue
		}
		require.ErrorIs(w, refusal(create(map[string]string{"account_id": account})), tenancy.ErrOutOfReach, "%s of account %q", e.table, account)
	}
	for _, plane := range []string{"PLATFORM", "ACCOUNT", "CONSOLE", "COPILOT"} {
		if !slices.Contains(planesOf(w.viewer), plane) {
			require.ErrorIs(w, create(withDefault(own, "plane", plane)), tenancy.ErrOutOfReach, "%s in %s", e.table, plane)
		}
	}
	for _, column := range []string{"path", "scope_path"} {
		if _, ok := w.world[e.table][template][column]; !ok {
			continue
		}
		_, scopes := w.world.split(w.viewer, "scopes")
		for _, s := range some(scopes, 2) {
			path := w.world["scopes"][s]["path"]
			for _, p := range []string{path, path + template + "/", "/", ""} {
				require.ErrorIs(w, create(withDefault(own, column, p)), tenancy.ErrOutOfReach, "%s with path %q", e.table, p)
			}
		}
	}
	if e.table == "scopes" { // below one node, with the path of another, though both are seen
		for _, s := range some(seen, 3) {
			if s != w.world[e.table][template]["parent_id"] {
				require.ErrorIs(w, create(withDefault(own, "path", w.world[e.table][s]["path"]+template+"/")), tenancy.ErrOutOfReach, "below %s", s)
			}
		}
	}
	for column, target := range foreignKeys(e.table) {
		_, others := w.world.split(w.viewer, target)
		for _, other := range some(others, 2) {
			require.ErrorIs(w, create(withDefault(own, column, other)), tenancy.ErrOutOfReach, "%s.%s = %s", e.table, column, other)
		}
	}
}

// owns tells rows of the viewer's account from those that the platform offers.
func (w *walk) owns(table, rowID string) bool {
	return w.world[table][rowID]["account_id"] == w.viewer.AccountID
}

// seesLinks tells whether the viewer sees all rows that a row links to.
func (w *walk) seesLinks(table, rowID string) bool {
	if table == "scopes" && w.world[table][rowID]["parent_id"] == "<nil>" {
		return false // roots are the system's
	}
	for column, target := range foreignKeys(table) {
		if other := w.world[table][rowID][column]; other != "<nil>" && !w.world.sees(w.viewer, target, other) {
			return false
		}
	}
	return true
}

// refusal lets a validator of the schema speak first.
func refusal(err error) error {
	if ent.IsValidationError(err) {
		return tenancy.ErrOutOfReach
	}
	return err
}

func otherAccount(w *walk) string {
	for id := range w.world["accounts"] {
		if id != w.viewer.AccountID && !strings.HasPrefix(id, "plt_") {
			return id
		}
	}
	w.Fatal("there is one account only")
	return ""
}

// foreignKeys of a table: column → table, with the id of typed entities, which
// is their scope's.
func foreignKeys(table string) map[string]string {
	out := map[string]string{}
	for _, t := range migrate.Tables {
		if t.Name == table {
			for _, fk := range t.ForeignKeys {
				out[fk.Columns[0].Name] = fk.RefTable.Name
			}
		}
	}
	if slices.Contains([]string{"organizations", "teams", "members", "keys", "agents"}, table) {
		out["id"] = "scopes"
	}
	return out
}

// links tries to tie rows that the viewer may change to rows that they may
// not see, through every edge from either side.
func (w *walk) links(e entity) {
	w.Helper()
	seen, _ := w.world.split(w.viewer, e.table)
	seen = slices.DeleteFunc(seen, func(rowID string) bool { return !w.owns(e.table, rowID) })
	if len(seen) == 0 {
		return
	}
	for column, target := range foreignKeys(e.table) {
		_, others := w.world.split(w.viewer, target)
		for _, other := range some(others, 2) {
			if column == "id" {
				continue
			}
			err := w.attempt("linking", func() error {
				b := e.make("UpdateOneID", seen[0])
				require.NoError(w, mutationOf(b).SetField(column, other))
				_, err := call(b, "Save", w.ctx)
				return err
			})
			require.ErrorIs(w, err, tenancy.ErrOutOfReach, "%s.%s = %s", e.table, column, other)
		}
	}
	if e.table == "scopes" {
		_, others := w.world.split(w.viewer, "scopes")
		for _, other := range some(others, 3) {
			err := w.attempt("moving", func() error {
				b := e.make("UpdateOneID", seen[0])
				require.NoError(w, mutationOf(b).SetField("path", w.world["scopes"][other]["path"]))
				_, err := call(b, "Save", w.ctx)
				return err
			})
			require.ErrorIs(w, err, tenancy.ErrOutOfReach, "moved to %s", other)
		}
	}
	for _, add := range methods(e.make("UpdateOneID", seen[0]), "Add", "IDs") {
		probe := e.make("UpdateOneID", seen[0])
		_, _ = call(probe, add, "x")
		m := mutationOf(probe)
		_, others := w.world.split(w.viewer, m.EdgeTable(m.AddedEdges()[0]))
		for _, other := range some(others, 2) {
			err := w.attempt("adding", func() error {
				b := e.make("UpdateOneID", seen[0])
				_, _ = call(b, add, other)
				_, err := call(b, "Save", w.ctx)
				return err
			})
			require.ErrorIs(w, err, tenancy.ErrOutOfReach, "%s.%s(%s)", e.table, add, other)
			_ = w.attempt("removing", func() error {
				b := e.make("UpdateOneID", seen[0])
				_, _ = call(b, strings.Replace(add, "Add", "Remove", 1), other)
				_, err := call(b, "Save", w.ctx)
				return err
			})
		}
	}
	for _, clr := range methods(e.make("UpdateOneID", seen[0]), "Clear", "") {
		for _, own := range some(seen, 1) {
			_ = w.attempt(e.table+" "+clr, func() error {
				b := e.make("UpdateOneID", own)
				_, _ = call(b, clr)
				_, err := call(b, "Save", w.ctx)
				return err
			})
		}
	}
}

// Without a viewer everything fails, reads and writes alike.
func TestNothingWorksWithoutAViewer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		trees := identitytest.Tree(t, st)
		w := read(t, st.System())
		for name, with := range map[string]func(context.Context) context.Context{
			"none": func(ctx context.Context) context.Context { return ctx },
			"nil":  func(ctx context.Context) context.Context { return tenancy.WithViewer(ctx, nil) },
			"of no account": func(ctx context.Context) context.Context {
				return tenancy.WithViewer(ctx, &tenancy.Viewer{UserID: "usr_1"})
			},
			"platform of nobody": tenancy.Platform,
			"platform for a tenant": func(ctx context.Context) context.Context {
				return tenancy.WithViewer(tenancy.Platform(tenancy.WithViewer(ctx, trees.A.Admin)), nil)
			},
		} {
			err := st.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
				inside := with(tenancy.Confined(ctx))
				for _, e := range entities(tx.Client) {
					for what, f := range everyWay(inside, t, e, firstOf(w[e.table])) {
						require.ErrorIs(t, f(), tenancy.ErrNoViewer, "%s of %s, viewer: %s", what, e.table, name)
					}
				}
				return errUndo
			})
			require.ErrorIs(t, err, errUndo)
		}
		for _, e := range entities(st.Client) {
			_, err := e.query().Count(t.Context())
			require.ErrorIs(t, err, tenancy.ErrNoViewer, e.table)
		}
	})
}

func firstOf(rows map[string]row) string {
	for id := range rows {
		return id
	}
	return ""
}

func everyWay(ctx context.Context, t *testing.T, e entity, rowID string) map[string]func() error {
	t.Helper()
	out := map[string]func() error{
		"list":   func() error { _, err := all(ctx, e.query()); return err },
		"count":  func() error { _, err := e.query().Count(ctx); return err },
		"exist":  func() error { _, err := e.query().Exist(ctx); return err },
		"ids":    func() error { _, err := e.query().IDs(ctx); return err },
		"get":    func() error { _, err := call(e.client, "Get", ctx, rowID); return err },
		"update": func() error { b := e.make("Update"); _, err := call(b, "Save", ctx); return err },
		"delete": func() error { _, err := call(e.make("Delete"), "Exec", ctx); return err },
		"delete one": func() error {
			_, err := call(e.make("DeleteOneID", rowID), "Exec", ctx)
			return err
		},
		"update one": func() error {
			_, err := call(e.make("UpdateOneID", rowID), "Save", ctx)
			return err
		},
		"create": func() error {
			like, err := call(e.client, "Get", tenancy.System(ctx, "test"), rowID)
			require.NoError(t, err)
			_, err = call(e.clone(t, like, nil), "Save", ctx)
			return err
		},
		"create bulk": func() error {
			like, err := call(e.client, "Get", tenancy.System(ctx, "test"), rowID)
			require.NoError(t, err)
			bulk := e.client.MethodByName("CreateBulk").Call([]reflect.Value{e.clone(t, like, nil)})[0]
			_, err = call(bulk, "Save", ctx)
			return err
		},
	}
	for _, edge := range edges(e.query()) {
		out["over "+edge] = func() error {
			next, _ := call(reflect.ValueOf(e.query()), "Query"+edge)
			_, err := next.Interface().(query).IDs(ctx)
			return err
		}
	}
	return out
}
