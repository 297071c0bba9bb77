package budget_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/charge"
	entnode "github.com/alchemi/cockpit/ent/node"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// journaled starts an engine whose calls are safe once its journal has them.
func journaled(t *testing.T, st *store.Store, dir string) *budget.Engine {
	t.Helper()
	e := budget.New(st, budget.Options{Now: newClock(november()).now, Journal: dir, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, e.Start(ctx))
	return e
}

// A killed process loses nothing: what had ended is charged as it did, what ran
// in full, whether or not the database had heard of it.
func TestJournalOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		dir := t.TempDir()
		e := journaled(t, st, dir)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		tr.set(t, e, tr.root, 1000*usd)
		tr.set(t, e, tr.mem, 900*usd)
		var want money.Nano
		for i := range 60 {
			h, err := e.Hold(ctx, tr.call(), output(3))
			require.NoError(t, err)
			switch i % 4 {
			case 0:
				_, err = h.Settle(ctx, output(2), budget.Outcome{Latency: time.Second})
				want += 2 * usd
			case 1:
				err = h.Release(ctx)
			case 2:
				_, err = h.Doubt(ctx, budget.Outcome{})
				want += 3 * usd
			case 3:
				want += 3 * usd // it runs
			}
			require.NoError(t, err)
		}
		e.Crash()
		for range 2 { // brought in once, however often it is looked at
			next := journaled(t, st, dir)
			for _, s := range []string{tr.root, tr.mem} {
				require.Equal(t, want, tr.states(t, next)[s].Spent)
				require.Zero(t, tr.states(t, next)[s].Held)
			}
			balanced(t, next)
			require.NoError(t, next.Close(ctx))
		}
		require.Equal(t, 15, st.Charge.Query().Where(charge.KindEQ(charge.KindSETTLED)).CountX(system()))
		require.Equal(t, 30, st.Charge.Query().Where(charge.KindEQ(charge.KindIN_DOUBT)).CountX(system()))
		require.Zero(t, st.BudgetLease.Query().CountX(system()))
		left, err := filepath.Glob(dir + "/*.journal")
		require.NoError(t, err)
		require.Empty(t, left)
	})
}

// A record that the process was killed in the middle of ends the journal; what
// stands before it is brought in.
func TestTornJournal(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	dir := t.TempDir()
	e := journaled(t, st, dir)
	tr := plant(t, st, tenancy.Console, "UTC")
	tr.set(t, e, tr.root, 100*usd)
	h, err := e.Hold(ctx, tr.call(), output(5))
	require.NoError(t, err)
	_, err = h.Settle(ctx, output(2), budget.Outcome{})
	require.NoError(t, err)
	e.Crash()
	path := dir + "/calls-0.journal"
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text[:len(text)-1], 0o600))
	next := journaled(t, st, dir)
	defer func() { require.NoError(t, next.Close(ctx)) }()
	spent := tr.states(t, next)[tr.root].Spent
	require.Contains(t, []money.Nano{2 * usd, 5 * usd}, spent, "as it ended if the database had that, else in full")
	balanced(t, next)
}

// Two servers in one data directory take a journal each, and a dead one's is
// brought in by whoever starts next.
func TestServersShareAJournalsDirectory(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	dir := t.TempDir()
	a, b := journaled(t, st, dir), journaled(t, st, dir)
	tr := plant(t, st, tenancy.Console, "UTC")
	tr.set(t, a, tr.root, 100*usd)
	for _, e := range []*budget.Engine{a, b} {
		h, err := e.Hold(ctx, tr.call(), output(4))
		require.NoError(t, err)
		_, err = h.Settle(ctx, output(3), budget.Outcome{})
		require.NoError(t, err)
		_, err = e.Hold(ctx, tr.call(), output(5))
		require.NoError(t, err)
	}
	b.Crash()
	c := journaled(t, st, dir)
	require.Equal(t, 11*usd, tr.states(t, c)[tr.root].Spent, "3+3 settled and b's 5 in full")
	require.Equal(t, 5*usd, tr.states(t, a)[tr.root].Held, "a runs on")
	require.NoError(t, c.Close(ctx))
	require.NoError(t, a.Close(ctx))
}

