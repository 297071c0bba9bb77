package graph

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func newSealer(t testing.TB, st *store.Store, stream *audit.Stream) *audit.Sealer {
	t.Helper()
	signer, err := audit.NewSigner("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	require.NoError(t, err)
	return &audit.Sealer{DB: st.System(), WriteTx: st.WriteTx, Dialect: st.Dialect, Sealed: stream.Announce, Signer: signer, Now: st.Now, Log: slog.New(slog.DiscardHandler)}
}

// happen writes events, seals them, and returns the newest number.
func (a *api) happen(at time.Time, events ...audit.Event) int64 {
	a.t.Helper()
	require.NoError(a.t, a.Store.InTx(identitytest.System(a.t), func(ctx context.Context, tx *store.Tx) error {
		for _, e := range events {
			if e.AccountID == "" {
				e.AccountID = a.A.Row.ID
			}
			if err := audit.Write(ctx, tx.Client, at, e); err != nil {
				return err
			}
		}
		return nil
	}))
	a.seal()
	return a.Store.Account.GetX(identitytest.System(a.t), a.A.Row.ID).AuditSeq
}

func (a *api) seal() {
	a.t.Helper()
	for n := 1; n > 0; {
		var err error
		n, err = a.sealer.Seal(context.Background())
		require.NoError(a.t, err)
	}
}

func on(s *ent.Scope, action, who, target string) audit.Event {
	return audit.Event{Action: action, Plane: tenancy.Plane(s.Plane), ScopeID: s.ID, ScopePath: s.Path, TargetID: s.ID, TargetName: target,
		Actor: &audit.Actor{Kind: auditevent.ActorKindUSER, ID: "usr_" + who, Name: who}}
}

const auditList = `query($first: Int, $after: String, $last: Int, $before: String, $f: AuditFilter) { viewer { account {
	auditEvents(first: $first, after: $after, last: $last, before: $before, filter: $f) { pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { seq targetName location } } } } } }`

func targets(out answer) []string {
	names := []string{}
	edges, _ := out.at("viewer", "account", "auditEvents", "edges").([]any)
	for _, e := range edges {
		name, _ := e.(map[string]any)["node"].(map[string]any)["targetName"].(string)
		names = append(names, name)
	}
	return names
}

func TestAuditIsSearched(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		now := a.Store.Now()
		day := 24 * time.Hour
		a.happen(now.Add(-10*day), on(p.Org, "zebra.feed", "Ada", "Oats 100%"))
		via := on(p.Team, "zebra.feed", "Bob", "Hay")
		via.Actor.Via, via.Actor.ViaID, via.Actor.ViaName = auditevent.ViaKindCLIENT, "cli_1", "Zoo_keeper"
		a.happen(now.Add(-5*day), via)
		refused := on(p.SiblingTeam, "zebra.ride", "Bob", "Nobody")
		refused.Outcome, refused.Reason, refused.Count = auditevent.OutcomeREFUSED, "Zebras aren't ridden.", 40
		a.happen(now.Add(-4*day), refused)
		a.happen(now.Add(-3*day), on(a.A.Root, "zebrafish.feed", "Ada", "Flakes"))
		for name, c := range map[string]struct {
			filter map[string]any
			want   []string
		}{
			"noun":               {map[string]any{"action": "zebra"}, []string{"Nobody", "Hay", "Oats 100%"}},
			"action":             {map[string]any{"action": "zebra.feed"}, []string{"Hay", "Oats 100%"}},
			"actor":              {map[string]any{"actorId": "usr_Bob"}, []string{"Nobody", "Hay"}},
			"target":             {map[string]any{"targetId": p.Org.ID, "action": "zebra"}, []string{"Oats 100%"}},
			"outcome":            {map[string]any{"outcome": "REFUSED"}, []string{"Nobody"}},
			"subtree":            {map[string]any{"scopeId": p.Org.ID, "action": "zebra"}, []string{"Nobody", "Hay", "Oats 100%"}},
			"team":               {map[string]any{"scopeId": p.Team.ID, "action": "zebra"}, []string{"Hay"}},
			"actor's name":       {map[string]any{"search": "bOB", "action": "zebra"}, []string{"Nobody", "Hay"}},
			"via's name":         {map[string]any{"search": "o_kEEp"}, []string{"Hay"}},
			"target's name":      {map[string]any{"search": "100%"}, []string{"Oats 100%"}},
			"no wildcard":        {map[string]any{"search": "O%s"}, []string{}},
			"from":               {map[string]any{"from": now.Add(-4 * day), "action": "zebra"}, []string{"Nobody"}},
			"to":                 {map[string]any{"to": now.Add(-5 * day), "action": "zebra"}, []string{"Oats 100%"}},
			"range":              {map[string]any{"from": now.Add(-5 * day), "to": now.Add(-4 * day), "action": "zebra"}, []string{"Hay"}},
			"everything at once": {map[string]any{"action": "zebra.feed", "actorId": "usr_Bob", "search": "hay", "targetId": p.Team.ID, "outcome": "DONE", "scopeId": p.Org.ID, "from": now.Add(-6 * day), "to": now}, []string{"Hay"}},
		} {
			require.Equal(t, c.want, targets(a.ok(a.A.Admin, auditList, map[string]any{"first": 20, "f": c.filter})), name)
		}
		out := a.ok(a.A.Admin, auditList, map[string]any{"first": 4, "f": map[string]any{"search": "a"}})
		require.Len(t, targets(out), 4)
		place := a.ok(a.A.Admin, auditList, map[string]any{"first": 1, "f": map[string]any{"action": "zebra.ride"}}).at("viewer", "account", "auditEvents", "edges", 0, "node", "location")
		require.Equal(t, p.Org.Name+" / "+p.SiblingTeam.Name, place)

		// Pages, forth and back.
		var got []string
		var after any
		for range 10 {
			page := a.ok(a.A.Admin, auditList, map[string]any{"first": 2, "after": after, "f": map[string]any{"action": "zebra"}})
			got = append(got, targets(page)...)
			after = page.at("viewer", "account", "auditEvents", "pageInfo", "endCursor")
			if page.at("viewer", "account", "auditEvents", "pageInfo", "hasNextPage") == false {
				break
			}
		}
		require.Equal(t, []string{"Nobody", "Hay", "Oats 100%"}, got)
		require.Equal(t, []string{"Nobody", "Hay"}, targets(a.ok(a.A.Admin, auditList, map[string]any{"last": 5, "before": after, "f": map[string]any{"action": "zebra"}})))
		for name, vars := range map[string]map[string]any{
			"foreign cursor": {"first": 1, "after": encode("evt_x")}, "negative cursor": {"first": 1, "after": encode("-4")}, "no size": {},
			"empty range": {"first": 1, "f": map[string]any{"from": now, "to": now}}, "long search": {"first": 1, "f": map[string]any{"search": strings.Repeat("x", 101)}},
		} {
			require.Equal(t, "BAD_INPUT", a.do(a.A.Admin, auditList, vars).code(), name)
		}
		require.Equal(t, "NOT_FOUND", a.do(a.A.Admin, auditList, map[string]any{"first": 1, "f": map[string]any{"scopeId": a.B.Console.Org.ID}}).code())

		// The same through the eyes of others.
		require.Equal(t, []string{"Hay"}, targets(a.ok(p.TeamAdmin, auditList, map[string]any{"first": 20, "f": map[string]any{"action": "zebra"}})))
		require.Equal(t, []string{"Nobody"}, targets(a.ok(p.SiblingTeamAdmin, auditList, map[string]any{"first": 20, "f": map[string]any{"action": "zebra"}})))
		require.Empty(t, targets(a.ok(a.B.Admin, auditList, map[string]any{"first": 20, "f": map[string]any{"action": "zebra"}})))
		require.Empty(t, targets(a.ok(a.A.Copilot.Admin, auditList, map[string]any{"first": 20, "f": map[string]any{"action": "zebra"}})))
		require.Equal(t, "FORBIDDEN", a.do(p.Seat, auditList, map[string]any{"first": 20}).code())
	})
}

