package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	entgrant "github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/gateway"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
)

// set changes a grant and waits until the gateway has heard of it.
func (w *world) set(at *ent.Scope, model string, effect grant.Effect) *ent.Grant {
	w.t.Helper()
	var g *ent.Grant
	w.heard(func(ctx context.Context, tx *store.Tx) error {
		g = w.grant(ctx, tx, at, w.modelIDs[model], effect)
		return nil
	})
	return g
}

func (w *world) unset(g *ent.Grant) {
	w.t.Helper()
	w.heard(func(ctx context.Context, tx *store.Tx) error { return tx.Grant.DeleteOneID(g.ID).Exec(ctx) })
}

// heard makes a change and waits for the account's new epoch.
func (w *world) heard(f func(ctx context.Context, tx *store.Tx) error) {
	w.t.Helper()
	before := w.epochs.Of(w.root.AccountID)
	w.write(f)
	require.Eventually(w.t, func() bool { return w.epochs.Of(w.root.AccountID) > before }, 30*time.Second, 5*time.Millisecond)
}

// listed are the names that GET /v1/models gives a key.
func (w *world) listed(key string) []string {
	w.t.Helper()
	res := w.send(func() *http.Request {
		req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+"/v1/models", nil)
		require.NoError(w.t, err)
		req.Header.Set("Authorization", "Bearer "+key)
		return req
	})
	var list struct{ Data []struct{ ID string } }
	require.NoError(w.t, json.NewDecoder(res.Body).Decode(&list))
	out := []string{}
	for _, m := range list.Data {
		out = append(out, m.ID)
	}
	return out
}

const hello = `{"model":"demo-small","messages":[{"role":"user","content":"hi"}],"max_tokens":5}`

type refusalBody struct {
	Error struct{ Message, Code, Type, Rule, Model string }
}

// refusedCall makes a call that the grants must refuse.
func (w *world) refusedCall(key string) refusalBody {
	w.t.Helper()
	res := w.post(key, hello)
	body, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	require.Equal(w.t, http.StatusForbidden, res.StatusCode, string(body))
	var out refusalBody
	require.NoError(w.t, json.Unmarshal(body, &out))
	require.Equal(w.t, "model_not_granted", out.Error.Code)
	require.Equal(w.t, "permission_error", out.Error.Type)
	require.Equal(w.t, "demo-small", out.Error.Model)
	return out
}

func TestCallsNeedAGrant(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		var mu sync.Mutex
		var recorded []audit.Event
		refusals := audit.NewRefusals(func(_ context.Context, e audit.Event) error {
			mu.Lock()
			defer mu.Unlock()
			recorded = append(recorded, e)
			return nil
		}, st.Now, slog.New(slog.DiscardHandler))
		t.Cleanup(refusals.Close)
		w := newWorld(t, st, gateway.Options{Refusals: refusals})
		all := []string{"demo-large", "demo-small", "demo-thinking", "unpriced"}
		require.Equal(t, all, w.listed(w.consoleKey))
		w.chat(w.consoleKey, hello)

		// Denied to the team: the list and the call say the same.
		deny := w.set(w.team, "demo-small", grant.Deny)
		require.Equal(t, []string{"demo-large", "demo-thinking", "unpriced"}, w.listed(w.consoleKey))
		refused := w.refusedCall(w.consoleKey)
		require.Equal(t, "deny", refused.Error.Rule)
		require.Contains(t, refused.Error.Message, "denied at the team Everyone")
		require.Contains(t, refused.Error.Message, "Ask an admin of Console or of the account")
		// An ALLOW below lifts nothing.
		below := w.set(w.member, "demo-small", grant.Allow)
		require.Equal(t, "deny", w.refusedCall(w.consoleKey).Error.Rule)
		w.unset(below)
		w.unset(deny)
		w.chat(w.consoleKey, hello)

		// Granted to nobody, then to the key's own node alone.
		w.unset(w.st.Grant.Query().Where(entgrant.ScopeID(w.root.ID), entgrant.ModelID(w.modelIDs["demo-small"])).OnlyX(system()))
		require.Equal(t, "not-granted", w.refusedCall(w.consoleKey).Error.Rule)
		w.set(w.st.Scope.GetX(system(), w.consoleKeyID), "demo-small", grant.Allow)
		w.chat(w.consoleKey, hello)
		require.Equal(t, all, w.listed(w.consoleKey))

		// What is granted but not on the key's list stays refused.
		res := w.post(w.consoleKey, strings.Replace(hello, "demo-small", "forbidden", 1))
		require.Equal(t, http.StatusForbidden, res.StatusCode)
		require.NotContains(t, w.listed(w.consoleKey), "forbidden")
		w.balanced()
		require.Len(t, w.charges(), 3, "nothing refused was charged")
		refusals.Close()
		mu.Lock()
		defer mu.Unlock()
		require.NotEmpty(t, recorded)
		for _, e := range recorded {
			require.Equal(t, []string{"model.call", w.consoleKeyID}, []string{e.Action, e.ScopeID})
			require.NotEmpty(t, e.Reason)
		}
	})
}

