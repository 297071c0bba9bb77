package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	masterKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	address   = "https://app.example/callback"
)

// office is an authorization server over a planted tree, with a clock that
// stands still unless it is moved.
type office struct {
	*Server
	*identitytest.Trees
	web  http.Handler
	skew *atomic.Int64
	// ip is where requests come from.
	ip atomic.Value
}

func (o *office) pass(d time.Duration) { o.skew.Add(int64(d)) }

func each(t *testing.T, test func(t *testing.T, o *office)) {
	t.Helper()
	open := func(t *testing.T, options store.Options) *office {
		t.Helper()
		skew, start := &atomic.Int64{}, time.Now()
		options.Now = func() time.Time { return start.Add(time.Duration(skew.Load())) }
		st, err := store.Open(options)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, st.Close()) })
		_, err = st.Migrate(t.Context())
		require.NoError(t, err)
		w := identitytest.Tree(t, st)
		log := slog.New(slog.DiscardHandler)
		refusals := audit.NewRefusals(func(context.Context, audit.Event) error { return nil }, st.Now, log)
		t.Cleanup(refusals.Close)
		s, err := New(Options{Store: st, Epochs: w.Epochs, Refusals: refusals, Issuer: "https://cockpit.test", MasterKey: masterKey,
			Client: &http.Client{Transport: http.DefaultTransport}, IP: func(r *http.Request) string { return r.RemoteAddr }, Log: log})
		require.NoError(t, err)
		mux := http.NewServeMux()
		s.Routes(mux.Handle)
		o := &office{Server: s, Trees: w, web: mux, skew: skew}
		o.ip.Store("192.0.2.1")
		return o
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, store.Options{Dir: t.TempDir()}))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, store.Options{URL: storetest.PostgresURL(t)}))
	})
}

// post sends a form to /oauth/token.
func (o *office) post(t *testing.T, pairs ...string) (int, map[string]any) {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	rec := o.send(t, TokenPath, form, "", "")
	var out map[string]any
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &out), rec.Body.String())
	return rec.Code, out
}

// send sends a form, by HTTP Basic where a user is given.
func (o *office) send(t *testing.T, path string, form url.Values, user, password string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = o.ip.Load().(string)
	if user != "" {
		r.SetBasicAuth(url.QueryEscape(user), url.QueryEscape(password))
	}
	rec := httptest.NewRecorder()
	o.web.ServeHTTP(rec, r)
	return rec
}

