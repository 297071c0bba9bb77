package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func unbase64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	require.NoError(t, err)
	return b
}

func retention(st *store.Store) *audit.Retention {
	return &audit.Retention{DB: st.System(), Dialect: st.Dialect, Signer: signer, Now: st.Now, Log: slog.New(slog.DiscardHandler),
		InTx: func(ctx context.Context, f func(context.Context, *sql.Tx, func(audit.Event) error) error) error {
			return st.InTx(tenancy.System(ctx, "retention"), func(ctx context.Context, tx *store.Tx) error {
				return f(ctx, tx.SQL(), func(e audit.Event) error { return tx.Audit(ctx, e) })
			})
		}}
}

// aged writes sealed events so many days old.
func aged(t testing.TB, st *store.Store, account string, days ...int) {
	t.Helper()
	for _, d := range days {
		require.NoError(t, st.InTx(tenancy.System(t.Context(), "test"), func(ctx context.Context, tx *store.Tx) error {
			return audit.Write(ctx, tx.Client, st.Now().Add(-time.Duration(d)*24*time.Hour), audit.Event{Action: "test.old", AccountID: account,
				Plane: tenancy.PlaneAccount, ScopePath: "/" + account + "/", TargetName: fmt.Sprint(d)})
		}))
	}
}

func keep(t testing.TB, st *store.Store, account string, days int) {
	t.Helper()
	_, err := st.System().ExecContext(t.Context(), fmt.Sprintf("UPDATE accounts SET audit_retention_days = %d WHERE id = '%s'", days, account))
	require.NoError(t, err)
}

func TestRetentionDeletesWhatIsTooOld(t *testing.T) {
	t.Parallel()
	storetest.EachOwned(t, func(t *testing.T, st *store.Store, owner *sql.DB) {
		ctx := tenancy.System(t.Context(), "test")
		a, b := accounts(t, st)
		s, r := sealer(st, nil), retention(st)
		aged(t, st, a, 400, 300, 200, 100, 50, 10)
		aged(t, st, b, 400, 300)
		sealAll(t, s) // by id, and so by age; the account's own creation comes last
		prune := func() int64 {
			n, err := r.Prune(ctx)
			require.NoError(t, err)
			sealAll(t, s)
			return n
		}
		require.Zero(t, prune(), "nobody asked")
		require.NoError(t, s.Checkpoint(ctx))
		keep(t, st, a, 90)
		require.EqualValues(t, 4, prune())
		require.Zero(t, prune())
		require.Equal(t, 2, st.AuditEvent.Query().Where(auditevent.AccountID(a), auditevent.Action("test.old")).CountX(ctx))
		told := st.AuditEvent.Query().Where(auditevent.AccountID(a), auditevent.Action("audit.prune")).OnlyX(ctx)
		require.JSONEq(t, `{"before":0,"after":4}`, string(changesOf(t, told.Changes)["upTo"]))
		require.JSONEq(t, `{"before":4,"after":0}`, string(changesOf(t, told.Changes)["events"]))
		v, err := audit.Verify(ctx, st.System(), st.Dialect, a, audit.Trust{Keys: signer.Keys()})
		require.NoError(t, err)
		require.EqualValues(t, 5, v.First)
		require.EqualValues(t, 8, v.Last)
		require.EqualValues(t, 3, verify(t, st, b), "another account's stay")

		// Again, behind the first anchor; the export begins there too.
		keep(t, st, a, 30)
		require.EqualValues(t, 1, prune())
		v, err = audit.Verify(ctx, st.System(), st.Dialect, a, audit.Trust{Keys: signer.Keys()})
		require.NoError(t, err)
		require.EqualValues(t, 6, v.First)
		f := &forger{TB: t, st: st, owner: owner, a: a, b: b, trust: audit.Trust{Keys: signer.Keys()}}
		text := exported(f)
		v, err = verifyExport(text, f.trust)
		require.NoError(t, err)
		require.EqualValues(t, 6, v.First)
		require.EqualValues(t, 9, v.Last)
		_, err = verifyExport(bytes.Replace(text, []byte(`"anchor"`), []byte(`"nothing"`), 1), f.trust)
		named(t, err, 1, a)

		// The anchor can't be moved, nor go missing.
		if st.Dialect == store.Postgres {
			f.exec("ALTER TABLE audit_events NO FORCE ROW LEVEL SECURITY; ALTER TABLE audit_checkpoints NO FORCE ROW LEVEL SECURITY")
		}
		f.exec("DELETE FROM audit_events" + account + "seq = 6")
		named(t, f.verify(a, f.trust), 6, a)
		f.exec("DELETE FROM audit_checkpoints" + account + "seq = 5")
		named(t, f.verify(a, f.trust), 5, a)
	})
}

