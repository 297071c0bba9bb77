package graph

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/ent/budgetincrease"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// A stranger asks with an id that exists and with one that doesn't, everywhere
// in the schema where an id can be given; nobody may be able to tell the two
// answers apart, and nothing may change.
func TestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		probes := probesOf(t, Schema())
		rows := rowsByPrefix(t, a.Store)
		before := dump(t, a.Store)
		tried := 0
		for name, v := range strangers(a) {
			if a.Store.Dialect == store.Postgres && !slices.Contains([]string{"stranger", "sibling org admin", "other plane's admin", "nobody"}, name) {
				continue // the resolvers are the same; the database's own wall is what differs
			}
			eyes := sightOf(t, a, v, rows)
			for _, p := range probes {
				tried += a.try(name, v, p, eyes)
			}
			tried += a.listen(name, v, eyes)
		}
		require.Equal(t, before, dump(t, a.Store), "strangers changed something")
		require.Greater(t, tried, 2000)
		t.Logf("%d operations by strangers over %d fields that take ids: none differs from ids that don't exist", tried, len(probes))
	})
}

// strangers are viewers to whom most of account A's Console is foreign.
func strangers(a *api) map[string]*tenancy.Viewer {
	c := a.A.Console
	narrowed := *a.B.Admin
	narrowed.Narrowed, narrowed.Permissions = true, []string{"audit.read", "budgets.manage", "directory.manage", "read"}
	return map[string]*tenancy.Viewer{
		"not signed in": nil, "nobody": a.A.Nobody, "stranger": a.B.Admin, "stranger's program": &narrowed, "other plane's admin": a.A.Copilot.Admin,
		"sibling org admin": c.SiblingOrgAdmin, "sibling team admin": c.SiblingTeamAdmin, "team admin": c.TeamAdmin, "org admin": c.OrgAdmin,
		"plane admin": c.Admin, "member": c.Seat, "staff": a.SuperAdmin,
	}
}

// rowsByPrefix lists the ids of every table by what they begin with.
func rowsByPrefix(t *testing.T, st *store.Store) map[id.Prefix][]located {
	t.Helper()
	out := map[id.Prefix][]located{}
	for table, rows := range identitytest.Rows(t, st) {
		if slices.Contains([]string{"organizations", "teams", "members", "keys"}, table) {
			continue // they share their scopes' ids
		}
		for _, r := range rows {
			p, ok := id.PrefixOf(r.ID)
			if table == "scopes" && (p == id.Account || p == id.Platform) {
				continue // everybody sees their own account's row, whatever part of its tree they reach
			}
			if ok {
				out[p] = append(out[p], located{r, table})
			}
		}
	}
	return out
}

type located struct {
	identitytest.Row
	table string
}

// sight is what a viewer sees and what they don't, by kind of id; of what is
// foreign, one of each account and plane.
type sight struct{ own, foreign map[id.Prefix][]string }

// openToStaff is what the platform's people see of every account: that it is
// there, its planes (whose pools they fill) and their own visits.
var openToStaff = []id.Prefix{id.Account, id.Console, id.Copilot, id.SupportAccess}

func sightOf(t *testing.T, a *api, v *tenancy.Viewer, rows map[id.Prefix][]located) sight {
	t.Helper()
	out := sight{own: map[id.Prefix][]string{}, foreign: map[id.Prefix][]string{}}
	above := map[string]bool{} // where one's own roles hang is no secret
	if v != nil && v.Platform {
		for _, account := range []*identitytest.Account{a.A, a.B} {
			for _, plane := range []*identitytest.Plane{account.Console, account.Copilot} {
				pool := plane.Budgets[plane.Root.ID].ID // which they fill
				above[pool] = true
				for _, increase := range a.Store.BudgetIncrease.Query().Where(budgetincrease.BudgetID(pool)).IDsX(tenancy.System(t.Context(), "test")) {
					above[increase] = true
				}
			}
		}
	}
	if v != nil {
		for _, r := range v.Roles {
			for _, scope := range strings.Split(r.Path, "/") {
				above[scope] = true
			}
		}
	}
	for prefix, all := range rows {
		known := map[string]bool{}
		for _, r := range all {
			visible := false
			if v != nil {
				ctx := tenancy.WithViewer(t.Context(), v)
				if v.Platform && (r.AccountID == id.PlatformID || slices.Contains(openToStaff, prefix)) {
					ctx = tenancy.Platform(ctx)
				}
				var err error
				visible, err = a.Store.Visible(ctx, r.table, r.ID)
				if err != nil { // the database itself is closed to tenants there
					require.ErrorContains(t, err, "permission denied")
				}
			}
			where := r.AccountID + r.Plane
			switch {
			case visible:
				out.own[prefix] = append(out.own[prefix], r.ID)
			case above[r.ID], prefix == id.CatalogModel && r.ID == a.CatalogModel.ID, prefix == id.Platform:
				// known
			case !known[where] || prefix == id.Member || prefix == id.Team:
				known[where] = true
				out.foreign[prefix] = append(out.foreign[prefix], r.ID)
			}
		}
	}
	return out
}