// viewer retries while the machine is too busy to follow epochs.
func (o *office) viewer(t *testing.T, token string) (v *tenancy.Viewer, err error) {
	t.Helper()
	for range 1000 {
		if v, err = o.Bearers().Viewer(t.Context(), token); !fault.Is(err, fault.Unavailable) {
			return v, err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return v, err
}

// program makes a public one of an account with both planes.
func (o *office) program(t *testing.T, accountID string) *ent.ServiceClient {
	t.Helper()
	name := "app"
	c, _, err := o.CreateClient(t.Context(), accountID, true, ClientInput{Name: &name, Planes: []tenancy.Plane{tenancy.Console, tenancy.Copilot},
		Permissions: []string{"read", "profile", "models.call"}, RedirectURIs: []string{address}})
	require.NoError(t, err)
	return c
}

func (o *office) code(t *testing.T, v *tenancy.Viewer, c *ent.ServiceClient) string {
	t.Helper()
	sum := sha256.Sum256([]byte(verifier))
	back, err := o.Approve(tenancy.WithViewer(t.Context(), v), v, AuthorizationRequest{ClientID: c.ID, RedirectURI: address, ResponseType: "code",
		Challenge: base64.RawURLEncoding.EncodeToString(sum[:]), ChallengeMethod: "S256"})
	require.NoError(t, err)
	u, err := url.Parse(back)
	require.NoError(t, err)
	return u.Query().Get("code")
}

func (o *office) redeem(t *testing.T, c *ent.ServiceClient, code string) (int, map[string]any) {
	t.Helper()
	return o.post(t, "client_id", c.ID, "grant_type", "authorization_code", "code", code, "code_verifier", verifier, "redirect_uri", address)
}

func (o *office) renewed(t *testing.T, c *ent.ServiceClient, token any) (int, map[string]any) {
	t.Helper()
	return o.post(t, "client_id", c.ID, "grant_type", "refresh_token", "refresh_token", token.(string))
}

func TestTokensEndWhenTheyShould(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *office) {
		seat := o.A.Console.Seat
		c := o.program(t, seat.AccountID)
		late, code := o.code(t, seat, c), ""
		o.pass(codeLifetime)
		status, _ := o.redeem(t, c, late)
		require.Equal(t, http.StatusBadRequest, status, "a code of a minute ago")
		code = o.code(t, seat, c)
		o.pass(codeLifetime - time.Second)
		status, got := o.redeem(t, c, code)
		require.Equal(t, http.StatusOK, status, got)

		access := got["access_token"].(string)
		v, err := o.viewer(t, access)
		require.NoError(t, err)
		require.Equal(t, []any{seat.UserID, c.ID, true}, []any{v.UserID, v.ClientID, v.Narrowed})
		o.pass(AccessLifetime - 2*time.Second)
		_, err = o.viewer(t, access)
		require.NoError(t, err)
		o.pass(2 * time.Second)
		_, err = o.viewer(t, access)
		require.ErrorIs(t, err, ErrBearer, "it ends the instant it expires, though it is in memory")

		o.pass(RefreshLifetime - AccessLifetime - time.Second)
		status, got = o.renewed(t, c, got["refresh_token"])
		require.Equal(t, http.StatusOK, status, got)
		o.pass(RefreshLifetime - time.Second)
		status, got = o.renewed(t, c, got["refresh_token"])
		require.Equal(t, http.StatusOK, status, "it slides: %v", got)
		o.pass(RefreshLifetime)
		status, _ = o.renewed(t, c, got["refresh_token"])
		require.Equal(t, http.StatusBadRequest, status)

		admin := o.A.Admin
		row, token, err := o.CreatePersonal(tenancy.WithViewer(t.Context(), admin), admin, "script", []string{"read"}, 1, []string{"profile", "read"})
		require.NoError(t, err)
		_, err = o.viewer(t, token)
		require.NoError(t, err)
		o.pass(row.ExpiresAt.Sub(o.Server.Store.Now()))
		_, err = o.viewer(t, token)
		require.ErrorIs(t, err, ErrBearer)
	})
}

func TestRotatedSecretsOverlapForAWhile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *office) {
		yes, name := true, "rotated"
		c, first, err := o.CreateClient(t.Context(), o.A.Row.ID, false, ClientInput{Name: &name, Planes: []tenancy.Plane{tenancy.Console},
			Permissions: []string{"read"}, ClientCredentials: &yes})
		require.NoError(t, err)
		works := func(given string) bool {
			status, _ := o.post(t, "client_id", c.ID, "client_secret", given, "grant_type", "client_credentials")
			return status == http.StatusOK
		}
		_, second, err := o.RotateSecret(t.Context(), c.ID, time.Hour)
		require.NoError(t, err)
		require.True(t, works(first) && works(second))
		o.pass(time.Hour)
		require.False(t, works(first))
		require.True(t, works(second))
		require.False(t, works(secret.Hash(second)), "what is stored is no secret")
	})
}