// A grant ends by the clock alone, to the moment, without any change.
func TestGrantsExpireByTheClock(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	w := newWorld(t, storetest.Open(t), gateway.Options{Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	end := time.Now().Add(time.Hour).Truncate(time.Microsecond)
	w.heard(func(ctx context.Context, tx *store.Tx) error {
		_, err := grant.Set(ctx, tx, w.st.Now(), grant.Input{Scope: w.root, ResourceID: w.modelIDs["demo-small"], Effect: grant.Allow, ExpiresAt: &end, Authority: w.root.Path})
		return err
	})
	set := func(to time.Time) {
		mu.Lock()
		defer mu.Unlock()
		now = to
	}
	set(end.Add(-time.Microsecond))
	w.chat(w.consoleKey, hello)
	require.Contains(t, w.listed(w.consoleKey), "demo-small")
	set(end)
	require.Equal(t, "expired", w.refusedCall(w.consoleKey).Error.Rule)
	require.NotContains(t, w.listed(w.consoleKey), "demo-small")
}

// A stream whose grant falls is cut off, and says why.
func TestAStreamEndsWithItsGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	res := w.post(w.consoleKey, ask("demo-small", true, "", `{"tokens":3000,"chunk_delay_ms":5}`))
	require.Equal(t, http.StatusOK, res.StatusCode)
	first := make([]byte, 16)
	_, err := io.ReadFull(res.Body, first)
	require.NoError(t, err)
	w.set(w.team, "demo-small", grant.Deny)
	rest, err := io.ReadAll(res.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the connection is cut")
	require.Contains(t, string(rest), `"model_not_granted"`)
	require.NotContains(t, string(rest), "[DONE]")
	w.idle()
	w.balanced()
	require.Len(t, w.charges(), 1, "what was used is charged")
}

// While the grants can't be read a stream is held back: it goes on once they
// can, and ends where they stay unreadable.
func TestAStreamWaitsForItsGrants(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]bool{"back in time": true, "away for good": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := storetest.Open(t)
			w := newWorld(t, st, gateway.Options{Timeouts: gateway.Timeouts{Doubt: 2 * time.Second, Drain: time.Second}})
			rename := func(from, to string) {
				_, err := st.System().ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to)
				require.NoError(t, err)
			}
			res := w.post(w.consoleKey, ask("demo-small", true, "", `{"tokens":200,"chunk_delay_ms":20}`))
			require.Equal(t, http.StatusOK, res.StatusCode)
			_, err := io.ReadFull(res.Body, make([]byte, 16))
			require.NoError(t, err)
			rename("grants", "grants_away")
			w.heard(func(ctx context.Context, tx *store.Tx) error {
				tx.Touch(w.root.AccountID)
				return nil
			})
			if back {
				rename("grants_away", "grants")
			}
			rest, err := io.ReadAll(res.Body)
			if back {
				require.NoError(t, err)
				require.Contains(t, string(rest), "[DONE]")
			} else {
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the connection is cut")
				require.Contains(t, string(rest), "can't be told right now")
				require.NotContains(t, string(rest), "[DONE]")
			}
			w.idle()
			w.balanced()
			require.Len(t, w.charges(), 1)
		})
	}
}

// The seat that pays is chosen once: a call goes on as it, whichever seat is the
// person's default meanwhile.
func TestAStreamKeepsItsSeat(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, gateway.Options{})
		seat := w.st.Member.GetX(system(), w.member.ID)
		var other *ent.Scope
		w.write(func(ctx context.Context, tx *store.Tx) error {
			team, err := identity.CreateTeam(ctx, tx, tx.Scope.GetX(ctx, *w.team.ParentID), "Risk")
			require.NoError(t, err)
			other, err = identity.AddMember(ctx, tx, team, tx.User.GetX(ctx, seat.UserID))
			return err
		})
		v, err := identity.ViewerOf(system(), w.st.Client, w.st.User.GetX(system(), seat.UserID))
		require.NoError(t, err)
		_, token, err := w.tokens.CreatePersonal(t.Context(), v, "script", []string{"models.call"}, 1, []string{"profile", "models.call"})
		require.NoError(t, err)
		w.set(other, "demo-small", grant.Deny)
		begin := func() *http.Response {
			res := w.post(token, ask("demo-small", true, "", `{"tokens":150,"chunk_delay_ms":10}`))
			require.Equal(t, http.StatusOK, res.StatusCode)
			_, err := io.ReadFull(res.Body, make([]byte, 16))
			require.NoError(t, err)
			return res
		}

		res := begin()
		w.heard(func(ctx context.Context, tx *store.Tx) error {
			require.NoError(t, tx.Member.UpdateOneID(seat.ID).SetIsDefault(false).Exec(ctx))
			return tx.Member.UpdateOneID(other.ID).SetIsDefault(true).Exec(ctx)
		})
		rest, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Contains(t, string(rest), "[DONE]")
		require.Equal(t, w.member.ID, w.charges()[0].MemberID)
		require.Equal(t, http.StatusForbidden, w.post(token, hello).StatusCode, "the next call is the other seat's")

		// It ends with the seat itself.
		w.heard(func(ctx context.Context, tx *store.Tx) error {
			require.NoError(t, tx.Member.UpdateOneID(other.ID).SetIsDefault(false).Exec(ctx))
			return tx.Member.UpdateOneID(seat.ID).SetIsDefault(true).Exec(ctx)
		})
		res = begin()
		w.heard(func(ctx context.Context, tx *store.Tx) error {
			_, err := (&identity.Directory{Budgets: w.engine}).DeleteMember(ctx, tx, w.st.Now(), w.member)
			return err
		})
		rest, err = io.ReadAll(res.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the connection is cut")
		require.NotContains(t, string(rest), "[DONE]")
	})
}

