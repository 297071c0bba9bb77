//go:build ignore

// Writes a migration for each database from what the schema says and the
// migrations don't yet: go run migrations/generate.go NAME. PostgreSQL needs
// an empty scratch database in COCKPIT_DEV_DATABASE_URL. After a change by
// hand: go run migrations/generate.go hash.
package main

import (
	"context"
	"database/sql"
	"log"
	"os"
	"strings"

	"ariga.io/atlas/sql/migrate"
	atlas "ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"

	entmigrate "github.com/alchemi/cockpit/ent/migrate"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run migrations/generate.go NAME, or hash after a change by hand")
	}
	if os.Args[1] == "hash" {
		for _, folder := range []string{"sqlite", "postgres"} {
			dir, err := migrate.NewLocalDir("migrations/" + folder)
			check(err)
			sum, err := dir.Checksum()
			check(err)
			check(migrate.WriteSumFile(dir, sum))
		}
		return
	}
	ctx := context.Background()
	url := os.Getenv("COCKPIT_DEV_DATABASE_URL")
	if url == "" {
		log.Fatal("COCKPIT_DEV_DATABASE_URL is not set; nothing was written")
	}
	sqlite, err := sql.Open("sqlite", "file:dev?mode=memory&_pragma=foreign_keys(1)")
	check(err)
	sqlite.SetMaxOpenConns(1)
	check(write(ctx, "sqlite", dialect.SQLite, sqlite))
	postgres, err := sql.Open("postgres", url)
	check(err)
	check(write(ctx, "postgres", dialect.Postgres, postgres))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func write(ctx context.Context, folder, d string, db *sql.DB) error {
	dir, err := migrate.NewLocalDir("migrations/" + folder)
	if err != nil {
		return err
	}
	m, err := schema.NewMigrate(entsql.OpenDB(d, db),
		schema.WithDir(dir),
		schema.WithMigrationMode(schema.ModeReplay),
		schema.WithDialect(d),
		schema.WithFormatter(migrate.DefaultFormatter),
		schema.WithDropColumn(true), schema.WithDropIndex(true),
		schema.WithDiffHook(tenantWall),
	)
	if err != nil {
		return err
	}
	return m.NamedDiff(ctx, os.Args[1], entmigrate.Tables...)
}

// tenantWall turns every foreign key between two owned tables into one over
// (account, plane, id), so that the database itself refuses links to another
// account or plane; and it never drops what is called tenant_.
func tenantWall(next schema.Differ) schema.Differ {
	return schema.DiffFunc(func(current, desired *atlas.Schema) ([]atlas.Change, error) {
		for _, t := range desired.Tables {
			for _, fk := range t.ForeignKeys {
				compose(t, fk)
			}
			spine(desired, t)
			constrain(t)
		}
		changes, err := next.Diff(current, desired)
		if err != nil {
			return nil, err
		}
		var kept []atlas.Change
		for _, c := range changes {
			if !drops(c, "tenant_") {
				kept = append(kept, c)
			}
		}
		return kept, nil
	})
}

// Links that cross planes: the account's users sit in both, and plane roots
// hang below the account. They are held inside the account alone.
var acrossPlanes = map[string]bool{
	"members.user_id": true, "role_bindings.user_id": true, "group_mappings.identity_provider_id": true,
}

// Links to what the platform owns. The listed edges are the only ones.
var toPlatform = map[string]bool{
	"models.catalog_model_id": true, "users.login_id": true,
}

func compose(t *atlas.Table, fk *atlas.ForeignKey) {
	col := fk.Columns[0]
	name := t.Name + "." + col.Name
	fk.Symbol = "tenant_" + t.Name + "_" + col.Name
	fk.OnDelete = atlas.NoAction
	if toPlatform[name] {
		fk.Symbol = "fk_" + t.Name + "_" + col.Name
		return
	}
	ref := fk.RefTable
	account, plane := "account_id", "plane"
	if name == "scopes.parent_id" {
		plane = "parent_plane"
	}
	if acrossPlanes[name] {
		fk.Columns = []*atlas.Column{must(t, account), col}
		fk.RefColumns = []*atlas.Column{must(ref, account), must(ref, "id")}
		unique(ref, "account_id", "id")
		return
	}
	fk.Columns = []*atlas.Column{must(t, account), must(t, plane), col}
	fk.RefColumns = []*atlas.Column{must(ref, account), must(ref, "plane"), must(ref, "id")}
}