// Of many who use one code or one refresh token at once, one gets tokens, and
// the consent ends: somebody has stolen it.
func TestOneUseWinsAndTheRestEndTheConsent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *office) {
		seat := o.A.Console.Seat
		c := o.program(t, seat.AccountID)
		race := func(use func() (int, map[string]any)) {
			var won, lost atomic.Int64
			var winner atomic.Value
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					status, got := use()
					if status == http.StatusOK {
						won.Add(1)
						winner.Store(got)
					} else {
						lost.Add(1)
					}
				})
			}
			wg.Wait()
			require.Equal(t, []int64{1, 7}, []int64{won.Load(), lost.Load()})
			got := winner.Load().(map[string]any)
			status, _ := o.renewed(t, c, got["refresh_token"])
			require.Equal(t, http.StatusBadRequest, status)
			require.Eventually(t, func() bool {
				_, err := o.viewer(t, got["access_token"].(string))
				return fault.Is(err, fault.Unauthenticated)
			}, 10*time.Second, 20*time.Millisecond)
		}
		code := o.code(t, seat, c)
		race(func() (int, map[string]any) { return o.redeem(t, c, code) })
		_, got := o.redeem(t, c, o.code(t, seat, c))
		race(func() (int, map[string]any) { return o.renewed(t, c, got["refresh_token"]) })
	})
}

func TestRefreshTokensCantBeMadeUp(t *testing.T) {
	t.Parallel()
	s, err := newSigner("https://cockpit.test", masterKey)
	require.NoError(t, err)
	const consent = "aut_01JD0000000000000000000000"
	good := s.refreshToken(consent)
	got, ok := s.refreshOf(good)
	require.True(t, ok)
	require.Equal(t, consent, got)
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(good)
		b[rapid.IntRange(0, len(b)-2).Draw(t, "at")] ^= byte(rapid.IntRange(1, 127).Draw(t, "by"))
		if _, ok := s.refreshOf(string(b)); ok {
			t.Fatalf("%s is taken for %s", b, good)
		}
	})
	other, err := newSigner("https://cockpit.test", base64.StdEncoding.EncodeToString(make([]byte, 32)))
	require.NoError(t, err)
	_, ok = other.refreshOf(good)
	require.False(t, ok, "under another master key")
	_, ok = s.refreshOf(strings.Repeat("x", maxToken+1))
	require.False(t, ok)
}

// Whatever roles and planes: a program's viewer reaches nothing that the person
// doesn't, and nothing outside its planes.
func TestNarrowingOnlyTakes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *office) {
		ctx := tenancy.System(t.Context(), "test")
		for _, v := range []*tenancy.Viewer{o.A.Admin, o.A.Nobody, o.A.Console.Admin, o.A.Console.OrgAdmin, o.A.Console.TeamAdmin, o.A.Console.Seat,
			o.A.Copilot.Admin, o.A.Copilot.Seat, o.SuperAdmin} {
			for _, planes := range [][2]bool{{true, false}, {false, true}, {true, true}} {
				c := &ent.ServiceClient{Console: planes[0], Copilot: planes[1]}
				narrow := *v
				require.NoError(t, within(ctx, o.Server.Store, &narrow, c))
				require.False(t, narrow.Platform)
				for _, r := range narrow.Roles {
					require.True(t, v.Reaches(r.Path) || r.Path == "/", "%s gains %v", v.Name, r)
					require.NotEqual(t, tenancy.KindPlatform, r.Kind)
					if !(c.Console && c.Copilot) {
						require.True(t, mayActIn(c, r.Plane), "%s acts in %s", v.Name, r.Plane)
					}
					var held bool
					for _, own := range v.Roles {
						held = held || own.Role == r.Role && strings.HasPrefix(r.Path, own.Path)
					}
					require.True(t, held, "%s becomes %s at %s", v.Name, r.Role, r.Path)
				}
			}
		}
	})
}