// A program that isn't let into the audit log reads none of it, whoever it
// acts for; nor does a team's viewer read what happens on a seat of their own
// in another team.
func TestAuditNeedsItsPermissionAndARole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		a.happen(a.Store.Now(), on(p.Member, "zebra.feed", "Ada", "Seat"), on(p.SiblingTeam, "zebra.feed", "Ada", "Sibling"))
		node := a.ok(a.A.Admin, `{ viewer { account { auditEvents(first: 1, filter: {action: "zebra", search: "seat"}) { edges { node { id } } } } } }`, nil).
			at("viewer", "account", "auditEvents", "edges", 0, "node", "id")
		byID := func(v *tenancy.Viewer) any {
			return a.do(v, `query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": node}).at("node")
		}
		require.NotNil(t, byID(a.A.Admin))

		narrowed := *a.A.Admin
		narrowed.Narrowed, narrowed.Permissions, narrowed.SessionID = true, []string{"directory.manage", "profile", "read"}, ""
		out := a.do(&narrowed, auditList, map[string]any{"first": 20})
		require.Equal(t, "FORBIDDEN", out.code())
		require.Empty(t, targets(out))
		require.Nil(t, byID(&narrowed))
		narrowed.Permissions = []string{"audit.read", "profile", "read"}
		require.Equal(t, []string{"Sibling", "Seat"}, targets(a.ok(&narrowed, auditList, map[string]any{"first": 20, "f": map[string]any{"action": "zebra"}})))

		// Viewer of the sibling team, with a seat in the first one.
		both := *p.SiblingTeamAdmin
		both.SessionID = ""
		both.Roles = append(append([]tenancy.Role{}, both.Roles...), p.Seat.Roles...)
		both.Reach = tenancy.ReachOf(both.AccountID, both.Roles)
		require.Equal(t, []string{"Sibling"}, targets(a.ok(&both, auditList, map[string]any{"first": 20, "f": map[string]any{"action": "zebra"}})))
		require.Nil(t, byID(&both))
	})
}

// A search looks through so many numbers a page, and says where to go on.
func TestAuditSearchIsBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		newest := a.happen(a.Store.Now(), on(a.A.Console.Org, "zebra.feed", "Ada", "Oats"))
		_, err := a.Store.System().Exec(fmt.Sprintf("UPDATE accounts SET audit_seq = %d WHERE id = '%s'", newest+250_000, a.A.Row.ID))
		require.NoError(t, err)
		var after any
		for i := range 3 {
			out := a.ok(a.A.Admin, auditList, map[string]any{"first": 5, "after": after, "f": map[string]any{"search": "oats"}})
			after = out.at("viewer", "account", "auditEvents", "pageInfo", "endCursor")
			if i < 2 {
				require.Empty(t, targets(out))
				require.Equal(t, true, out.at("viewer", "account", "auditEvents", "pageInfo", "hasNextPage"))
				continue
			}
			require.Equal(t, []string{"Oats"}, targets(out))
			require.Equal(t, false, out.at("viewer", "account", "auditEvents", "pageInfo", "hasNextPage"))
		}
	})
}

func TestAuditHistogramCountsRepeats(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		refused := on(p.Team, "zebra.ride", "Bob", "Nobody")
		refused.Outcome, refused.Count = auditevent.OutcomeREFUSED, 40
		failed := refused
		failed.Outcome, failed.Count = auditevent.OutcomeFAILED, 2
		a.happen(start.Add(-time.Microsecond), on(p.Org, "zebra.feed", "Ada", "before"))
		a.happen(start, on(p.Org, "zebra.feed", "Ada", "first"), refused)
		a.happen(start.Add(time.Hour-time.Microsecond), failed)
		a.happen(start.Add(time.Hour), on(p.SiblingTeam, "zebra.feed", "Ada", "second"))
		a.happen(start.Add(4*time.Hour-time.Microsecond), on(p.Org, "zebra.feed", "Ada", "last"))
		a.happen(start.Add(4*time.Hour), on(p.Org, "zebra.feed", "Ada", "after"))
		const q = `query($f: AuditFilter!, $n: Int) { viewer { account { auditHistogram(filter: $f, buckets: $n) { from to buckets { from done refused } } } } }`
		counts := func(v *tenancy.Viewer, f map[string]any, n int) (out []string) {
			t.Helper()
			f["from"], f["to"] = start, start.Add(4*time.Hour)
			buckets, _ := a.ok(v, q, map[string]any{"f": f, "n": n}).at("viewer", "account", "auditHistogram", "buckets").([]any)
			for _, b := range buckets {
				m := b.(map[string]any)
				out = append(out, fmt.Sprint(m["done"], " ", m["refused"]))
			}
			return out
		}
		require.Equal(t, []string{"1 42", "1 0", "0 0", "1 0"}, counts(a.A.Admin, map[string]any{}, 4))
		require.Equal(t, []string{"0 42", "0 0", "0 0", "0 0"}, counts(p.TeamAdmin, map[string]any{}, 4))
		require.Equal(t, []string{"0 40", "0 0", "0 0", "0 0"}, counts(a.A.Admin, map[string]any{"outcome": "REFUSED"}, 4))
		require.Equal(t, []string{"3 42"}, counts(a.A.Admin, map[string]any{"action": "zebra"}, 1))
		require.Len(t, counts(a.A.Admin, map[string]any{}, 200), 200)
		require.Equal(t, []string{"0 0", "0 0"}, counts(a.B.Admin, map[string]any{}, 2))
		for name, vars := range map[string]map[string]any{
			"none": {"f": map[string]any{}, "n": 0}, "too many": {"f": map[string]any{}, "n": 201}, "short": {"f": map[string]any{"from": start, "to": start.Add(time.Second)}, "n": 60},
			"turned": {"f": map[string]any{"from": start, "to": start.Add(-time.Hour)}},
		} {
			require.Equal(t, "BAD_INPUT", a.do(a.A.Admin, q, vars).code(), name)
		}
		require.Equal(t, "FORBIDDEN", a.do(p.Seat, q, map[string]any{"f": map[string]any{}}).code())
		require.Empty(t, a.do(a.SuperAdmin, `{ platform { auditHistogram(filter: {}) { buckets { done } } } }`, nil).Errors)
	})
}

func TestAuditCheckpointsAreForTheWholeAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		newest := a.happen(a.Store.Now(), on(a.A.Console.Org, "zebra.feed", "Ada", "Oats"))
		_, err := a.sealer.CheckpointNow(t.Context(), a.A.Row.ID)
		require.NoError(t, err)
		const q = `query($a: String) { viewer { account { auditCheckpoints(first: 1, after: $a) { totalCount pageInfo { endCursor hasNextPage } edges { node { id seq hash at signature signingKeyId } } } } } }`
		out := a.ok(a.A.Admin, q, nil)
		require.EqualValues(t, newest, out.at("viewer", "account", "auditCheckpoints", "edges", 0, "node", "seq"))
		require.NotNil(t, a.ok(a.A.Admin, `query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": out.at("viewer", "account", "auditCheckpoints", "edges", 0, "node", "id")}).at("node"))
		for _, v := range []*tenancy.Viewer{a.A.Console.Admin, a.A.Console.TeamAdmin, a.A.Console.Seat} {
			require.Equal(t, "FORBIDDEN", a.do(v, q, nil).code())
		}
		require.Equal(t, "BAD_INPUT", a.do(a.A.Admin, q, map[string]any{"a": encode("x")}).code())
	})
}