// A key never lists more than its owner may use: not when it is made, and not
// by rows that slip in later.
func TestAKeyIsNoWiderThanItsOwner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, gateway.Options{})
		w.set(w.team, "demo-large", grant.Deny)
		create := func(owner *ent.Scope) error {
			return w.st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				_, _, _, err := identity.CreateKey(ctx, tx, w.st.Now(), identity.KeyInput{Name: "wide", Owner: owner, ModelIDs: []string{w.modelIDs["demo-small"], w.modelIDs["demo-large"]}})
				return err
			})
		}
		err := create(w.member)
		require.True(t, fault.Is(err, fault.Invalid), "%v", err)
		require.Equal(t, []string{"modelIds"}, fault.As(err).Path)
		require.ErrorContains(t, err, "denied at the team Everyone")
		require.NoError(t, create(w.root), "the plane itself may")

		// Its list widened behind the verb's back, the key still calls nothing more.
		w.set(w.team, "forbidden", grant.Deny)
		w.heard(func(ctx context.Context, tx *store.Tx) error {
			return tx.KeyModel.Create().SetAccountID(w.root.AccountID).SetPlane("CONSOLE").SetKeyID(w.consoleKeyID).SetModelID(w.modelIDs["forbidden"]).Exec(ctx)
		})
		require.Equal(t, []string{"demo-small", "demo-thinking", "unpriced"}, w.listed(w.consoleKey))
		res := w.post(w.consoleKey, strings.Replace(hello, "demo-small", "forbidden", 1))
		require.Equal(t, http.StatusForbidden, res.StatusCode)

		// Owned by another scope from now on, it has what that one has.
		path := w.root.Path + w.consoleKeyID + "/"
		w.heard(func(ctx context.Context, tx *store.Tx) error {
			return tx.Scope.UpdateOneID(w.consoleKeyID).SetParentID(w.root.ID).SetPath(path).Exec(ctx)
		})
		require.Contains(t, w.listed(w.consoleKey), "forbidden", "the root may use it, and the key lists it")
		require.Empty(t, w.st.Charge.Query().AllX(system()))
	})
}

// Calls that name no model use the nearest default of their path, and grants
// decide about it as about any other.
func TestDefaultModel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, gateway.Options{})
		call := func(model string) *http.Response {
			return w.post(w.consoleKey, `{`+model+`"messages":[{"role":"user","content":"hi"}],"max_tokens":5}`)
		}
		for _, none := range []string{``, `"model":"",`, `"model":null,`, `"model":"default",`} {
			require.Equal(t, http.StatusBadRequest, call(none).StatusCode, none)
		}
		w.heard(func(ctx context.Context, tx *store.Tx) error {
			if err := tx.Scope.UpdateOneID(w.root.ID).SetDefaultModelID(w.modelIDs["demo-large"]).Exec(ctx); err != nil {
				return err
			}
			return tx.Scope.UpdateOneID(w.team.ID).SetDefaultModelID(w.modelIDs["demo-small"]).Exec(ctx)
		})
		for _, none := range []string{``, `"model":"",`, `"model":null,`, `"model":"default",`} {
			require.Equal(t, http.StatusOK, call(none).StatusCode, none)
		}
		res := w.send(func() *http.Request {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/v1/models", nil)
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer "+w.consoleKey)
			return req
		})
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(string(body), `"default":true`), string(body))
		require.Contains(t, string(body), `"id":"demo-small"`)
		w.set(w.team, "demo-small", grant.Deny)
		require.Equal(t, http.StatusForbidden, call(``).StatusCode, "a default is no grant")
	})
}