func TestNobodyIsLetInWhileRevocationsCantBeLearnedOf(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	w := identitytest.Tree(t, st)
	ctx, stop := context.WithCancel(t.Context())
	epochs, err := st.WatchEpochs(ctx)
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	s, err := New(Options{Store: st, Epochs: epochs, Issuer: "https://cockpit.test", MasterKey: masterKey, Client: http.DefaultClient, Log: log})
	require.NoError(t, err)
	_, token, err := s.CreatePersonal(tenancy.WithViewer(t.Context(), w.A.Admin), w.A.Admin, "script", []string{"read"}, 1, []string{"profile", "read"})
	require.NoError(t, err)
	require.Eventually(t, func() bool { _, err := s.Bearers().Viewer(t.Context(), token); return err == nil }, 10*time.Second, 10*time.Millisecond)
	stop()
	require.Eventually(t, func() bool {
		_, err := s.Bearers().Viewer(t.Context(), token)
		return err == identity.ErrStale //nolint:errorlint // it is that one
	}, 10*time.Second, 20*time.Millisecond)
}

func TestSeatsPay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *office) {
		p := o.A.Console
		_, token, err := o.CreatePersonal(tenancy.WithViewer(t.Context(), p.Seat), p.Seat, "script", []string{"models.call"}, 1, []string{"profile", "models.call"})
		require.NoError(t, err)
		principal := func(team string) (got *identity.Principal, err error) {
			require.Eventually(t, func() bool {
				got, err = o.Bearers().Principal(t.Context(), token, team)
				return !fault.Is(err, fault.Unavailable)
			}, 10*time.Second, 10*time.Millisecond)
			return got, err
		}
		got, err := principal("")
		require.NoError(t, err)
		require.Equal(t, []string{p.Member.ID, p.Team.ID, p.Org.ID, p.Member.Path, p.Seat.UserID, "CONSOLE"},
			[]string{got.MemberID, got.TeamID, got.OrganizationID, got.Path, got.UserID, string(got.Plane)})
		named, err := principal(p.Team.ID)
		require.NoError(t, err)
		require.Equal(t, got.Path, named.Path)
		for _, team := range []string{p.SiblingTeam.ID, o.B.Console.Team.ID, p.Org.ID, "x"} {
			_, err = principal(team)
			require.True(t, fault.Is(err, fault.Forbidden), team)
		}
		_, token, err = o.CreatePersonal(tenancy.WithViewer(t.Context(), o.A.Nobody), o.A.Nobody, "script", []string{"models.call"}, 1, []string{"profile", "models.call"})
		require.NoError(t, err)
		_, err = principal("")
		require.True(t, fault.Is(err, fault.Forbidden), "nobody pays")
	})
}

func TestUsesAreKeptToTheMinuteAndRaiseNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *office) {
		ctx := tenancy.System(t.Context(), "test")
		admin := o.A.Admin
		row, token, err := o.CreatePersonal(tenancy.WithViewer(t.Context(), admin), admin, "script", []string{"read"}, 1, []string{"profile", "read"})
		require.NoError(t, err)
		_, err = o.viewer(t, token)
		require.NoError(t, err)
		before, err := o.Server.Store.Account.Get(ctx, admin.AccountID)
		require.NoError(t, err)
		o.Bearers().uses.flush(ctx)
		row, err = o.Server.Store.PersonalToken.Get(ctx, row.ID)
		require.NoError(t, err)
		require.Equal(t, o.Server.Store.Now().Truncate(time.Minute), row.LastUsedAt.UTC())
		first := *row.LastUsedAt
		_, err = o.viewer(t, token)
		require.NoError(t, err)
		require.Empty(t, o.Bearers().uses.pending, "once a minute")
		o.pass(time.Minute)
		_, err = o.viewer(t, token)
		require.NoError(t, err)
		o.Bearers().uses.flush(ctx)
		row, err = o.Server.Store.PersonalToken.Get(ctx, row.ID)
		require.NoError(t, err)
		require.True(t, row.LastUsedAt.After(first))
		after, err := o.Server.Store.Account.Get(ctx, admin.AccountID)
		require.NoError(t, err)
		require.Equal(t, before.Epoch, after.Epoch)
	})
}