const follow = `subscription($s: ID!, $after: Long) { auditEvents(scopeId: $s, after: $after, filter: {action: "zebra"}) { seq targetName } }`

// numbers reads so many events from a socket.
func numbers(t *testing.T, c *websocket.Conn, n int) (out []int64) {
	t.Helper()
	for len(out) < n {
		f := next(t, c)
		require.Equal(t, "next", f.Type, "after %d of %d", len(out), n)
		seq, _ := f.Payload.at("auditEvents", "seq").(float64)
		out = append(out, int64(seq))
	}
	return out
}

// Whoever comes back with the last number they saw gets each later event once,
// also while others write.
func TestAuditStreamResumesUnderLoad(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		last := a.happen(a.Store.Now())
		const writers, each = 3, 60
		ctx, stop := context.WithCancel(t.Context())
		var done, sealing sync.WaitGroup
		sealing.Go(func() {
			for ctx.Err() == nil {
				if _, err := a.sealer.Seal(ctx); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
		for w := range writers {
			done.Go(func() {
				for i := range each {
					err := a.Store.InTx(tenancy.System(t.Context(), "test"), func(ctx context.Context, tx *store.Tx) error {
						e := on(p.Team, "zebra.feed", "Ada", fmt.Sprint(w, " ", i))
						e.AccountID = a.A.Row.ID
						return tx.Audit(ctx, e)
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		seen := map[int64]bool{}
		after := last
		for len(seen) < writers*each {
			c := a.socketTo(p.OrgAdmin, follow, map[string]any{"s": p.Org.ID, "after": after})
			for _, seq := range numbers(t, c, min(17, writers*each-len(seen))) {
				require.Greater(t, seq, after, "in order")
				require.False(t, seen[seq], "%d came twice", seq)
				seen[seq], after = true, seq
			}
			require.NoError(t, c.Close()) // whatever else was under way is lost
		}
		done.Wait()
		stop()
		sealing.Wait()
		require.Equal(t, writers*each, a.Store.AuditEvent.Query().Where(auditevent.AccountID(a.A.Row.ID), auditevent.SeqGT(last), auditevent.Action("zebra.feed")).CountX(identitytest.System(t)))
	})
}

func TestAuditStreamIsBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		newest := a.happen(a.Store.Now(), on(p.Team, "zebra.feed", "Ada", "old"), on(p.SiblingTeam, "zebra.feed", "Ada", "sibling's"))
		c := a.socketTo(p.TeamAdmin, follow, map[string]any{"s": p.Team.ID, "after": 0})
		f := next(t, c)
		require.Equal(t, "old", f.Payload.at("auditEvents", "targetName"), "%+v", f)
		a.happen(a.Store.Now(), on(p.Team, "zebra.feed", "Ada", "new"))
		require.Equal(t, "new", next(t, c).Payload.at("auditEvents", "targetName"), "the sibling's is passed over")

		require.Contains(t, next(t, a.socketTo(p.TeamAdmin, follow, map[string]any{"s": p.Team.ID, "after": newest + 1000})).Type, "error")
		require.Contains(t, next(t, a.socketTo(p.TeamAdmin, follow, map[string]any{"s": p.Team.ID, "after": -1})).Type, "error")
		_, err := a.Store.System().Exec(fmt.Sprintf("UPDATE accounts SET audit_seq = audit_seq + 20000 WHERE id = '%s'", a.A.Row.ID))
		require.NoError(t, err)
		require.Contains(t, next(t, a.socketTo(p.TeamAdmin, follow, map[string]any{"s": p.Team.ID, "after": 0})).Type, "SLOW_CONSUMER")
		narrowed := *p.TeamAdmin
		narrowed.Narrowed, narrowed.Permissions, narrowed.SessionID = true, []string{"profile", "read"}, ""
		require.NotEqual(t, "next", next(t, a.socketTo(&narrowed, follow, map[string]any{"s": p.Team.ID})).Type)
	})
}

// A subscriber who can't follow is told where to go on.
func TestAuditStreamTellsTheSlowWhereToGoOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		newest := a.happen(a.Store.Now())
		sel := audit.Selection{AccountID: a.A.Row.ID, Within: []string{p.Org.Path}}
		sub := a.stream.Watch(a.A.Row.ID)
		defer sub.Close()
		out, ended := make(chan *model.AuditEvent), make(chan error, 1)
		go func() { ended <- a.resolver.follow(identitytest.Ctx(t, p.OrgAdmin), sel, sub, newest, false, out) }()
		a.happen(a.Store.Now(), on(p.Team, "zebra.feed", "Ada", "first"), on(p.Team, "zebra.feed", "Ada", "second"), on(p.Team, "zebra.feed", "Ada", "third"))
		require.Equal(t, newest+1, (<-out).Seq)
		for i := range int64(300) { // nobody reads meanwhile
			a.stream.Announce(a.A.Row.ID, newest+10+i)
		}
		require.Equal(t, newest+2, (<-out).Seq)
		require.Equal(t, newest+3, (<-out).Seq)
		err := <-ended
		require.Equal(t, newest+3, fault.As(err).Data["after"])
		require.ErrorContains(t, err, fmt.Sprintf("after: %d", newest+3))
	})
}