// try puts each foreign id into each slot, with ids of the viewer's own in the
// others, and compares with an id that doesn't exist.
func (a *api) try(name string, v *tenancy.Viewer, p probe, eyes sight) (tried int) {
	a.t.Helper()
	for i, s := range p.slots {
		if strings.HasPrefix(s.name, "own:") {
			continue
		}
		prefixes := idsOf[s.name]
		if prefixes == nil {
			prefixes = slices.Sorted(maps.Keys(eyes.foreign))
		}
		for _, prefix := range prefixes {
			for _, foreign := range eyes.foreign[prefix] {
				variables, ok := a.ownIDs(p, eyes)
				if !ok {
					continue
				}
				slotName := fmt.Sprintf("id%d", i)
				missing := id.New(prefix)
				ask := func(value string) string {
					variables[slotName] = value
					return plain(a.do(v, p.text, variables), value)
				}
				want, got := ask(missing), ask(foreign)
				if want != got { // time goes on between the two: once more
					want, got = ask(missing), ask(foreign)
				}
				tried++
				require.Equal(a.t, want, got, "%s tells %s from an id that doesn't exist, by %s of %s\n%s", name, foreign, s.name, p.coordinate, p.text)
			}
		}
	}
	return tried
}

// listen subscribes with each foreign id and compares the first answer.
func (a *api) listen(name string, v *tenancy.Viewer, eyes sight) (tried int) {
	a.t.Helper()
	for _, f := range Schema().Subscription.Fields {
		if f.Name == "inbox" || f.Name == "viewerChanged" {
			continue // they take no id: everybody's are their own
		}
		arg := f.Arguments.ForName("scopeId")
		require.NotNil(a.t, arg, "say in this test how to subscribe to %s", f.Name)
		text := fmt.Sprintf("subscription($id: ID!) { %s(scopeId: $id) { __typename } }", f.Name)
		first := func(value string) string {
			c := a.socketTo(v, text, map[string]any{"id": value})
			defer func() { _ = c.Close() }()
			answer := next(a.t.(*testing.T), c)
			return answer.Type + plain(answer.Payload, value)
		}
		for _, prefix := range scopeKinds {
			for _, foreign := range eyes.foreign[prefix] {
				tried++
				missing := id.New(prefix)
				require.Equal(a.t, strings.ReplaceAll(decisions.ReplaceAllString(first(missing), "DECISION"), missing, "ID"),
					strings.ReplaceAll(decisions.ReplaceAllString(first(foreign), "DECISION"), foreign, "ID"), "%s: %s of %s", name, f.Name, foreign)
			}
		}
	}
	return tried
}

// ownIDs fills the slots with what the viewer has, or with what doesn't exist.
func (a *api) ownIDs(p probe, eyes sight) (map[string]any, bool) {
	out := map[string]any{}
	for i, s := range p.slots {
		var own []string
		if typ, ok := strings.CutPrefix(s.name, "own:"); ok {
			if own = eyes.own[prefixOf[typ]]; len(own) == 0 {
				return nil, false // nothing of the kind to enter by
			}
		} else {
			for _, prefix := range idsOf[s.name] {
				own = append(own, eyes.own[prefix]...)
			}
		}
		if len(own) > 0 && (p.operation == ast.Query || len(p.slots) > 1) {
			out[fmt.Sprintf("id%d", i)] = own[0]
		} else if idsOf[s.name] != nil {
			out[fmt.Sprintf("id%d", i)] = id.New(idsOf[s.name][0])
		} else {
			out[fmt.Sprintf("id%d", i)] = id.New(id.Team)
		}
	}
	return out, true
}

// prefixOf a type that is entered by its id.
var prefixOf = map[string]id.Prefix{
	"Organization": id.Organization, "Team": id.Team, "Member": id.Member, "Key": id.Key, "User": id.User, "Model": id.Model, "Provider": id.Provider,
	"CatalogModel": id.CatalogModel, "CentralProvider": id.CentralProvider, "Charge": id.Charge, "AuditEvent": id.AuditEvent, "Budget": id.Budget, "Statement": id.Statement,
	"Console": id.Console, "Copilot": id.Copilot, "Account": id.Account, "Platform": id.Platform, "Price": id.Price, "RoleBinding": id.RoleBinding,
	"Invitation": id.Invitation, "Session": id.Session, "Domain": id.Domain, "IdentityProvider": id.IdentityProvider, "GroupMapping": id.GroupMapping,
	"ServiceClient": id.ServiceClient, "PersonalToken": id.PersonalToken, "Authorization": id.Authorization, "Grant": id.Grant,
	"SupportAccess": id.SupportAccess, "Request": id.InboxRequest, "AuditCheckpoint": id.AuditCheckpoint,
}

var (
	decisions = regexp.MustCompile(`dec_[0-9A-Z]{26}`)
	moments   = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
)

// plain is an answer without what differs from one moment to the next.
func plain(out answer, value string) string {
	text, _ := json.Marshal(out)
	s := decisions.ReplaceAllString(string(text), "DECISION")
	s = moments.ReplaceAllString(s, "MOMENT")
	return strings.ReplaceAll(s, value, "ID")
}

// dump is every row of the database that strangers must leave alone.
func dump(t *testing.T, st *store.Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	for table := range identitytest.Rows(t, st) {
		if slices.Contains([]string{"audit_events", "nodes", "sessions"}, table) {
			continue
		}
		rows, err := st.System().QueryContext(t.Context(), "SELECT * FROM "+table+" ORDER BY id")
		require.NoError(t, err)
		defer rows.Close()
		columns, err := rows.Columns()
		require.NoError(t, err)
		var b strings.Builder
		for rows.Next() {
			values := make([]sql.NullString, len(columns))
			into := make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			require.NoError(t, rows.Scan(into...))
			for i, c := range columns {
				if !slices.Contains([]string{"epoch", "epoch_at", "audit_seq", "audit_hash", "seen_at"}, c) {
					fmt.Fprintf(&b, "%s=%s ", c, values[i].String)
				}
			}
			b.WriteByte('\n')
		}
		require.NoError(t, rows.Err())
		out[table] = b.String()
	}
	return out
}