// A call that others have given up may come back with a journal: unknown to
// the database it is charged all the same, late where no limit has room.
func TestJournalThatComesBackLate(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	dir := t.TempDir()
	e := journaled(t, st, dir)
	tr := plant(t, st, tenancy.Copilot, "UTC")
	tr.set(t, e, tr.root, 10*usd)
	warm, err := e.Hold(ctx, tr.call(), output(1))
	require.NoError(t, err)
	require.NoError(t, warm.Release(ctx))
	tr.states(t, e)
	h, err := e.Hold(ctx, tr.call(), output(6))
	require.NoError(t, err)
	_, err = h.Settle(ctx, output(6), budget.Outcome{})
	require.NoError(t, err)
	e.Crash() // perhaps before the round
	silence(t, tr)
	other := start(t, st, newClock(november()).now)
	spent := tr.states(t, other)[tr.root].Spent
	left := 10*usd - spent
	h, err = other.Hold(ctx, tr.call(), budget.Usage{Output: int64(left / usd)})
	require.NoError(t, err, "its lease is free again")
	_, err = h.Settle(ctx, budget.Usage{Output: int64(left / usd)}, budget.Outcome{})
	require.NoError(t, err)
	back := journaled(t, st, dir)
	defer func() { require.NoError(t, back.Close(ctx)) }()
	require.Equal(t, left+6*usd, tr.states(t, back)[tr.root].Spent, "never dropped, never twice")
	late := st.Charge.Query().Where(charge.KindEQ(charge.KindLATE)).AllX(system())
	if spent == 0 {
		require.Len(t, late, 1)
		require.Equal(t, int64(6*usd), late[0].Credits)
	} else {
		require.Empty(t, late)
	}
	balanced(t, back)
}

