package server

import (
	"archive/zip"
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// newCustomer makes an account with an admin who signs in with the tests' password.
func newCustomer(t *testing.T, s *Server, slug string) (accountID string) {
	t.Helper()
	ctx := tenancy.System(t.Context(), "test")
	hash, err := identity.HashPassword(ctx, password)
	require.NoError(t, err)
	require.NoError(t, s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err := identity.CreateAccount(ctx, tx, identity.AccountInput{Name: strings.ToUpper(slug), Slug: slug, Console: true, Copilot: true})
		if err != nil {
			return err
		}
		accountID = a.ID
		for _, name := range []string{"admin", "member"} {
			u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.ID, Email: name + "@" + slug + ".example", Name: name, PasswordHash: hash})
			if err != nil {
				return err
			}
			if name == "admin" {
				if err := identity.BindRole(ctx, tx, u, tx.Scope.GetX(ctx, a.ID), tenancy.Admin); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	return accountID
}

// cookieOf signs in and returns the Cookie header.
func cookieOf(t *testing.T, url, email, password string) string {
	t.Helper()
	res, body := send(t, http.MethodPost, url+"/graphql", operation(t, signIn, map[string]any{"e": email, "p": password}))
	require.Len(t, res.Cookies(), 1, body)
	return "Cookie: " + cookieName + "=" + res.Cookies()[0].Value
}

func TestExportIsForItsAdminsAndOnceClosedForSuperAdmins(t *testing.T) {
	t.Parallel()
	s, url := start(t)
	a, b := newCustomer(t, s, "acme"), newCustomer(t, s, "beta")
	sys := tenancy.System(t.Context(), "test")
	admin, member, super := cookieOf(t, url, "admin@acme.example", password), cookieOf(t, url, "member@acme.example", password), cookieOf(t, url, somebody, password)
	path := url + "/export/accounts/"
	get := func(of string, headers ...string) (*http.Response, string) {
		return send(t, http.MethodGet, path+of, "", headers...)
	}
	for name, c := range map[string]struct {
		of      string
		headers []string
		status  int
	}{
		"signed out":                     {a, nil, 401},
		"another account's":              {b, []string{admin}, 404},
		"none":                           {id.New(id.Account), []string{admin}, 404},
		"the platform's":                 {id.PlatformID, []string{super}, 404},
		"by a member":                    {a, []string{member}, 403},
		"by staff, of an active account": {a, []string{super}, 403},
		"from another site":              {a, []string{admin, "Sec-Fetch-Site: cross-site"}, 403},
		"with a bearer":                  {a, []string{"Authorization: Bearer ck_console_x"}, 401},
		"with two credentials":           {a, []string{admin, "Authorization: Bearer ck_console_x"}, 400},
	} {
		res, body := get(c.of, c.headers...)
		require.Equal(t, c.status, res.StatusCode, "%s: %s", name, body)
	}
	require.Zero(t, s.store.AuditEvent.Query().Where(auditevent.Action("account.export"), auditevent.OutcomeEQ(auditevent.OutcomeDONE)).CountX(sys))

	check := func(body string) {
		t.Helper()
		z, err := zip.NewReader(bytes.NewReader([]byte(body)), int64(len(body)))
		require.NoError(t, err)
		require.Greater(t, len(z.File), 30)
	}
	res, body := get(a, admin)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "application/zip", res.Header.Get("Content-Type"))
	require.Regexp(t, `^attachment; filename="cockpit-acme-\d{4}-\d\d-\d\d\.zip"$`, res.Header.Get("Content-Disposition"))
	check(body)
	require.Equal(t, 1, s.store.AuditEvent.Query().Where(auditevent.Action("account.export"), auditevent.OutcomeEQ(auditevent.OutcomeDONE), auditevent.AccountID(a)).CountX(sys))

	require.NoError(t, s.store.InTx(sys, func(ctx context.Context, tx *store.Tx) error {
		_, err := identity.Suspend(ctx, tx, a, "unpaid")
		return err
	}))
	res, _ = get(a, super)
	require.Equal(t, http.StatusForbidden, res.StatusCode, "suspended is not closed")
	require.Eventually(t, func() bool {
		_, err := s.sessions.Viewer(t.Context(), strings.TrimPrefix(admin, "Cookie: "+cookieName+"="))
		return fault.Is(err, fault.Unauthenticated)
	}, 10*time.Second, 20*time.Millisecond)
	res, _ = get(a, admin)
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	require.NoError(t, s.store.InTx(sys, func(ctx context.Context, tx *store.Tx) error {
		_, err := identity.Close(ctx, tx, s.store.Now(), a, "ACME", "over")
		return err
	}))
	res, body = get(a, super)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	check(body)
	require.Equal(t, 1, s.store.AuditEvent.Query().Where(auditevent.Action("account.export"), auditevent.OutcomeEQ(auditevent.OutcomeDONE), auditevent.AccountID(id.PlatformID), auditevent.TargetID(a)).CountX(sys))
	require.NoError(t, s.store.InTx(sys, func(ctx context.Context, tx *store.Tx) error {
		_, err := identity.Delete(ctx, tx, s.store.Now(), a, "ACME")
		return err
	}))
	res, _ = get(a, super)
	require.Equal(t, http.StatusNotFound, res.StatusCode)
	require.Eventually(t, func() bool { // by the server's own work
		return s.store.Account.Query().Where(account.ID(a), account.DeletedAtNotNil()).ExistX(sys)
	}, 30*time.Second, 50*time.Millisecond)
	require.Zero(t, s.store.User.Query().Where(user.AccountID(a)).CountX(sys))
}

// The browser of whoever was in an account finds its way back by itself, and
// the request that found the access over runs for nobody.
func TestOverSupportAccessGivesTheCookieBack(t *testing.T) {
	t.Parallel()
	s, url := start(t)
	a := newCustomer(t, s, "acme")
	ask := func(cookie, query string) (*http.Response, string) {
		return send(t, http.MethodPost, url+"/graphql", operation(t, query, nil), cookie, "X-Cockpit-Csrf: 1")
	}
	const who = `{ viewer { name account { slug } support { id } } }`
	super := cookieOf(t, url, somebody, password)
	res, body := ask(super, `mutation { supportAccessStart(input: {accountId: "`+a+`", reason: "Ticket 4711", minutes: 30, writes: true}) { supportAccess { id } errors { message } } }`)
	require.Len(t, res.Cookies(), 1, body)
	inside := "Cookie: " + cookieName + "=" + res.Cookies()[0].Value
	_, body = ask(inside, who)
	require.Contains(t, body, `"slug":"acme"`)
	sys := tenancy.System(t.Context(), "test")
	row := s.store.SupportAccess.Query().OnlyX(sys)
	_, body = ask(cookieOf(t, url, "admin@acme.example", password), `mutation { supportAccessEnd(input: {supportAccessId: "`+row.ID+`"}) { errors { message } } }`)
	require.NotContains(t, body, "message")

	rename := `mutation { accountUpdate(input: {name: "Renamed by mistake"}) { errors { message } } }`
	require.Eventually(t, func() bool {
		res, body = ask(inside, rename)
		return len(res.Cookies()) == 1
	}, 10*time.Second, 20*time.Millisecond)
	require.Contains(t, body, "UNAUTHENTICATED")
	back := "Cookie: " + cookieName + "=" + res.Cookies()[0].Value
	_, body = ask(back, who)
	require.Contains(t, body, `"slug":"platform"`)
	require.Contains(t, body, `"support":null`)
	require.Equal(t, "Platform", s.store.Account.GetX(sys, id.PlatformID).Name, "a change meant for the account doesn't hit the platform")
}

func TestBreakGlassIsSetUpAsAWhole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "glass")
	require.NoError(t, os.WriteFile(file, []byte("only-in-an-emergency-7f3a\n"), 0o600))
	base := []string{"--master-key", testKey, "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--log-level", "error"}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--break-glass-email", "ops@operator.example"}, "an e-mail address and a password"},
		{[]string{"--break-glass-password", "only-in-an-emergency-7f3a"}, "an e-mail address and a password"},
		{[]string{"--break-glass-email", "ops@operator.example", "--break-glass-password", "short"}, "at least 20 characters"},
		{[]string{"--break-glass-email", "ops", "--break-glass-password-file", file}, "give an e-mail address"},
		{[]string{"--break-glass-email", "ops@operator.example", "--break-glass-password", "x", "--break-glass-password-file", file}, "not by both"},
		{[]string{"--break-glass-email", "ops@operator.example", "--break-glass-password-file", file + "x"}, "no such file"},
	} {
		c2, err := parse(append(base, c.args...)...)
		if err == nil {
			_, err = New(t.Context(), c2)
		}
		require.ErrorContains(t, err, c.says, "%v", c.args)
	}
	t.Setenv("COCKPIT_BREAK_GLASS_EMAIL", "ops@operator.example")
	t.Setenv("COCKPIT_BREAK_GLASS_PASSWORD_FILE", file)
	cfg, err := parse(base...)
	require.NoError(t, err)
	s, err := New(t.Context(), cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.close(context.Background())) }()
	signed, err := s.sessions.SignIn(t.Context(), "ops@operator.example", "only-in-an-emergency-7f3a", "", identity.Client{IP: "203.0.113.7"})
	require.NoError(t, err, "nobody else is there")
	require.True(t, signed.Viewer.Platform)
}
