package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/ent"
	entgrant "github.com/alchemi/cockpit/ent/grant"
	entmodel "github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/gateway"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// story is one random state of the Console of account A, told plainly.
type story struct {
	grants   map[string]told // by scope
	archived map[string]bool
	roles    map[string]tenancy.RoleName // of the seat's person, by scope
	disabled bool
	listed   bool // the key lists the model
}

type told struct {
	deny, expired bool
	authority     *ent.Scope
}

// lawful is the world that stories are told in.
type lawful struct {
	*api
	c     *identitytest.Plane
	nodes []*ent.Scope // of Console, ancestors first
}

func (l *lawful) line(s *ent.Scope) []*ent.Scope {
	return slices.DeleteFunc(slices.Clone(l.nodes), func(n *ent.Scope) bool { return !strings.HasPrefix(s.Path, n.Path) })
}

func (l *lawful) draw(t *rapid.T) story {
	s := story{grants: map[string]told{}, archived: map[string]bool{}, roles: map[string]tenancy.RoleName{},
		disabled: rapid.IntRange(0, 9).Draw(t, "disabled") == 0, listed: rapid.IntRange(0, 9).Draw(t, "listed") > 0}
	for _, n := range l.nodes {
		if rapid.Bool().Draw(t, "granted") {
			s.grants[n.ID] = told{rapid.IntRange(0, 4).Draw(t, "deny") == 0, rapid.IntRange(0, 4).Draw(t, "expired") == 0,
				l.line(n)[rapid.IntRange(0, len(l.line(n))-1).Draw(t, "authority")]}
		}
		if n.Kind == scope.KindTEAM || n.Kind == scope.KindORGANIZATION {
			s.archived[n.ID] = rapid.IntRange(0, 11).Draw(t, "archived") == 0
		}
		if n.Kind != scope.KindMEMBER && n.Kind != scope.KindKEY {
			if r := rapid.SampledFrom([]tenancy.RoleName{"", "", tenancy.Admin, tenancy.Auditor}).Draw(t, "role"); r != "" {
				s.roles[n.ID] = r
			}
		}
	}
	return s
}

// tell makes the story the state of the database.
func (l *lawful) tell(s story) {
	now := l.Store.Now()
	l.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Grant.Delete().Where(entgrant.ModelID(l.c.Model.ID)).Exec(ctx)
		require.NoError(l.t, err)
		_, err = tx.RoleBinding.Delete().Where(rolebinding.UserID(l.c.Seat.UserID)).Exec(ctx)
		require.NoError(l.t, err)
		for _, n := range l.nodes {
			if g, ok := s.grants[n.ID]; ok {
				create := tx.Grant.Create().SetAccountID(n.AccountID).SetPlane("CONSOLE").SetScopeID(n.ID).SetModelID(l.c.Model.ID).
					SetEffect("ALLOW").SetAuthority(g.authority.Path)
				if g.deny {
					create.SetEffect("DENY")
				}
				if g.expired {
					create.SetExpiresAt(now.Add(-time.Second))
				} else {
					create.SetExpiresAt(now.Add(time.Hour))
				}
				create.ExecX(ctx)
			}
			u := tx.Scope.UpdateOneID(n.ID).ClearArchivedAt()
			if s.archived[n.ID] {
				u.SetArchivedAt(now)
			}
			u.ExecX(ctx)
			if r, ok := s.roles[n.ID]; ok {
				tx.RoleBinding.Create().SetAccountID(n.AccountID).SetPlane("CONSOLE").SetUserID(l.c.Seat.UserID).SetScopeID(n.ID).
					SetRole(rolebinding.Role(r)).ExecX(ctx)
			}
		}
		status := entmodel.StatusACTIVE
		if s.disabled {
			status = entmodel.StatusDISABLED
		}
		tx.Model.UpdateOneID(l.c.Model.ID).SetStatus(status).ExecX(ctx)
		_, err = tx.KeyModel.Delete().Exec(ctx)
		require.NoError(l.t, err)
		if s.listed {
			tx.KeyModel.Create().SetAccountID(l.A.Row.ID).SetPlane("CONSOLE").SetKeyID(l.c.Key.ID).SetModelID(l.c.Model.ID).ExecX(ctx)
		}
		return nil
	})
}

// mayUse is the rule of grants in the words of the documentation.
func (l *lawful) mayUse(s story, at *ent.Scope) bool {
	if s.disabled || l.gone(s, at) || (at.Kind == scope.KindKEY && !s.listed) {
		return false
	}
	allowed := false
	for _, n := range l.line(at) {
		g, ok := s.grants[n.ID]
		switch {
		case !ok || g.expired:
		case g.deny:
			return false
		case l.holds(s, g.authority):
			allowed = true
		}
	}
	return allowed
}

// holds: the node has the model by those strictly above it, or needs nobody.
func (l *lawful) holds(s story, node *ent.Scope) bool {
	if node.ID == l.c.Root.ID {
		return true
	}
	has := false
	for _, n := range l.line(node) {
		g, ok := s.grants[n.ID]
		if !ok || g.expired || g.authority.ID == node.ID {
			continue
		}
		if g.deny {
			return false
		}
		has = has || l.holds(s, g.authority)
	}
	return has
}