// Until a dead process's journal is in, its node is fenced but nobody's to bury:
// its lease would be somebody else's before the calls are charged that it was
// for.
func TestNobodyBuriesANodeWhoseJournalIsBroughtIn(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	dir := t.TempDir()
	e := journaled(t, st, dir)
	other := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Copilot, "UTC")
	tr.set(t, e, tr.root, 10*usd)
	_, err := e.Hold(ctx, tr.call(), output(6))
	require.NoError(t, err)
	tr.states(t, e)
	node := e.NodeID()
	e.Crash()
	before := st.Node.GetX(system(), node).Seq

	lock, err := st.System().BeginTx(ctx, nil)
	require.NoError(t, err)
	_, err = lock.ExecContext(ctx, "SELECT 1 FROM budget_cycles FOR UPDATE") // nothing is brought in yet
	require.NoError(t, err)
	began := make(chan *budget.Engine, 1)
	go func() {
		next := budget.New(st, budget.Options{Now: newClock(november()).now, Journal: dir, Log: slog.New(slog.DiscardHandler)})
		if err := next.Start(ctx); err != nil {
			t.Error(err)
		}
		began <- next
	}()
	fenced := func() bool {
		n, err := st.Node.Get(system(), node)
		return err != nil || n.Seq != before
	}
	require.Eventually(t, fenced, 30*time.Second, 5*time.Millisecond)
	require.Greater(t, st.Node.GetX(system(), node).Seq, before+1, "it is there, and no round of it stands any more")
	require.NoError(t, other.Sweep(ctx))
	require.NoError(t, lock.Commit())
	next := <-began
	defer func() { require.NoError(t, next.Close(ctx)) }()
	require.False(t, st.Node.Query().Where(entnode.ID(node)).ExistX(system()))
	require.Equal(t, 6*usd, tr.states(t, next)[tr.root].Spent)
	require.Zero(t, st.Charge.Query().Where(charge.KindEQ(charge.KindLATE)).CountX(system()))
	balanced(t, next)
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// A call that nobody but its killed replica knew of comes back when its cycle has
// its statement already: it is charged to the cycle that is open by then, and
// what is closed doesn't move.
func TestJournalThatComesBackAfterTheStatement(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	dir := t.TempDir()
	e := journaled(t, st, dir)
	tr := plant(t, st, tenancy.Console, "UTC")
	tr.set(t, e, tr.root, 10*usd)
	warm(t, tr, e)
	first, err := e.Hold(ctx, tr.call(), output(4))
	require.NoError(t, err)
	_, err = first.Settle(ctx, output(1), budget.Outcome{})
	require.NoError(t, err)
	tr.states(t, e)
	lock, err := st.System().BeginTx(ctx, nil)
	require.NoError(t, err)
	_, err = lock.ExecContext(ctx, "SELECT 1 FROM nodes WHERE id = $1 FOR UPDATE", e.NodeID()) // no round gets through
	require.NoError(t, err)
	_, err = e.Hold(ctx, tr.call(), output(2)) // from memory
	require.NoError(t, err)
	crashed := make(chan struct{})
	go func() {
		e.Crash()
		close(crashed)
	}()
	time.Sleep(50 * time.Millisecond)
	_, err = lock.ExecContext(ctx, "DELETE FROM nodes WHERE id = $1", e.NodeID()) // given up
	require.NoError(t, err)
	require.NoError(t, lock.Commit())
	<-crashed

	now := newClock(november())
	other := start(t, st, now.now)
	now.set(november().AddDate(0, 1, 0))
	renew(t, other)
	before := tr.statements(t, tr.root)
	require.Len(t, before, 1)
	require.Equal(t, int64(usd), before[0].Spent, "the call was nowhere to be seen")

	back := budget.New(st, budget.Options{Now: now.now, Journal: dir, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, back.Start(ctx))
	defer func() { require.NoError(t, back.Close(ctx)) }()
	require.Equal(t, 2*usd, tr.states(t, back)[tr.root].Spent, "in full, to the open cycle")
	require.JSONEq(t, asJSON(t, before), asJSON(t, tr.statements(t, tr.root)))
	balanced(t, back)
}

// What one replica has leased and doesn't need comes to the other that does.
func TestLeasesAreRecalled(t *testing.T) {
	t.Parallel()
	engines, tr := replicas(t)
	tr.set(t, engines[0], tr.root, 100*usd)
	tr.set(t, engines[0], tr.team, 20*usd)
	for i := range 20 { // the first leases some, the other spends to the last dollar
		var h *budget.Hold
		var err error
		require.Eventually(t, func() bool { // a busy machine gives back late
			h, err = engines[min(i, 1)].Hold(ctx, tr.call(), output(1))
			return err == nil
		}, 30*time.Second, time.Millisecond, i)
		_, err = h.Settle(ctx, output(1), budget.Outcome{})
		require.NoError(t, err)
	}
	for _, e := range engines {
		_, err := e.Hold(ctx, tr.call(), output(1))
		require.True(t, fault.Is(err, fault.BudgetExceeded))
	}
	require.Equal(t, 20*usd, tr.states(t, engines[1])[tr.team].Spent)
	balanced(t, engines[0])
}

// A lowered limit holds from its commit on, whatever was leased before.
func TestLoweredLimitHoldsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Console, "UTC")
		tr.set(t, e, tr.root, 100*usd)
		spend(t, e, tr.call(), 1)
		require.Greater(t, st.BudgetLease.Query().OnlyX(system()).Granted, int64(6*usd), "there is more on lease")
		tr.set(t, e, tr.root, 3*usd)
		_, err := e.Hold(ctx, tr.call(), output(5))
		require.True(t, fault.Is(err, fault.BudgetExceeded), err)
		spend(t, e, tr.call(), 2)
		balanced(t, e)
	})
}

// What stands above a limit can't be spent a second time when it comes free.
func TestExcessIsNotSpentAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Console, "UTC")
		tr.set(t, e, tr.root, 7*usd)
		held, err := e.Hold(ctx, tr.call(), output(6))
		require.NoError(t, err)
		over, err := e.Hold(ctx, tr.call(), output(1))
		require.NoError(t, err)
		r, err := over.Settle(ctx, output(7), budget.Outcome{})
		require.NoError(t, err)
		require.Equal(t, 6*usd, r.Late)
		require.NoError(t, held.Release(ctx))
		_, err = e.Hold(ctx, tr.call(), output(1))
		require.True(t, fault.Is(err, fault.BudgetExceeded), err)
		require.Zero(t, tr.states(t, e)[tr.root].Excess)
		balanced(t, e)
	})
}

