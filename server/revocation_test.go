package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/login"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/demo"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// load is a member of an account at work on several replicas: streams, calls,
// queries and subscriptions, each begun again when it ends.
type load struct {
	t      *testing.T
	ctx    context.Context
	key    string
	model  string
	cookie string
	scope  string // whose budget is watched

	mu   sync.Mutex
	last map[string]time.Time // newest thing served, by kind and replica
	n    map[string]int
	// stalled is the longest that this process itself was kept waiting.
	stalled time.Duration
}

func (l *load) served(kind string, replica int) {
	name := fmt.Sprintf("%s on replica %d", kind, replica)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last[name] = time.Now()
	l.n[name]++
}

// run works until the context ends; of each kind there are several at once.
func (l *load) run(servers []*cockpit) {
	var wg sync.WaitGroup
	again := func(f func()) {
		wg.Go(func() {
			for l.ctx.Err() == nil {
				f()
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	for i, s := range servers {
		web := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
		for range 4 {
			again(func() { l.stream(web, s, i) })
		}
		for range 2 {
			again(func() { l.call(web, s, i) })
			again(func() { l.query(web, s, i) })
			again(func() { l.subscribe(s, i) })
		}
	}
	wg.Go(func() {
		for at := time.Now(); l.ctx.Err() == nil; at = time.Now() {
			time.Sleep(10 * time.Millisecond)
			l.mu.Lock()
			l.stalled = max(l.stalled, time.Since(at)-10*time.Millisecond)
			l.mu.Unlock()
		}
	})
	wg.Wait()
}

func (l *load) post(web *http.Client, url, body string, header ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(l.ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return web.Do(req)
}

func (l *load) stream(web *http.Client, s *cockpit, i int) {
	res, err := l.post(web, s.env[demo.URL]+"/v1/chat/completions", chat(l.model, `,"stream":true,"max_tokens":500,"x_demo":{"tokens":500,"chunk_delay_ms":15}`), "Authorization", "Bearer "+l.key)
	if err != nil {
		return
	}
	defer func() { _ = res.Body.Close() }()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), `"content":`) {
			l.served("stream", i)
		}
	}
}

func (l *load) call(web *http.Client, s *cockpit, i int) {
	res, err := l.post(web, s.env[demo.URL]+"/v1/chat/completions", chat(l.model, `,"max_tokens":20`), "Authorization", "Bearer "+l.key)
	if err != nil {
		return
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.ReadAll(res.Body); err == nil && res.StatusCode == http.StatusOK {
		l.served("call", i)
	}
}

func (l *load) query(web *http.Client, s *cockpit, i int) {
	res, err := l.post(web, s.env[demo.URL]+"/graphql", `{"query":"{ viewer { name } console { id name } }"}`, "Cookie", "cockpit_session="+l.cookie, "X-Cockpit-Csrf", "1")
	if err != nil {
		return
	}
	defer func() { _ = res.Body.Close() }()
	var got struct {
		Data struct{ Console *struct{ ID string } }
	}
	if json.NewDecoder(res.Body).Decode(&got) == nil && got.Data.Console != nil {
		l.served("query", i)
	}
}

func (l *load) subscribe(s *cockpit, i int) {
	c, res, err := (&websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}).DialContext(l.ctx, strings.Replace(s.env[demo.URL], "http", "ws", 1)+"/graphql",
		http.Header{"Cookie": {"cockpit_session=" + l.cookie}})
	if err != nil {
		return
	}
	_ = res.Body.Close()
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(l.ctx, func() { _ = c.Close() })()
	_ = c.WriteJSON(map[string]any{"type": "connection_init"})
	_ = c.WriteJSON(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{
		"query": `subscription($s: ID!) { budgetBurn(scopeId: $s, descendants: true) { at states { spent held } } }`, "variables": map[string]any{"s": l.scope}}})
	for {
		var m struct {
			Type    string
			Payload struct {
				Data *struct{ BudgetBurn *struct{ At string } }
			}
		}
		_, raw, err := c.ReadMessage()
		if err != nil {
			return
		}
		if json.Unmarshal(raw, &m) == nil && m.Type == "next" && m.Payload.Data != nil && m.Payload.Data.BudgetBurn != nil {
			l.served("subscription", i)
			// A query on the open socket is served for whom it is open now.
			_ = c.WriteJSON(map[string]any{"id": "q" + fmt.Sprint(time.Now().UnixNano()), "type": "subscribe", "payload": map[string]any{"query": `{ console { id } }`}})
		}
		if bytes.Contains(raw, []byte(`"console":{"id"`)) {
			l.served("query on a socket", i)
		}
		if m.Type == "error" {
			return
		}
	}
}

// Whatever is taken away from somebody at work, one second after the commit
// nothing of it is served by any replica, whether it began before or after.
func TestRevocationUnderLoad(t *testing.T) {
	t.Parallel()
	dsn := storetest.PostgresURL(t)
	env := []string{"DATABASE_URL=" + dsn}
	data := t.TempDir()
	servers := []*cockpit{serve(t, data, env, "--log-level", "error"), serve(t, data, env, "--log-level", "error")}
	ctx, st := servers[0].books(t, dsn)
	email := servers[0].env[demo.MemberEmail]
	u := st.User.Query().Where(user.HasLoginWith(login.Email(email))).FirstX(ctx)
	m := st.Member.Query().Where(member.UserID(u.ID), member.PlaneEQ(member.PlaneCONSOLE)).FirstX(ctx)
	seat := st.Scope.GetX(ctx, m.ID)
	models := st.Model.Query().Where(model.AccountID(u.AccountID), model.PlaneEQ(model.PlaneCONSOLE)).IDsX(ctx)
	write := func(f func(ctx context.Context, tx *store.Tx) error) {
		require.NoError(t, st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error { tx.Unaudited(); return f(ctx, tx) }))
	}
	write(func(ctx context.Context, tx *store.Tx) error { // something to watch, and in nobody's way
		engine := budget.New(st, budget.Options{})
		for _, b := range tx.Budget.Query().Where(entbudget.AccountID(u.AccountID), entbudget.PlaneEQ(entbudget.PlaneCONSOLE)).AllX(ctx) {
			if _, err := engine.Set(ctx, tx, b.ScopeID, budget.Spec{Limit: 100_000 * money.One}); err != nil {
				return err
			}
		}
		_, err := engine.Set(ctx, tx, seat.ID, budget.Spec{Limit: 100_000 * money.One})
		return err
	})

	all := []string{"stream", "call", "query", "subscription", "query on a socket"}
	people, keys := all[2:], all[:2]
	for _, c := range []struct {
		what string
		// gone is what must end, on what must go on; the rest has nothing to tell.
		gone, on []string
		commit   func(l *load, keyID string)
		undo     func()
	}{
		{"the session ended", people, keys, func(l *load, _ string) {
			jar, err := cookiejar.New(nil)
			require.NoError(t, err)
			at, err := url.Parse(servers[1].env[demo.URL])
			require.NoError(t, err)
			jar.SetCookies(at, []*http.Cookie{{Name: "cockpit_session", Value: l.cookie}})
			(&person{url: at.String(), http: http.Client{Jar: jar}}).do(t, `mutation { sessionEnd { errors { message } } }`, nil)
		}, nil},
		{"the key revoked", keys, []string{"query"}, func(_ *load, keyID string) {
			write(func(ctx context.Context, tx *store.Tx) error {
				return tx.Key.UpdateOneID(keyID).SetRevokedAt(st.Now()).Exec(ctx)
			})
		}, nil},
		{"the plane switched off", all, nil, func(*load, string) {
			write(func(ctx context.Context, tx *store.Tx) error {
				_, err := identity.SetPlanes(ctx, tx, u.AccountID, []tenancy.Plane{tenancy.Copilot})
				return err
			})
		}, func() {
			write(func(ctx context.Context, tx *store.Tx) error {
				_, err := identity.SetPlanes(ctx, tx, u.AccountID, []tenancy.Plane{tenancy.Console, tenancy.Copilot})
				return err
			})
		}},
		{"the person deactivated", all, nil, func(*load, string) {
			write(func(ctx context.Context, tx *store.Tx) error {
				return tx.User.UpdateOneID(u.ID).SetStatus(user.StatusDEACTIVATED).Exec(ctx)
			})
		}, func() {
			write(func(ctx context.Context, tx *store.Tx) error {
				return tx.User.UpdateOneID(u.ID).SetStatus(user.StatusACTIVE).Exec(ctx)
			})
		}},
		{"the account suspended", all, nil, func(*load, string) {
			write(func(ctx context.Context, tx *store.Tx) error {
				_, err := identity.Suspend(ctx, tx, u.AccountID, "unpaid")
				return err
			})
		}, nil},
	} {
		var k *ent.Key
		l := &load{t: t, scope: seat.ID, model: servers[0].env[demo.ConsoleModel], last: map[string]time.Time{}, n: map[string]int{}}
		write(func(ctx context.Context, tx *store.Tx) (err error) {
			k, _, l.key, err = identity.CreateKey(ctx, tx, st.Now(), identity.KeyInput{Name: c.what, Owner: seat, ModelIDs: models})
			return err
		})
		require.Eventually(t, func() bool {
			p := servers[0].signIn(t, email)
			at, _ := url.Parse(p.url)
			for _, cookie := range p.http.Jar.Cookies(at) {
				l.cookie = cookie.Value
			}
			return l.cookie != ""
		}, 20*time.Second, 100*time.Millisecond)
		var stop context.CancelFunc
		l.ctx, stop = context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { l.run(servers); close(over) }()
		require.Eventually(t, func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.stalled = 0 // what counts comes now
			for i := range servers {
				for _, kind := range all {
					if l.n[fmt.Sprintf("%s on replica %d", kind, i)] < 3 {
						return false
					}
				}
			}
			return true
		}, 60*time.Second, 20*time.Millisecond, "everything is at work")
		c.commit(l, k.ID)
		committed := time.Now()
		time.Sleep(4 * time.Second) // what should be gone has time to show that it isn't
		stop()
		<-over
		var report []string
		for name, at := range l.last {
			kind, _, _ := strings.Cut(name, " on replica")
			age := at.Sub(committed)
			switch {
			case slices.Contains(c.gone, kind):
				report = append(report, fmt.Sprintf("%-32s last served %4d ms after the commit", name, age.Milliseconds()))
				// A second, and what this process itself was kept waiting: it can't
				// tell when what it reads was written.
				require.Less(t, age, time.Second+l.stalled, "%s: %s", c.what, name)
			case slices.Contains(c.on, kind):
				require.Greater(t, age, 2*time.Second, "%s: %s goes on", c.what, name)
			}
		}
		slices.Sort(report)
		t.Logf("%s (this process waited %d ms at most):\n%s", c.what, l.stalled.Milliseconds(), strings.Join(report, "\n"))
		if c.undo != nil {
			c.undo()
		}
	}
	require.Eventually(t, func() bool { return st.Hold.Query().CountX(ctx) == 0 }, 90*time.Second, 100*time.Millisecond, "every call is settled")
	servers[0].verify(t, env)
}
