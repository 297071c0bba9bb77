package budget_test

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// lock is a way to a PostgreSQL server that can be shut at the worst moment:
// when a round's COMMIT has gone out, and before its answer is heard.
type lock struct {
	addr string

	mu          sync.Mutex
	armed, shut bool
	open        map[net.Conn]bool
	sprung      chan struct{}
	server      string
}

func newLock(t *testing.T, server string) *lock {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	k := &lock{addr: l.Addr().String(), server: server, open: map[net.Conn]bool{}}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go k.forward(client)
		}
	}()
	return k
}

// arm shuts the lock at the next COMMIT of a round; wait returns once it has.
func (k *lock) arm() (wait func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.armed, k.sprung = true, make(chan struct{})
	sprung := k.sprung
	return func() { <-sprung }
}

func (k *lock) unlock() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.shut = false
}

// spring cuts everybody off; false unless the lock was armed.
func (k *lock) spring() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.armed {
		return false
	}
	k.armed, k.shut = false, true
	for c := range k.open {
		_ = c.Close()
	}
	close(k.sprung)
	return true
}

func (k *lock) forward(client net.Conn) {
	defer client.Close()
	k.mu.Lock()
	if k.shut {
		k.mu.Unlock()
		return
	}
	k.open[client] = true
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		delete(k.open, client)
		k.mu.Unlock()
	}()
	to, err := net.Dial("tcp", k.server)
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(client, to)
		_ = client.Close()
	}()
	buffer, round := make([]byte, 64<<10), false
	for {
		n, err := client.Read(buffer)
		if err != nil {
			_ = to.Close()
			return
		}
		round = round || bytes.Contains(buffer[:n], []byte("UPDATE nodes SET seq"))
		cut := false
		if bytes.Contains(buffer[:n], []byte("COMMIT\x00")) {
			cut, round = round && k.spring(), false
		}
		if _, err := to.Write(buffer[:n]); err != nil || cut {
			time.AfterFunc(time.Second, func() { _ = to.Close() })
			return
		}
	}
}

// behind opens a store through a lock, and another one past it.
func behind(t *testing.T) (*lock, *store.Store, *store.Store) {
	t.Helper()
	server := storetest.PostgresURL(t)
	whole, err := store.Open(store.Options{URL: server})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, whole.Close()) })
	_, err = whole.Migrate(ctx)
	require.NoError(t, err)
	through, err := url.Parse(server)
	require.NoError(t, err)
	k := newLock(t, through.Host)
	through.Host = k.addr
	st, err := store.Open(store.Options{URL: through.String()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return k, st, whole
}

// While nobody can tell whether a round stands, no call goes out that has to be in
// the database first. A hold that the lost round refused for its key is given
// back once, and rounds go on.
func TestNoCallGoesOutOnALostRound(t *testing.T) {
	t.Parallel()
	lock, st, whole := behind(t)
	reader := start(t, whole, newClock(november()).now)
	e := budget.New(st, budget.Options{Now: newClock(november()).now, Journal: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, e.Start(ctx))
	tr := plant(t, whole, tenancy.Console, "UTC")
	tr.set(t, reader, tr.root, 100*usd)
	tr.strict(t, true)
	warm(t, tr, e)

	key := &budget.IdempotencyKey{Principal: tr.key, Key: "k", Request: "r"}
	first, err := reader.HoldOnce(ctx, tr.call(), output(1), key)
	require.NoError(t, err)
	sprung := lock.arm()
	_, err = e.HoldOnce(ctx, tr.call(), output(5), key)
	require.Error(t, err)
	require.False(t, fault.Is(err, budget.KeyInUse), "its answer was lost: %v", err)
	sprung()
	for range 3 {
		_, err = e.Hold(ctx, tr.call(), output(1))
		require.Error(t, err, "the database knows nothing of it")
		require.NotErrorIs(t, err, ctx.Err())
	}

	lock.unlock()
	require.Eventually(t, func() bool {
		_, err = e.HoldOnce(ctx, tr.call(), output(5), key)
		return fault.Is(err, budget.KeyInUse)
	}, 30*time.Second, 20*time.Millisecond)
	_, err = first.Settle(ctx, output(1), budget.Outcome{})
	require.NoError(t, err)
	for range 3 {
		h, err := e.Hold(ctx, tr.call(), output(20))
		require.NoError(t, err, "nothing is missing from the lease")
		_, err = h.Settle(ctx, output(20), budget.Outcome{})
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		tr.states(t, e)
		s := tr.states(t, reader)[tr.root]
		return s.Held == 0 && s.Spent == 61*usd
	}, 30*time.Second, 20*time.Millisecond)
	balanced(t, reader)
	require.NoError(t, e.Close(ctx))
}