func changesOf(t testing.TB, text []byte) map[string][]byte {
	t.Helper()
	raw := map[string]json.RawMessage{}
	require.NoError(t, json.Unmarshal(text, &raw))
	out := map[string][]byte{}
	for k, v := range raw {
		out[k] = v
	}
	return out
}

// More than one batch goes in several transactions, each with its own event.
func TestRetentionDeletesInBatches(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		ctx := tenancy.System(t.Context(), "test")
		a, _ := accounts(t, st)
		require.NoError(t, st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
			for range 5100 {
				if err := audit.Write(ctx, tx.Client, st.Now().Add(-100*24*time.Hour), audit.Event{Action: "test.old", AccountID: a, Plane: tenancy.PlaneAccount, ScopePath: "/" + a + "/"}); err != nil {
					return err
				}
			}
			return nil
		}))
		s := sealer(st, nil)
		sealAll(t, s)
		keep(t, st, a, 90)
		n, err := retention(st).Prune(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 5100, n)
		require.Equal(t, 2, st.AuditEvent.Query().Where(auditevent.AccountID(a), auditevent.Action("audit.prune")).CountX(ctx))
		require.NoError(t, s.Checkpoint(ctx))
		v, err := audit.Verify(ctx, st.System(), st.Dialect, a, audit.Trust{Keys: signer.Keys()})
		require.NoError(t, err, "before the events that tell of it are sealed")
		require.EqualValues(t, 1, v.Count())
		_, err = audit.Anchor(ctx, st.System(), st.Dialect, a)
		require.ErrorIs(t, err, audit.ErrUnsettled)
		sealAll(t, s)
		require.EqualValues(t, 5103, verify(t, st, a))
	})
}

// The deletion and the event that tells of it happen together or not at all.
func TestRetentionWithoutItsEventDeletesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		ctx := tenancy.System(t.Context(), "test")
		a, _ := accounts(t, st)
		aged(t, st, a, 100)
		sealAll(t, sealer(st, nil))
		keep(t, st, a, 90)
		r := retention(st)
		in := r.InTx
		r.InTx = func(ctx context.Context, f func(context.Context, *sql.Tx, func(audit.Event) error) error) error {
			return in(ctx, func(ctx context.Context, tx *sql.Tx, _ func(audit.Event) error) error {
				return f(ctx, tx, func(audit.Event) error { return errors.New("the event can't be written") })
			})
		}
		_, err := r.Prune(ctx)
		require.ErrorContains(t, err, "the event can't be written")
		require.EqualValues(t, 2, verify(t, st, a))
		require.Zero(t, st.AuditCheckpoint.Query().CountX(ctx))
	})
}

// On PostgreSQL the database itself refuses to delete more than retention asks
// for, whoever calls.
func TestOnlyRetentionDeletes(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	ctx := t.Context()
	a, b := accounts(t, st)
	aged(t, st, a, 100, 50)
	s := sealer(st, nil)
	sealAll(t, s)
	call := func(account string, seq int) error {
		var n int
		return st.System().QueryRowContext(ctx, "SELECT tenant_prune_audit($1, $2)", account, seq).Scan(&n)
	}
	_, err := st.System().ExecContext(ctx, "DELETE FROM audit_events")
	require.ErrorContains(t, err, "permission denied")
	require.ErrorContains(t, call(a, 1), "for good")
	keep(t, st, a, 90)
	require.ErrorContains(t, call(a, 1), "no checkpoint")
	_, err = s.CheckpointNow(ctx, a)
	require.NoError(t, err)
	require.ErrorContains(t, call(a, 3), "younger")
	require.ErrorContains(t, call(a, 1), "no checkpoint")
	require.ErrorContains(t, call(b, 1), "for good")
	require.ErrorContains(t, call("acc_unknown", 1), "for good")
	_, err = st.System().ExecContext(ctx, "INSERT INTO audit_checkpoints (id, account_id, plane, seq, hash, at, signature, signing_key_id) VALUES ($1, $2, 'ACCOUNT', 1, 'invented', now(), 'x', 'x')", id.New(id.AuditCheckpoint), a)
	require.NoError(t, err)
	require.ErrorContains(t, call(a, 1), "no checkpoint")
	var may bool
	require.NoError(t, st.System().QueryRowContext(ctx, "SELECT has_function_privilege('cockpit_tenant', 'tenant_prune_audit(text, bigint)', 'EXECUTE')").Scan(&may))
	require.False(t, may)
	require.Equal(t, 3, st.AuditEvent.Query().Where(auditevent.AccountID(a)).CountX(tenancy.System(ctx, "test")))
}
