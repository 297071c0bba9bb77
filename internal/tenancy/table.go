package tenancy

import (
	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/id"
)

// rule says how the rows of a table are confined to a viewer's reach, beyond
// their account and plane. A table without a rule can't be read at all.
type rule func(s *sql.Selector, v *Viewer) *sql.Predicate

// tables has one entry for every table of the schema; a test walks them all.
var tables = map[string]rule{
	"accounts":                 everyRow,
	"scopes":                   living(byPath("path")),
	"organizations":            byScope("id"),
	"teams":                    byScope("id"),
	"members":                  byScope("id"),
	"role_bindings":            anyOf(byScope("scope_id"), byUser("user_id")),
	"users":                    anyOf(byUser("id"), bySeat),
	"sessions":                 anyOf(wholeAccount, byPerson),
	"keys":                     byScope("id"),
	"key_models":               byScope("key_id"),
	"providers":                everyRow,
	"models":                   everyRow,
	"prices":                   everyRow,
	"credit_factors":           everyRow,
	"budgets":                  byScope("scope_id"),
	"budget_cycles":            byBudget,
	"charges":                  byPath("path"),
	"audit_events":             byPath("scope_path"),
	"domains":                  wholeAccount,
	"identity_providers":       wholeAccount,
	"group_mappings":           wholeAccount,
	"external_identities":      anyOf(wholeAccount, byPerson),
	"invitations":              byScope("scope_id"),
	"grants":                   byScope("scope_id"),
	"service_clients":          wholeAccount,
	"authorizations":           anyOf(wholeAccount, byPerson),
	"personal_tokens":          anyOf(wholeAccount, byPerson),
	"support_accesses":         wholeAccount,
	"audit_checkpoints":        wholeAccount,
	"budget_increases":         byBudget,
	"budget_alerts":            byBudget,
	"statements":               byScope("scope_id"),
	"usage_days":               byPath("path"),
	"usage_tags":               byPath("path"),
	"notifications":            byPerson,
	"notification_preferences": byPerson,
	"webhooks":                 wholeAccount,
	"webhook_deliveries":       wholeAccount,
	"requests":                 anyOf(byScope("scope_id"), byUser("requested_by")),
	"request_rules":            byScope("scope_id"),
	"deputies":                 byPerson,
	"agents":                   byScope("id"),
	"agent_versions":           byScope("agent_id"),
	"connections":              byScope("scope_id"),
	"tools":                    byConnection,
	"connection_credentials":   anyOf(byConnection, byPerson),
	"listings":                 anyOf(published, byScope("scope_id")),
	"listing_versions":         byListing,
	"ratings":                  everyRow,
	"guardrail_presets":        everyRow,
	"guardrail_assignments":    byScope("scope_id"),
	"feature_flags":            byScope("scope_id"),
	"listing_accounts":         noRow,
	"catalog_models":           noRow,
	"usage_totals":             noRow,
	"logins":                   noRow,
	"central_providers":        noRow,
	"holds":                    noRow,
	"nodes":                    noRow,
	"budget_leases":            noRow,
	"idempotency_keys":         noRow,
	"mutation_keys":            noRow,
}

// offers are the platform's rows that an account may read besides its own.
var offers = map[string]rule{
	"catalog_models":   offered,
	"listings":         offeredListing,
	"listing_versions": offeredVersion,
	"listing_accounts": namesAccount,
}

// written says what viewers may do to rows in their reach, where that isn't
// everything: 0 is for tables that the system alone writes. The grants of the
// database's tenant role say the same.
var written = map[string]ent.Op{
	"accounts":       0, // but for the epoch, which the store raises
	"sessions":       0,
	"prices":         ent.OpCreate, // superseded, never edited
	"users":          0,
	"credit_factors": 0,
	"charges":        0,
	"audit_events":   0, // audit.Write acts as the system
	// Sign-in and programs: verbs check who may, and write as the system.
	"domains":             0,
	"identity_providers":  0,
	"group_mappings":      0,
	"external_identities": 0,
	"service_clients":     0,
	"authorizations":      0,
	"personal_tokens":     0,
	"support_accesses":    0,
	"audit_checkpoints":   0,
	// The engine and the notifier write them.
	"statements":               0,
	"budget_alerts":            ent.OpDelete | ent.OpDeleteOne, // with their budget
	"usage_days":               0,
	"usage_tags":               0,
	"usage_totals":             0,
	"notifications":            0,
	"notification_preferences": 0,
	"webhooks":                 0,
	"webhook_deliveries":       0,
	"requests":                 0,
	"request_rules":            0,
	"deputies":                 0,
	"agent_versions":           ent.OpCreate | ent.OpUpdate | ent.OpUpdateOne, // retired, never rewritten
	"listing_versions":         ent.OpCreate | ent.OpUpdate | ent.OpUpdateOne, // reviewed
	"connection_credentials":   0,                                             // sealed and refreshed by the system
	"listing_accounts":         0,
	"catalog_models":           0,
	"logins":                   0,
	"central_providers":        0,
	"holds":                    0,
	"nodes":                    0,
	"budget_leases":            ent.OpUpdate | ent.OpUpdateOne | ent.OpDelete | ent.OpDeleteOne, // called back, and removed with their cycles
	"idempotency_keys":         0,
	"mutation_keys":            0, // but for what the store inserts with a change
}