// spine binds a typed entity to the scope whose id it shares.
func spine(s *atlas.Schema, t *atlas.Table) {
	switch t.Name {
	case "organizations", "teams", "members", "keys":
	default:
		return
	}
	scopes, ok := s.Table("scopes")
	if !ok {
		log.Fatal("no table scopes")
	}
	t.AddForeignKeys(atlas.NewForeignKey("tenant_"+t.Name+"_id").
		AddColumns(must(t, "account_id"), must(t, "plane"), must(t, "id")).
		SetRefTable(scopes).
		AddRefColumns(must(scopes, "account_id"), must(scopes, "plane"), must(scopes, "id")).
		SetOnDelete(atlas.NoAction).SetOnUpdate(atlas.NoAction))
}

func unique(t *atlas.Table, cols ...string) {
	name := "tenant_" + t.Name + "_" + strings.Join(cols, "_")
	if _, ok := t.Index(name); ok {
		return
	}
	idx := atlas.NewUniqueIndex(name)
	for _, c := range cols {
		idx.AddColumns(must(t, c))
	}
	t.AddIndexes(idx)
}

func must(t *atlas.Table, name string) *atlas.Column {
	c, ok := t.Column(name)
	if !ok {
		log.Fatalf("%s has no column %s", t.Name, name)
	}
	return c
}

// constrain adds the checks that hold whatever the program does.
func constrain(t *atlas.Table) {
	checks := map[string][]string{
		"scopes": {
			"tenant_scopes_parent: (parent_id IS NULL AND parent_plane IS NULL AND kind IN ('PLATFORM','ACCOUNT')) OR (parent_id IS NOT NULL AND parent_plane = plane AND kind NOT IN ('PLATFORM','ACCOUNT','CONSOLE','COPILOT')) OR (parent_id IS NOT NULL AND parent_plane = 'ACCOUNT' AND kind IN ('CONSOLE','COPILOT') AND kind = plane)",
		},
		"sessions": {
			"tenant_sessions_whose: (user_id IS NULL) <> (support_access_id IS NULL)",
		},
		"grants": {
			"tenant_grants_resource: model_id IS NOT NULL",
		},
		"budgets": {
			"tenant_budgets_amounts: lim >= 0 AND overflow >= 0",
		},
		"budget_cycles": {
			"tenant_budget_cycles_limit: escrowed >= 0 AND excess >= 0 AND escrowed <= lim + overflow + excess",
		},
		"budget_leases": {
			"tenant_budget_leases_granted: spent >= 0 AND held >= 0 AND spent + held <= granted",
		},
		"models": {
			"tenant_models_route: (plane = 'CONSOLE' AND provider_id IS NOT NULL AND catalog_model_id IS NULL) OR (plane = 'COPILOT' AND catalog_model_id IS NOT NULL AND provider_id IS NULL)",
		},
		"prices": {
			"tenant_prices_owner: (plane = 'CONSOLE' AND model_id IS NOT NULL AND catalog_model_id IS NULL) OR (plane = 'PLATFORM' AND catalog_model_id IS NOT NULL AND model_id IS NULL)",
		},
	}
	for _, c := range checks[t.Name] {
		name, expr, _ := strings.Cut(c, ": ")
		t.AddChecks(atlas.NewCheck().SetName(name).SetExpr("(" + expr + ")"))
	}
}

func drops(c atlas.Change, prefix string) bool {
	switch c := c.(type) {
	case *atlas.ModifyTable:
		var kept []atlas.Change
		for _, in := range c.Changes {
			if !drops(in, prefix) {
				kept = append(kept, in)
			}
		}
		c.Changes = kept
		return len(kept) == 0
	case *atlas.DropForeignKey:
		return strings.HasPrefix(c.F.Symbol, prefix)
	case *atlas.DropColumn:
		return strings.HasPrefix(c.C.Name, prefix)
	case *atlas.DropIndex:
		return strings.HasPrefix(c.I.Name, prefix)
	case *atlas.DropCheck:
		return strings.HasPrefix(c.C.Name, prefix)
	case *atlas.ModifyCheck:
		return strings.HasPrefix(c.To.Name, prefix) // printed back in another form by PostgreSQL
	case *atlas.DropTable:
		return strings.HasPrefix(c.T.Name, prefix) || c.T.Name == "schema_migrations"
	}
	return false
}