// What one replica changes of budgets holds for the other within a second.
func TestChangesReachOtherReplicas(t *testing.T) {
	t.Parallel()
	engines, tr := replicas(t)
	tr.set(t, engines[0], tr.root, 1000*usd)
	pass := func(n int64) error {
		h, err := engines[1].Hold(ctx, tr.call(), output(n))
		if err == nil {
			err = h.Release(ctx)
		}
		return err
	}
	require.NoError(t, pass(500))
	soon := func(ok func() bool, what string) {
		t.Helper()
		require.Eventually(t, ok, time.Second+5*time.Second, 5*time.Millisecond, what)
	}
	tr.set(t, engines[0], tr.team, 10*usd)
	soon(func() bool { return fault.Is(pass(11), fault.BudgetExceeded) }, "a new budget on the path")
	tr.set(t, engines[0], tr.team, 5*usd)
	soon(func() bool { return fault.Is(pass(6), fault.BudgetExceeded) }, "a lowered limit")
	require.NoError(t, pass(5))
	require.NoError(t, tr.st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		_, err := engines[0].Remove(ctx, tx, tr.team)
		return err
	}))
	soon(func() bool { return pass(500) == nil }, "a removed budget")
	balanced(t, engines[1])
}

// A replica that can't reach the database admits no more before the others may
// take what it has leased.
func TestAdmissionEndsBeforeTheLease(t *testing.T) {
	t.Parallel()
	engines, tr := replicas(t)
	e := engines[0]
	tr.set(t, e, tr.root, 1000*usd)
	h, err := e.Hold(ctx, tr.call(), output(1))
	require.NoError(t, err)
	require.NoError(t, h.Release(ctx))
	lock, err := tr.st.System().BeginTx(ctx, nil)
	require.NoError(t, err)
	_, err = lock.ExecContext(ctx, "SELECT 1 FROM nodes WHERE id = $1 FOR UPDATE", e.NodeID()) // no round gets through
	require.NoError(t, err)
	e.Pass(46 * time.Second)
	brief, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	_, err = e.Hold(brief, tr.call(), output(1))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, lock.Rollback())
	h, err = e.Hold(ctx, tr.call(), output(1))
	require.NoError(t, err, "once it gets through again")
	require.NoError(t, h.Release(ctx))

	// A round that took its time counts from when it was sent. Another one may
	// follow at once and count anew, so it is looked for a few times.
	counted := func() bool {
		lock, err := tr.st.System().BeginTx(ctx, nil)
		require.NoError(t, err)
		_, err = lock.ExecContext(ctx, "SELECT 1 FROM nodes WHERE id = $1 FOR UPDATE", e.NodeID())
		require.NoError(t, err)
		slow := make(chan error, 1)
		go func() {
			_, err := e.Hold(ctx, tr.call(), output(1))
			slow <- err
		}()
		time.Sleep(200 * time.Millisecond) // by then it is sent
		e.Pass(40 * time.Second)
		require.NoError(t, lock.Rollback())
		require.NoError(t, <-slow)
		return !e.Admits(6 * time.Second)
	}
	ended := false
	for range 5 {
		ended = ended || counted()
	}
	require.True(t, ended, "40 and 6 seconds after it was sent")
}

// A record that doesn't match its checksum isn't believed.
func TestRottenJournal(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	dir := t.TempDir()
	e := journaled(t, st, dir)
	tr := plant(t, st, tenancy.Console, "UTC")
	tr.set(t, e, tr.root, 100*usd)
	h, err := e.Hold(ctx, tr.call(), output(5))
	require.NoError(t, err)
	tr.states(t, e) // the database knows that it runs
	_, err = h.Settle(ctx, output(2), budget.Outcome{})
	require.NoError(t, err)
	e.Crash() // before the round
	path := dir + "/calls-0.journal"
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	rotten := strings.Replace(string(text), `"Cost":2000000000,`, `"Cost":1000000000,`, 1)
	require.NotEqual(t, string(text), rotten)
	require.NoError(t, os.WriteFile(path, []byte(rotten), 0o600))
	next := journaled(t, st, dir)
	defer func() { require.NoError(t, next.Close(ctx)) }()
	for _, c := range st.Charge.Query().AllX(system()) {
		require.NotEqual(t, int64(usd), c.Cost)
	}
}