// everyRow of the account in the viewer's planes.
func everyRow(*sql.Selector, *Viewer) *sql.Predicate { return nil }

// noRow: the platform's own, reached through System and Platform alone.
func noRow(*sql.Selector, *Viewer) *sql.Predicate { return sql.False() }

func wholeAccount(_ *sql.Selector, v *Viewer) *sql.Predicate {
	if v.WholeAccount() {
		return sql.P(func(b *sql.Builder) { b.WriteString("1 = 1") })
	}
	return sql.False()
}

// offered: active models of the catalogue whose listing is offered to the
// account, and whatever it has switched on before.
func offered(s *sql.Selector, v *Viewer) *sql.Predicate {
	d := sql.Dialect(s.Dialect())
	l, m := d.Table("listings").As("offer_listings"), d.Table("models").As("offer_models")
	return sql.Or(
		sql.And(sql.EQ(s.C("status"), "ACTIVE"), sql.Exists(d.Select(l.C("id")).From(l).Where(sql.And(
			sql.ColumnsEQ(l.C("catalog_model_id"), s.C("id")), sql.EQ(l.C("status"), "PUBLISHED"),
			eligible(s, l.C("account_id"), l.C("status"), l.C("eligibility"), l.C("id"), v))))),
		sql.Exists(d.Select(m.C("id")).From(m).Where(sql.And(
			sql.ColumnsEQ(m.C("catalog_model_id"), s.C("id")), sql.EQ(m.C("account_id"), v.AccountID)))))
}

// published listings of an account are for all its people.
func published(s *sql.Selector, _ *Viewer) *sql.Predicate {
	return sql.EQ(s.C("status"), "PUBLISHED")
}

// offeredListing: the platform's, to all accounts or to this one by name; what
// was withdrawn stays to be explained where it was installed.
func offeredListing(s *sql.Selector, v *Viewer) *sql.Predicate {
	return eligible(s, s.C("account_id"), s.C("status"), s.C("eligibility"), s.C("id"), v)
}

func eligible(s *sql.Selector, account, status, eligibility, listing string, v *Viewer) *sql.Predicate {
	d := sql.Dialect(s.Dialect())
	a := d.Table("listing_accounts").As("offer_accounts")
	return sql.And(sql.EQ(account, id.PlatformID), sql.In(status, "PUBLISHED", "WITHDRAWN"), sql.Or(sql.EQ(eligibility, "ALL"),
		sql.Exists(d.Select(a.C("id")).From(a).Where(sql.And(sql.ColumnsEQ(a.C("listing_id"), listing), sql.EQ(a.C("offered_to"), v.AccountID))))))
}

// offeredVersion: published versions of what is offered.
func offeredVersion(s *sql.Selector, v *Viewer) *sql.Predicate {
	d := sql.Dialect(s.Dialect())
	l := d.Table("listings").As("offer_listings")
	return sql.And(sql.EQ(s.C("status"), "PUBLISHED"), sql.Exists(d.Select(l.C("id")).From(l).Where(sql.And(
		sql.ColumnsEQ(l.C("id"), s.C("listing_id")),
		eligible(s, l.C("account_id"), l.C("status"), l.C("eligibility"), l.C("id"), v)))))
}

// namesAccount: what names the viewer's account as one that is offered to.
func namesAccount(s *sql.Selector, v *Viewer) *sql.Predicate {
	return sql.EQ(s.C("offered_to"), v.AccountID)
}

// byPath confines by a materialized path of the row's own.
func byPath(column string) rule {
	return func(s *sql.Selector, v *Viewer) *sql.Predicate {
		return under(s.C(column), s.C("plane"), v.Reach)
	}
}

// living hides tombstones: what was deleted is for the books alone.
func living(r rule) rule {
	return func(s *sql.Selector, v *Viewer) *sql.Predicate {
		return sql.And(r(s, v), sql.IsNull(s.C("deleted_at")))
	}
}

