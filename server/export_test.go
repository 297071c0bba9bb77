package server

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// tenant is an account with an admin of it and one of its default team.
type tenant struct {
	account, team    *ent.Scope
	admin, teamAdmin string // cookies
}

func newTenant(t *testing.T, s *Server, url, slug string) *tenant {
	t.Helper()
	out := &tenant{}
	ctx := tenancy.System(t.Context(), "test")
	person := func(ctx context.Context, tx *store.Tx, at *ent.Scope, name string) {
		hash, err := identity.HashPassword(ctx, password)
		require.NoError(t, err)
		u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: at.AccountID, Email: name + "@" + slug + ".example", Name: name, PasswordHash: hash})
		require.NoError(t, err)
		require.NoError(t, identity.BindRole(ctx, tx, u, at, tenancy.Admin))
	}
	require.NoError(t, s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err := identity.CreateAccount(ctx, tx, identity.AccountInput{Name: "The " + slug, Slug: slug, Console: true})
		require.NoError(t, err)
		out.account = tx.Scope.GetX(ctx, a.ID)
		out.team = tx.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(scope.KindTEAM), scope.PlaneEQ(scope.PlaneCONSOLE)).OnlyX(ctx)
		person(ctx, tx, out.account, "admin")
		person(ctx, tx, out.team, "lead")
		return nil
	}))
	in := func(name string) string {
		res, body := send(t, http.MethodPost, url+"/graphql", operation(t, signIn, map[string]any{"e": name + "@" + slug + ".example", "p": password}))
		require.Len(t, res.Cookies(), 1, body)
		return "Cookie: " + cookieName + "=" + res.Cookies()[0].Value
	}
	out.admin, out.teamAdmin = in("admin"), in("lead")
	return out
}

func (s *Server) events(t *testing.T, action string) []*ent.AuditEvent {
	t.Helper()
	return s.store.AuditEvent.Query().Where(auditevent.Action(action)).Order(auditevent.ByID()).AllX(tenancy.System(t.Context(), "test"))
}

// sealed waits until everything that happened has its number.
func (s *Server) sealed(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		return !s.store.AuditEvent.Query().Where(auditevent.SeqIsNil()).ExistX(tenancy.System(t.Context(), "test"))
	}, 30*time.Second, 20*time.Millisecond)
}

func TestExportIsWholeSignedAndAudited(t *testing.T) {
	t.Parallel()
	s, base := start(t)
	a, b := newTenant(t, s, base, "acme"), newTenant(t, s, base, "beta")
	s.sealed(t)
	res, body := send(t, http.MethodGet, base+"/export/audit?scope="+a.account.ID, "", a.admin)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	require.Equal(t, "application/x-ndjson", res.Header.Get("Content-Type"))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	require.Regexp(t, `^attachment; filename=audit_acme_start_[0-9TZ]+\.ndjson$`, res.Header.Get("Content-Disposition"))
	h, v, err := audit.VerifyExport(strings.NewReader(body), audit.Trust{Keys: s.sealer.Signer.Keys()})
	require.NoError(t, err)
	require.Equal(t, a.account.ID, h.Account)
	require.Positive(t, v.Count())
	require.NotContains(t, body, b.account.ID)
	told := s.events(t, "audit.export")
	require.Len(t, told, 1)
	require.Equal(t, a.account.ID, told[0].TargetID)
	require.Equal(t, "admin", told[0].ActorName)
	require.NotEmpty(t, told[0].RequestID)

	// Filtered, as a table.
	s.sealed(t)
	q := url.Values{"scope": {a.account.ID}, "format": {"csv"}, "action": {"audit"}, "outcome": {"DONE"}, "search": {"ADMIN"}, "from": {"2020-01-01T02:00:00+02:00"}}
	res, body = send(t, http.MethodGet, base+"/export/audit?"+q.Encode(), "", a.admin)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	require.Contains(t, res.Header.Get("Content-Disposition"), "audit_acme_20200101T000000Z_")
	require.Contains(t, res.Header.Get("Content-Disposition"), "_action.audit_search.ADMIN_outcome.DONE.csv")
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, "audit.export", rows[1][8])
	told = s.events(t, "audit.export")
	require.Len(t, told, 2)
	require.JSONEq(t, `{"before":null,"after":"audit"}`, string(rawChanges(t, told[1])["action"]))

	_, body = send(t, http.MethodGet, base+"/export/audit?action=audit&scope="+a.account.ID, "", a.admin)
	_, _, err = audit.VerifyExport(strings.NewReader(body), audit.Trust{Keys: s.sealer.Signer.Keys()})
	require.ErrorContains(t, err, "leaves events out")

	// Of a team, by its own admin.
	_, body = send(t, http.MethodGet, base+"/export/audit?scope="+a.team.ID, "", a.teamAdmin)
	for _, line := range strings.Split(strings.TrimSpace(body), "\n")[1:] {
		if strings.HasPrefix(line, `{"seq"`) {
			require.Contains(t, line, `"scopePath":"`+a.team.Path)
		}
	}
	require.Contains(t, body, `"action":"role.bind"`, "something happened there")
}

func rawChanges(t *testing.T, e *ent.AuditEvent) map[string]json.RawMessage {
	t.Helper()
	var out map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(e.Changes, &out))
	return out
}