func (l *lawful) gone(s story, at *ent.Scope) bool {
	return slices.ContainsFunc(l.line(at), func(n *ent.Scope) bool { return s.archived[n.ID] })
}

// mayDo is the rule of roles for a few actions, in plain words: the roles of
// the seat's person at the node and above it, unless they lie in the archive.
func (l *lawful) mayDo(s story, action access.Action, at *ent.Scope) bool {
	for _, n := range l.line(at) {
		role := s.roles[n.ID]
		if l.gone(s, n) {
			continue
		}
		switch action {
		case access.AuditRead:
			if role != "" {
				return true
			}
		case access.BudgetSet:
			if role == tenancy.Admin && n.ID != at.ID {
				return true
			}
		case access.GrantSet:
			if role == tenancy.Admin {
				return true
			}
		}
	}
	return false
}

// What explain says of anybody at any place is what the gateway and the
// policies then do, and what the plain rule says.
func TestPropertyExplanationsAreWhatHappens(t *testing.T) {
	t.Parallel()
	a := newAPI(t, storetest.Open(t))
	c := a.A.Console
	l := &lawful{a, c, []*ent.Scope{c.Root, c.Org, c.SiblingOrg, c.Team, c.SiblingTeam, c.OtherTeam, c.Member, c.KeyScope}}
	box, err := secret.NewBox("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	require.NoError(t, err)
	seen := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		s := l.draw(rt)
		l.tell(s)
		// New caches: nothing is remembered of the story before.
		grants := grant.New(a.Store, a.Epochs)
		a.resolver.Grants = grants
		g := gateway.New(gateway.Options{Keys: identity.NewKeys(a.Store, a.Epochs), Access: a.resolver.Access, Grants: grants, Agents: agents.NewLive(a.Store, a.Epochs), Features: feature.New(a.Store, a.Epochs),
			Catalog: catalog.New(a.Store, a.Epochs, box, 1_000_000_000, a.resolver.Log), Budget: a.budgets, Client: &http.Client{Transport: nowhere{}}, Now: a.Store.Now, Log: a.resolver.Log})
		defer g.Close()

		for _, n := range l.nodes {
			out := a.ok(a.A.Admin, explainAny, map[string]any{"i": map[string]any{"scopeId": n.ID, "resourceId": c.Model.ID}})
			rule := out.at("explain", "rule").(string)
			seen[rule]++
			require.Equal(rt, l.mayUse(s, n), out.at("explain", "allowed"), "%s: %s", n.Name, out.at("explain", "reason"))
			if n.ID == c.KeyScope.ID {
				called, listed := l.call(g)
				require.Equal(rt, out.at("explain", "allowed"), called, "the gateway, as explained: %s", rule)
				require.Equal(rt, called, listed, "the list, as the call")
			}
		}
		viewer, err := identity.ExplainedViewer(context.Background(), a.Store, c.Seat.UserID)
		require.NoError(rt, err)
		for _, action := range []access.Action{access.AuditRead, access.BudgetSet, access.GrantSet} {
			n := l.nodes[rapid.IntRange(0, len(l.nodes)-1).Draw(rt, "asked at")]
			out := a.ok(a.A.Admin, explainAny, map[string]any{"i": map[string]any{"userId": c.Seat.UserID, "scopeId": n.ID, "action": action}})
			allowed := out.at("explain", "allowed").(bool)
			require.Equal(rt, l.mayDo(s, action, n), allowed, "%s at %s: %s", action, n.Name, out.at("explain", "reason"))
			err := a.resolver.Access.Check(tenancy.WithViewer(context.Background(), viewer), action, target(ref(n)))
			require.Equal(rt, allowed, err == nil, "%v", err)
			seen[fmt.Sprint(action, allowed)]++
		}
	})
	for _, what := range []string{"allow", "deny", "not-granted", "expired", "authority-lost", "archived", "disabled", "key-list", "audit.readtrue", "budget.settrue", "grant.settrue", "grant.setfalse"} {
		require.Positive(t, seen[what], "the stories never led to %s: %v", what, seen)
	}
	t.Log(seen)
}

// nowhere is a network without anybody in it.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody is there")
}

// call asks the gateway for the key's model, and for its list. The provider is
// nowhere: a call that may be made fails there, not here.
func (l *lawful) call(g *gateway.Gateway) (called, listed bool) {
	l.t.Helper()
	send := func(method, path, body string) *httptest.ResponseRecorder {
		for {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+l.c.Token)
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			if !strings.Contains(w.Body.String(), "check credentials") { // a busy machine
				return w
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	w := send(http.MethodPost, "/v1/chat/completions", `{"model":"smart","messages":[{"role":"user","content":"hi"}],"max_tokens":1}`)
	called = !slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound}, w.Code)
	w = send(http.MethodGet, "/v1/models", "")
	var list struct{ Data []struct{ ID string } }
	require.NoError(l.t, json.Unmarshal(w.Body.Bytes(), &list))
	return called, slices.ContainsFunc(list.Data, func(m struct{ ID string }) bool { return m.ID == "smart" })
}
