package audit_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/events"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const masterKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

var signer = newSigner(masterKey)

func newSigner(masterKey string) *audit.Signer {
	s, err := audit.NewSigner(masterKey)
	if err != nil {
		panic(err)
	}
	return s
}

func sealer(st *store.Store, heard func(string, int64)) *audit.Sealer {
	return &audit.Sealer{DB: st.System(), WriteTx: st.WriteTx, Dialect: st.Dialect, Sealed: heard, Signer: signer, Now: st.Now, Log: slog.New(slog.DiscardHandler)}
}

// sealAll seals until nothing is left.
func sealAll(t testing.TB, s *audit.Sealer) (sum int) {
	t.Helper()
	for {
		n, err := s.Seal(t.Context())
		require.NoError(t, err)
		if sum += n; n == 0 {
			return sum
		}
	}
}

func write(ctx context.Context, st *store.Store, account, action string) error {
	return st.InTx(tenancy.System(ctx, "test"), func(ctx context.Context, tx *store.Tx) error {
		return tx.Audit(ctx, audit.Event{Action: action, AccountID: account, Plane: tenancy.PlaneAccount, ScopePath: "/" + account + "/",
			Changes: map[string]audit.Change{"b": {Before: 1.50, After: "ü <b>"}, "a": {After: map[string]any{"z": 1, "y": nil}}}})
	})
}

// accounts makes two besides the platform.
func accounts(t testing.TB, st *store.Store) (a, b string) {
	t.Helper()
	ctx := tenancy.System(t.Context(), "test")
	require.NoError(t, identity.CreatePlatform(ctx, st))
	require.NoError(t, st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		x, err := identity.CreateAccount(ctx, tx, identity.AccountInput{Name: "A", Slug: "aaa"})
		require.NoError(t, err)
		y, err := identity.CreateAccount(ctx, tx, identity.AccountInput{Name: "B", Slug: "bbb"})
		require.NoError(t, err)
		a, b = x.ID, y.ID
		return nil
	}))
	return a, b
}

func verify(t testing.TB, st *store.Store, account string) int64 {
	t.Helper()
	v, err := audit.Verify(t.Context(), st.System(), st.Dialect, account, audit.Trust{Keys: signer.Keys()})
	require.NoError(t, err)
	return v.Last
}

func TestSealNumbersEachAccountsEvents(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		ctx := tenancy.System(t.Context(), "test")
		a, b := accounts(t, st)
		heard := map[string]int64{}
		s := sealer(st, func(account string, seq int64) { heard[account] = seq })
		for i := range 300 { // more than one batch
			require.NoError(t, write(ctx, st, []string{a, b}[i%2], fmt.Sprintf("test.%d", i)))
		}
		require.Equal(t, 303, sealAll(t, s))
		require.Equal(t, map[string]int64{a: 151, b: 151, id.PlatformID: 1}, heard)
		for account, want := range heard {
			rows := st.AuditEvent.Query().Where(auditevent.AccountID(account)).Order(auditevent.ByID()).AllX(ctx)
			for i, e := range rows {
				require.EqualValues(t, i+1, *e.Seq, "in the order of their ids, without gaps")
				require.Len(t, e.Hash, 64)
			}
			row := st.Account.GetX(ctx, account)
			require.Equal(t, want, row.AuditSeq)
			require.Equal(t, rows[len(rows)-1].Hash, row.AuditHash)
			require.Equal(t, want, verify(t, st, account))
		}
		require.NoError(t, write(ctx, st, a, "test.late"))
		require.Equal(t, 1, sealAll(t, s))
		require.EqualValues(t, 152, verify(t, st, a))
		require.EqualValues(t, 151, verify(t, st, b))
	})
}

// An event that rolls back is never numbered, and one of an account that
// doesn't exist doesn't hold up the others.
func TestSealTakesCommittedEventsOfRealAccounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		a, _ := accounts(t, st)
		require.NoError(t, write(t.Context(), st, "acc_gone", "test.orphan"))
		require.ErrorIs(t, st.InTx(tenancy.System(t.Context(), "test"), func(ctx context.Context, tx *store.Tx) error {
			require.NoError(t, tx.Audit(ctx, audit.Event{Action: "test.undone", AccountID: a, Plane: tenancy.PlaneAccount, ScopePath: "/"}))
			return context.Canceled
		}), context.Canceled)
		require.Equal(t, 3, sealAll(t, sealer(st, nil)))
		require.EqualValues(t, 1, verify(t, st, a))
	})
}