func TestExportIsRefused(t *testing.T) {
	t.Parallel()
	s, base := start(t)
	a, b := newTenant(t, s, base, "acme"), newTenant(t, s, base, "beta")
	super := session(t, base)
	staff := "Cookie: " + super.Name + "=" + super.Value
	s.sealed(t)
	whole := "?scope=" + a.account.ID
	for name, c := range map[string]struct {
		method, query string
		status        int
		headers       []string
	}{
		"signed out":               {"GET", whole, 401, nil},
		"an ended session":         {"GET", whole, 401, []string{"Cookie: " + cookieName + "=x"}},
		"another account":          {"GET", whole, 404, []string{b.admin}},
		"staff":                    {"GET", whole, 404, []string{staff}},
		"a team's admin":           {"GET", whole, 404, []string{a.teamAdmin}},
		"another account's team":   {"GET", "?scope=" + b.team.ID, 404, []string{a.admin}},
		"no such scope":            {"GET", "?scope=team_x", 404, []string{a.admin}},
		"no scope":                 {"GET", "", 404, []string{a.admin}},
		"a page of another origin": {"GET", whole, 403, []string{a.admin, "Sec-Fetch-Site: cross-site"}},
		"HEAD":                     {"HEAD", whole, 405, []string{a.admin}},
		"POST":                     {"POST", whole, 405, []string{a.admin, "X-Cockpit-CSRF: 1"}},
		"unknown parameter":        {"GET", whole + "&actor=x", 400, []string{a.admin}},
		"a parameter twice":        {"GET", whole + "&action=x&action=y", 400, []string{a.admin}},
		"format":                   {"GET", whole + "&format=xlsx", 400, []string{a.admin}},
		"outcome":                  {"GET", whole + "&outcome=done", 400, []string{a.admin}},
		"time":                     {"GET", whole + "&from=yesterday", 400, []string{a.admin}},
		"empty range":              {"GET", whole + "&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 400, []string{a.admin}},
		"both credentials":         {"GET", whole, 400, []string{a.admin, "Authorization: Bearer x"}},
	} {
		res, body := send(t, c.method, base+"/export/audit"+c.query, "", c.headers...)
		require.Equal(t, c.status, res.StatusCode, "%s: %s", name, body)
	}
	// A program that isn't let into the log, and one that is.
	v, err := s.sessions.Viewer(t.Context(), strings.TrimPrefix(a.admin, "Cookie: "+cookieName+"="))
	require.NoError(t, err)
	program := *v
	program.Narrowed, program.Permissions = true, []string{"profile", "read"}
	_, err = s.prepareExport(tenancy.WithViewer(t.Context(), &program), &program, url.Values{"scope": {a.account.ID}})
	require.True(t, fault.Is(err, fault.Forbidden), err)
	for _, e := range s.events(t, "audit.export") {
		require.Fail(t, "something was exported", "%+v", e)
	}
	res, _ := send(t, http.MethodGet, base+"/export/audit?scope="+id.PlatformID, "", staff)
	require.Equal(t, http.StatusOK, res.StatusCode, "the platform's own log")
	program.Permissions = []string{"audit.read", "profile", "read"}
	_, err = s.prepareExport(tenancy.WithViewer(t.Context(), &program), &program, url.Values{"scope": {a.account.ID}})
	require.NoError(t, err)
	for range maxExports {
		s.exports <- struct{}{}
	}
	res, _ = send(t, http.MethodGet, base+"/export/audit"+whole, "", a.admin)
	require.Equal(t, http.StatusTooManyRequests, res.StatusCode)
}

// Without its event in the log nothing leaves.
func TestExportThatCantBeAuditedDoesntHappen(t *testing.T) {
	t.Parallel()
	s, base := start(t)
	a := newTenant(t, s, base, "acme")
	s.sealed(t)
	_, err := s.store.System().ExecContext(t.Context(), "CREATE TRIGGER broken BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'broken'); END")
	require.NoError(t, err)
	res, body := send(t, http.MethodGet, base+"/export/audit?scope="+a.account.ID, "", a.admin)
	require.Equal(t, http.StatusInternalServerError, res.StatusCode)
	require.NotContains(t, body, "upTo")
}

// An export under way ends when its reader may read no longer.
func TestExportEndsWithTheSession(t *testing.T) {
	t.Parallel()
	s, base := start(t)
	a := newTenant(t, s, base, "acme")
	ctx := tenancy.System(t.Context(), "test")
	require.NoError(t, s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		for i := range 3000 {
			if err := tx.Audit(ctx, audit.Event{Action: "test.write", AccountID: a.account.ID, Plane: tenancy.PlaneAccount, ScopePath: a.account.Path, TargetName: fmt.Sprint(i)}); err != nil {
				return err
			}
		}
		return nil
	}))
	s.sealed(t)
	v, err := s.sessions.Viewer(ctx, strings.TrimPrefix(a.admin, "Cookie: "+cookieName+"="))
	require.NoError(t, err)
	x, err := s.prepareExport(tenancy.WithViewer(t.Context(), v), v, url.Values{"scope": {a.account.ID}})
	require.NoError(t, err)
	w := &ending{sessions: s.sessions, viewer: v, t: t}
	err = x.Write(tenancy.WithViewer(t.Context(), v), w)
	require.ErrorIs(t, err, identity.ErrNoSession)
	require.Equal(t, 1, w.pages)
}

// ending signs its reader out after the first page.
type ending struct {
	sessions *identity.Sessions
	viewer   *tenancy.Viewer
	pages    int
	t        *testing.T
}

func (e *ending) Write(b []byte) (int, error) {
	e.pages++
	require.NoError(e.t, e.sessions.SignOut(e.t.Context(), e.viewer))
	require.Eventually(e.t, func() bool { return e.sessions.Present(tenancy.WithViewer(e.t.Context(), e.viewer)) == nil }, 10*time.Second, 10*time.Millisecond)
	return len(b), nil
}