// deaf forwards to a PostgreSQL server, and cuts every third connection off
// right when it sends a COMMIT, which gets there every other time: nobody hears
// whether it was done.
func deaf(t *testing.T, server string) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	var commits atomic.Int64
	forward := func(client net.Conn) {
		defer client.Close()
		to, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(client, to)
			_ = client.Close()
		}()
		buffer := make([]byte, 64<<10)
		for {
			n, err := client.Read(buffer)
			if err != nil {
				_ = to.Close()
				return
			}
			cut := false
			if bytes.Contains(buffer[:n], []byte("COMMIT\x00")) {
				nth := commits.Add(1)
				cut = nth%3 == 0
				if nth%6 == 0 { // it never gets there
					_, _ = client.Close(), to.Close()
					return
				}
			}
			if cut {
				_ = client.Close() // before the answer can come
			}
			if _, err := to.Write(buffer[:n]); err != nil || cut {
				time.AfterFunc(time.Second, func() { _ = to.Close() })
				return
			}
		}
	}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go forward(client)
		}
	}()
	return l.Addr().String()
}

// An answer of the database that is lost makes no charge twice, and drops none.
func TestLostAnswersOfTheDatabase(t *testing.T) {
	t.Parallel()
	server := storetest.PostgresURL(t)
	whole, err := store.Open(store.Options{URL: server})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, whole.Close()) })
	_, err = whole.Migrate(ctx)
	require.NoError(t, err)
	through, err := url.Parse(server)
	require.NoError(t, err)
	through.Host = deaf(t, through.Host)
	st, err := store.Open(store.Options{URL: through.String()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	var e *budget.Engine
	for {
		e = budget.New(st, budget.Options{Now: newClock(november()).now, NodeTimeout: 20 * time.Second, Log: slog.New(slog.DiscardHandler)})
		if e.Start(ctx) == nil {
			break
		}
	}
	reader := start(t, whole, newClock(november()).now)
	tr := plant(t, whole, tenancy.Console, "UTC")
	tr.set(t, reader, tr.root, 10_000*usd)
	var charged money.Nano
	for range 60 {
		h, err := e.Hold(ctx, tr.call(), output(2))
		if err != nil {
			continue // given back by itself
		}
		_, _ = h.Settle(ctx, output(1), budget.Outcome{}) // tried again by itself
		charged += usd
	}
	require.Greater(t, charged, 10*usd)
	require.Eventually(t, func() bool {
		e.Tidy()
		s := tr.states(t, reader)[tr.root]
		return s.Held == 0 && s.Spent == charged
	}, 30*time.Second, 50*time.Millisecond)
	balanced(t, reader)
	require.Equal(t, int(charged/usd), whole.Charge.Query().CountX(system()))
	e.Crash() // its sign-off might be cut off, too
}

func TestCyclesAreDrainedWithTheirLastCall(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		tr.set(t, e, tr.root, 10*usd)
		cycle := st.BudgetCycle.Query().OnlyX(system()).ID
		h, err := e.Hold(ctx, tr.call(), output(2))
		require.NoError(t, err)
		now.set(november().AddDate(0, 1, 0))
		drained := func() bool {
			e.Tidy()
			tr.states(t, e) // what was to be written is
			out, err := e.Drained(ctx, tr.account, tr.plane, cycle)
			require.NoError(t, err)
			return out
		}
		require.False(t, drained())
		_, err = h.Settle(ctx, output(1), budget.Outcome{})
		require.NoError(t, err)
		require.True(t, drained())
		require.Equal(t, int64(usd), st.BudgetCycle.GetX(system(), cycle).Folded)
		balanced(t, e)
	})
}

func TestIdempotencyKeysExpire(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		key := &budget.IdempotencyKey{Principal: tr.key, Key: "k", Request: "r"}
		call := func() error {
			h, err := e.HoldOnce(ctx, tr.call(), output(1), key)
			if err == nil {
				_, err = h.Settle(ctx, output(1), budget.Outcome{})
			}
			return err
		}
		require.NoError(t, call())
		tr.states(t, e) // the charge is written
		require.True(t, fault.Is(call(), budget.KeyUsed))
		now.set(november().Add(24 * time.Hour))
		require.NoError(t, call())
		require.NoError(t, e.Prune(ctx))
		require.Equal(t, 1, st.IdempotencyKey.Query().CountX(system()))
		now.set(november().Add(48 * time.Hour))
		require.NoError(t, e.Prune(ctx))
		require.Zero(t, st.IdempotencyKey.Query().CountX(system()))
		tr.states(t, e)
		require.Equal(t, 2, st.Charge.Query().CountX(system()))
		require.Zero(t, st.Hold.Query().CountX(system()), "a refused call holds nothing")
	})
}