// Several replicas seal while others write: still one gapless chain.
func TestSealOnSeveralReplicasAtOnce(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]func(t *testing.T) store.Options{
		"sqlite":   func(t *testing.T) store.Options { return store.Options{Dir: t.TempDir()} },
		"postgres": func(t *testing.T) store.Options { return store.Options{URL: storetest.PostgresURL(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			var replicas []*store.Store
			for range 3 {
				st, err := store.Open(o)
				require.NoError(t, err)
				defer st.Close()
				_, err = st.Migrate(t.Context())
				require.NoError(t, err)
				replicas = append(replicas, st)
			}
			a, b := accounts(t, replicas[0])
			var writers, sealers sync.WaitGroup
			over := make(chan struct{})
			var mu sync.Mutex
			heard := map[string][]int64{}
			for _, st := range replicas {
				writers.Go(func() {
					for i := range 40 {
						if err := write(t.Context(), st, []string{a, b}[i%2], "test.write"); err != nil {
							t.Error(err)
						}
					}
				})
				s := sealer(st, func(account string, seq int64) {
					mu.Lock()
					defer mu.Unlock()
					heard[account] = append(heard[account], seq)
				})
				sealers.Go(func() {
					for {
						if _, err := s.Seal(t.Context()); err != nil {
							t.Error(err)
						}
						select {
						case <-over:
							return
						default:
						}
					}
				})
			}
			writers.Wait()
			close(over)
			sealers.Wait()
			sealAll(t, sealer(replicas[0], nil))
			require.EqualValues(t, 61, verify(t, replicas[1], a))
			require.EqualValues(t, 61, verify(t, replicas[2], b))
			for account, seqs := range heard {
				seen := map[int64]bool{}
				for _, n := range seqs {
					require.False(t, seen[n], "%d of %s was announced twice", n, account)
					seen[n] = true
				}
			}
		})
	}
}

// What PostgreSQL makes of JSON, times and texts hashes as it did before.
func TestChainSurvivesTheDatabasesOwnForms(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	a, _ := accounts(t, st)
	require.NoError(t, write(t.Context(), st, a, "test.forms"))
	sealAll(t, sealer(st, nil))
	_, err := st.System().Exec("SET TIME ZONE 'Asia/Tokyo'")
	require.NoError(t, err)
	require.EqualValues(t, 2, verify(t, st, a))
}

func newStream(st *store.Store) *audit.Stream {
	return audit.NewStream(st.System(), st.Dialect, slog.New(slog.DiscardHandler))
}

// announced is what was announced already; nothing waits for what isn't coming.
func announced(t testing.TB, s *events.Subscription[audit.Numbered]) audit.Numbered {
	t.Helper()
	select {
	case n := <-s.C():
		return n
	default:
		require.Fail(t, "nothing was announced")
		return audit.Numbered{}
	}
}

func TestStreamAnnouncesWhatThisAndOtherReplicasSealed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		a, b := accounts(t, st)
		here, there := newStream(st), newStream(st)
		mine, theirs, foreign := here.Watch(a), there.Watch(a), there.Watch(b)
		defer mine.Close()
		defer theirs.Close()
		defer foreign.Close()
		sealAll(t, sealer(st, here.Announce))
		require.Equal(t, audit.Numbered{AccountID: a, Seq: 1}, announced(t, mine))
		require.Empty(t, theirs.C(), "the other replica has not looked yet")

		require.NoError(t, there.Poll(t.Context()))
		require.Equal(t, audit.Numbered{AccountID: a, Seq: 1}, announced(t, theirs))
		require.Equal(t, audit.Numbered{AccountID: b, Seq: 1}, announced(t, foreign))
		require.NoError(t, there.Poll(t.Context()))
		require.NoError(t, here.Poll(t.Context()))
		require.Empty(t, theirs.C(), "nothing is announced twice")
		require.Empty(t, mine.C())

		require.NoError(t, write(t.Context(), st, a, "test.more"))
		require.NoError(t, here.Poll(t.Context()))
		require.Empty(t, mine.C(), "nothing is announced before it is sealed")
		sealAll(t, sealer(st, here.Announce))
		require.EqualValues(t, 2, announced(t, mine).Seq)
		here.Announce(a, 1)
		require.Empty(t, mine.C(), "numbers only rise")
	})
}

func TestStreamEndsASlowConsumer(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	s := newStream(st)
	slow := s.Watch("acc_1")
	for i := range int64(257) {
		require.NoError(t, slow.Err())
		s.Announce("acc_1", i+1)
	}
	n := 0
	for range slow.C() {
		n++
	}
	require.Equal(t, 256, n)
	require.ErrorIs(t, slow.Err(), events.ErrSlow)
	next := s.Watch("acc_1")
	defer next.Close()
	s.Announce("acc_1", 300)
	require.EqualValues(t, 300, announced(t, next).Seq)
}

// With nothing to seal, the one who writes on SQLite is not disturbed.
func TestSealBeginsNoTransactionWithoutWork(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	s := sealer(st, nil)
	s.WriteTx = func(context.Context, func(*sql.Tx) error) error { t.Error("a transaction was begun"); return nil }
	n, err := s.Seal(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
}