// byScope confines by the path of the scope that a column names.
func byScope(column string) rule {
	return func(s *sql.Selector, v *Viewer) *sql.Predicate {
		if v.WholeAccount() {
			return nil
		}
		t := sql.Dialect(s.Dialect()).Table("scopes").As("reach_scopes")
		return sql.Exists(sql.Dialect(s.Dialect()).Select(t.C("id")).From(t).Where(sql.And(
			sql.ColumnsEQ(t.C("id"), s.C(column)),
			under(t.C("path"), t.C("plane"), v.Reach),
		)))
	}
}

func byBudget(s *sql.Selector, v *Viewer) *sql.Predicate {
	if v.WholeAccount() {
		return nil
	}
	d := sql.Dialect(s.Dialect())
	b, t := d.Table("budgets").As("reach_budgets"), d.Table("scopes").As("reach_scopes")
	return sql.Exists(d.Select(b.C("id")).From(b).Join(t).On(t.C("id"), b.C("scope_id")).Where(sql.And(
		sql.ColumnsEQ(b.C("id"), s.C("budget_id")),
		under(t.C("path"), t.C("plane"), v.Reach),
	)))
}

// byConnection: what belongs to a connection of the viewer's reach.
func byConnection(s *sql.Selector, v *Viewer) *sql.Predicate {
	if v.WholeAccount() {
		return nil
	}
	return through(s, "connections", "connection_id", v, nil)
}

// byListing: versions of the account's own listings, those in review for whom
// the listing lies in reach.
func byListing(s *sql.Selector, v *Viewer) *sql.Predicate {
	if v.WholeAccount() {
		return nil
	}
	return through(s, "listings", "listing_id", v, sql.EQ(s.C("status"), "PUBLISHED"))
}

// through confines by the scope of the row that a column names; a published one
// (the other condition, if any) is seen wherever that lies.
func through(s *sql.Selector, table, column string, v *Viewer, unless *sql.Predicate) *sql.Predicate {
	d := sql.Dialect(s.Dialect())
	o, t := d.Table(table).As("reach_owners"), d.Table("scopes").As("reach_scopes")
	seen := under(t.C("path"), t.C("plane"), v.Reach)
	if unless != nil {
		seen = sql.Or(seen, sql.And(unless, sql.EQ(o.C("status"), "PUBLISHED")))
	}
	return sql.Exists(d.Select(o.C("id")).From(o).Join(t).On(t.C("id"), o.C("scope_id")).Where(sql.And(
		sql.ColumnsEQ(o.C("id"), s.C(column)), seen)))
}

func byUser(column string) rule {
	return func(s *sql.Selector, v *Viewer) *sql.Predicate { return sql.EQ(s.C(column), v.UserID) }
}

// byPerson: what is a person's own and no business of their keys.
func byPerson(s *sql.Selector, v *Viewer) *sql.Predicate {
	if v.Kind == KeyViewer {
		return sql.False()
	}
	return sql.EQ(s.C("user_id"), v.UserID)
}

// bySeat: people who have a seat in the viewer's reach.
func bySeat(s *sql.Selector, v *Viewer) *sql.Predicate {
	if v.WholeAccount() {
		return sql.P(func(b *sql.Builder) { b.WriteString("1 = 1") })
	}
	d := sql.Dialect(s.Dialect())
	m, t := d.Table("members").As("reach_members"), d.Table("scopes").As("reach_scopes")
	return sql.Exists(d.Select(m.C("id")).From(m).Join(t).On(t.C("id"), m.C("id")).Where(sql.And(
		sql.ColumnsEQ(m.C("user_id"), s.C("id")),
		under(t.C("path"), t.C("plane"), v.Reach),
	)))
}

func anyOf(rules ...rule) rule {
	return func(s *sql.Selector, v *Viewer) *sql.Predicate {
		var ps []*sql.Predicate
		for _, r := range rules {
			p := r(s, v)
			if p == nil {
				return nil
			}
			ps = append(ps, p)
		}
		return sql.Or(ps...)
	}
}

// under is true for paths below one of the reaches. substr compares byte by
// byte under any collation, unlike LIKE and range comparisons.
func under(path, plane string, reaches []Reach) *sql.Predicate {
	var ps []*sql.Predicate
	for _, r := range reaches {
		p := sql.P(func(b *sql.Builder) {
			b.WriteString("substr(").WriteString(path).WriteString(", 1, ").Arg(len(r.Path)).WriteString(") = ").Arg(r.Path)
		})
		if r.Plane != PlaneAccount {
			p = sql.And(sql.EQ(plane, string(r.Plane)), p)
		}
		ps = append(ps, p)
	}
	if len(ps) == 0 {
		return sql.False()
	}
	return sql.Or(ps...)
}
