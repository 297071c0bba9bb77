package audit_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/migrate"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// forger is an account with six sealed events and a checkpoint at the last,
// and somebody who may do everything to the database.
type forger struct {
	testing.TB
	st    *store.Store
	owner *sql.DB
	a, b  string
	kept  audit.Checkpoint
	// otherTrust sets other keys.
	trust audit.Trust
}

func newForger(t testing.TB, st *store.Store, owner *sql.DB) *forger {
	t.Helper()
	a, b := accounts(t, st)
	for i := range 5 {
		require.NoError(t, st.InTx(tenancy.System(t.Context(), "test"), func(ctx context.Context, tx *store.Tx) error {
			return tx.Audit(ctx, audit.Event{Action: "test.write", AccountID: a, Plane: tenancy.PlaneAccount, ScopeID: a, ScopePath: "/" + a + "/",
				TargetID: "tgt_1", TargetName: "=Target", Reason: "because", DecisionID: "dec_1", Count: i + 1,
				Changes: map[string]audit.Change{"limit": {Before: 1, After: "ü <b>"}},
				Actor: &audit.Actor{Kind: auditevent.ActorKindUSER, ID: "usr_1", Name: "Ada",
					Via: auditevent.ViaKindCLIENT, ViaID: "cli_1", ViaName: "alchemi-web"}})
		}))
	}
	s := sealer(st, nil)
	sealAll(t, s)
	require.NoError(t, s.Checkpoint(t.Context()))
	f := &forger{TB: t, st: st, owner: owner, a: a, b: b, trust: audit.Trust{Keys: signer.Keys()}}
	newest, err := audit.Newest(t.Context(), st.System(), st.Dialect, a)
	require.NoError(t, err)
	f.kept = *newest
	require.EqualValues(t, 6, f.kept.Seq)
	require.EqualValues(t, 6, verify(t, st, a))
	if st.Dialect == store.Postgres {
		for _, table := range []string{"audit_events", "audit_checkpoints", "accounts"} {
			f.exec("ALTER TABLE " + table + " NO FORCE ROW LEVEL SECURITY")
		}
		f.exec("DROP TRIGGER tenant_audit_sealed ON audit_events")
	} else {
		f.exec("DROP TRIGGER tenant_audit_sealed")
	}
	return f
}

// exec runs statements in which {a} and {b} are the accounts.
func (f *forger) exec(statements string) {
	f.Helper()
	for _, s := range strings.Split(statements, "; ") {
		_, err := f.owner.ExecContext(f.Context(), strings.NewReplacer("{a}", f.a, "{b}", f.b).Replace(s))
		require.NoError(f, err, s)
	}
}

// rehash makes the chain anew from a number on, as somebody does who knows how.
func (f *forger) rehash(account string, from int64) {
	f.Helper()
	rehashed := *sealer(f.st, nil)
	rehashed.Signer = nil
	f.exec(fmt.Sprintf("UPDATE accounts SET audit_hash = COALESCE((SELECT hash FROM audit_events WHERE account_id = '%[1]s' AND seq = %[2]d), ''), audit_seq = %[2]d WHERE id = '%[1]s'", account, from-1))
	f.exec(fmt.Sprintf("UPDATE audit_events SET seq = NULL WHERE account_id = '%s' AND seq >= %d", account, from))
	sealAll(f, &rehashed)
}

func (f *forger) sign(s *audit.Signer, account string) {
	f.Helper()
	by := *sealer(f.st, nil)
	by.Signer = s
	_, err := by.CheckpointNow(f.Context(), account)
	require.NoError(f, err)
}

const account = " WHERE account_id = '{a}' AND "

// forgeries are what is done to the log, and the event that the verifier must
// name, or a word of its message.
var forgeries = map[string]struct {
	do     func(f *forger)
	broken int
	kept   bool // found with a kept checkpoint alone
}{
	"removed from the middle": {do: func(f *forger) { f.exec("DELETE FROM audit_events" + account + "seq = 3") }, broken: 3},
	"removed the first":       {do: func(f *forger) { f.exec("DELETE FROM audit_events" + account + "seq = 1") }, broken: 1},
	"removed the newest":      {do: func(f *forger) { f.exec("DELETE FROM audit_events" + account + "seq = 6") }, broken: 6},
	"removed newest three":    {do: func(f *forger) { f.exec("DELETE FROM audit_events" + account + "seq > 3") }, broken: 4},
	"removed all":             {do: func(f *forger) { f.exec("DELETE FROM audit_events WHERE account_id = '{a}'") }, broken: 1},
	"unsealed again":          {do: func(f *forger) { f.exec("UPDATE audit_events SET seq = NULL" + account + "seq = 6") }, broken: 6},
	"closed the gap": {do: func(f *forger) {
		f.exec("DELETE FROM audit_events" + account + "seq = 3; UPDATE audit_events SET seq = -seq" + account + "seq > 3; UPDATE audit_events SET seq = -seq - 1" + account + "seq < 0")
	}, broken: 3},
	"swapped": {do: func(f *forger) {
		f.exec("UPDATE audit_events SET seq = -2" + account + "seq = 2; UPDATE audit_events SET seq = 2" + account + "seq = 4; UPDATE audit_events SET seq = 4" + account + "seq = -2")
	}, broken: 2},
	"renumbered by one": {do: func(f *forger) {
		f.exec("UPDATE audit_events SET seq = -seq WHERE account_id = '{a}'; UPDATE audit_events SET seq = 1 - seq WHERE account_id = '{a}'; UPDATE accounts SET audit_seq = 7 WHERE id = '{a}'")
	}, broken: 1},
	"inserted": {do: func(f *forger) {
		f.exec("UPDATE audit_events SET seq = -seq" + account + "seq > 2; UPDATE audit_events SET seq = 1 - seq" + account + "seq < 0; " +
			"UPDATE accounts SET audit_seq = 7 WHERE id = '{a}'")
		f.copy("seq = 3")
	}, broken: 3},
	"inserted at the end":           {do: func(f *forger) { f.copy("seq = 7") }, broken: 7},
	"inserted before the beginning": {do: func(f *forger) { f.copy("seq = 0") }, broken: 0},
	"truncated, and the counters with it": {do: func(f *forger) {
		f.exec("DELETE FROM audit_events" + account + "seq > 4; UPDATE accounts SET audit_seq = 4, audit_hash = (SELECT hash FROM audit_events" + account + "seq = 4) WHERE id = '{a}'")
	}, broken: 5},
	"truncated, the counters and the checkpoints with it": {do: func(f *forger) {
		f.exec("DELETE FROM audit_events" + account + "seq > 4; UPDATE accounts SET audit_seq = 4, audit_hash = (SELECT hash FROM audit_events" + account + "seq = 4) WHERE id = '{a}'; " +
			"DELETE FROM audit_checkpoints WHERE account_id = '{a}'")
	}, broken: 5, kept: true},
	"edited and made anew": {do: func(f *forger) {
		f.exec("UPDATE audit_events SET action = 'test.harmless'" + account + "seq = 3")
		f.rehash(f.a, 3)
	}, broken: 6},
	"edited and made anew, no checkpoint left": {do: func(f *forger) {
		f.exec("UPDATE audit_events SET action = 'test.harmless'" + account + "seq = 3; DELETE FROM audit_checkpoints WHERE account_id = '{a}'")
		f.rehash(f.a, 3)
	}, broken: 6, kept: true},
	"edited, made anew and signed by another key": {do: func(f *forger) {
		f.exec("UPDATE audit_events SET action = 'test.harmless'" + account + "seq = 3; DELETE FROM audit_checkpoints WHERE account_id = '{a}'")
		f.rehash(f.a, 3)
		f.sign(newSigner("//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA="), f.a)
	}, broken: 6},
	"checkpoint's key renamed to the known one": {do: func(f *forger) {
		f.exec("UPDATE audit_events SET action = 'test.harmless'" + account + "seq = 3; DELETE FROM audit_checkpoints WHERE account_id = '{a}'")
		f.rehash(f.a, 3)
		f.sign(newSigner("//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA="), f.a)
		f.exec("UPDATE audit_checkpoints SET signing_key_id = '" + f.kept.KeyID + "' WHERE account_id = '{a}'")
	}, broken: 6},
	"checkpoint's hash made to fit": {do: func(f *forger) {
		f.exec("UPDATE audit_events SET action = 'test.harmless'" + account + "seq = 3")
		f.rehash(f.a, 3)
		f.exec("UPDATE audit_checkpoints SET hash = (SELECT audit_hash FROM accounts WHERE id = '{a}') WHERE account_id = '{a}'")
	}, broken: 6},
	"checkpoint's time changed": {do: func(f *forger) {
		f.exec("UPDATE audit_checkpoints SET at = '2020-01-01 00:00:00+00:00' WHERE account_id = '{a}'")
	}, broken: 6},
	"checkpoint's number changed": {do: func(f *forger) { f.exec("UPDATE audit_checkpoints SET seq = 5 WHERE account_id = '{a}'") }, broken: 5},
	"checkpoint of another account": {do: func(f *forger) {
		f.exec("DELETE FROM audit_checkpoints WHERE account_id = '{a}'; UPDATE audit_checkpoints SET account_id = '{a}' WHERE account_id = '{b}'")
	}, broken: 1},
	"the oldest removed as if by retention": {do: func(f *forger) {
		f.exec("DELETE FROM audit_events" + account + "seq <= 6")
	}, broken: 1},
	"the oldest removed, and an event that says so": {do: func(f *forger) {
		require.NoError(f, f.st.InTx(tenancy.System(f.Context(), "test"), func(ctx context.Context, tx *store.Tx) error {
			return tx.Audit(ctx, audit.Event{Action: "audit.prune", AccountID: f.a, Plane: tenancy.PlaneAccount, ScopePath: "/",
				Changes: map[string]audit.Change{"upTo": {After: 3}}})
		}))
		f.exec("DELETE FROM audit_events" + account + "seq <= 3")
		sealAll(f, sealer(f.st, nil))
	}, broken: 3},
}

// copy inserts a copy of the second event.
func (f *forger) copy(set string) {
	f.Helper()
	columns := strings.Join(columnsOf(f.TB, "id", "seq"), ", ")
	number := strings.TrimPrefix(set, "seq = ")
	f.exec("INSERT INTO audit_events (id, seq, " + columns + ") SELECT 'aud_copied', " + number + ", " + columns + " FROM audit_events WHERE account_id = '{a}' AND target_id = 'tgt_1' ORDER BY id LIMIT 1")
}

func columnsOf(t testing.TB, except ...string) (out []string) {
	t.Helper()
	for _, table := range migrate.Tables {
		if table.Name != "audit_events" {
			continue
		}
		for _, c := range table.Columns {
			if !strings.Contains(" "+strings.Join(except, " ")+" ", " "+c.Name+" ") {
				out = append(out, c.Name)
			}
		}
	}
	require.NotEmpty(t, out)
	return out
}

func (f *forger) verify(account string, t audit.Trust) error {
	_, err := audit.Verify(f.Context(), f.st.System(), f.st.Dialect, account, t)
	return err
}

func named(t testing.TB, err error, seq int, account string) {
	t.Helper()
	require.ErrorIs(t, err, audit.ErrBroken)
	require.ErrorContains(t, err, fmt.Sprintf("at event %d of account %s", seq, account))
}

func TestVerifyFindsForgeries(t *testing.T) {
	t.Parallel()
	for name, forgery := range forgeries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.EachOwned(t, func(t *testing.T, st *store.Store, owner *sql.DB) {
				f := newForger(t, st, owner)
				forgery.do(f)
				err := f.verify(f.a, f.trust)
				if forgery.kept {
					require.NoError(t, err, "nothing in the database tells")
				} else {
					named(t, err, forgery.broken, f.a)
				}
				f.trust.Kept = []audit.Checkpoint{f.kept}
				err = f.verify(f.a, f.trust)
				require.ErrorIs(t, err, audit.ErrBroken)
				if forgery.kept {
					named(t, err, forgery.broken, f.a)
				}
			})
		})
	}
}

// Every column of an event is covered by its hash, those of later migrations
// too.
func TestVerifyFindsEveryEditedColumn(t *testing.T) {
	t.Parallel()
	storetest.EachOwned(t, func(t *testing.T, st *store.Store, owner *sql.DB) {
		f := newForger(t, st, owner)
		other := map[string]string{"seq": "17", "count": "99", "at": "'2020-01-01 00:00:00+00:00'", "changes": `'{"limit":{"before":1,"after":"ü <i>"}}'`,
			"account_id": "'{b}'", "plane": "'CONSOLE'", "actor_kind": "'KEY'", "via_kind": "'NONE'", "outcome": "'FAILED'"}
		for _, column := range columnsOf(t) {
			set, ok := other[column]
			if !ok {
				set = "'edited'"
			}
			value := f.read(column, 3)
			id, _ := f.read("id", 3).(string)
			f.exec("UPDATE audit_events SET " + column + " = " + set + account + "seq = 3")
			named(t, f.verify(f.a, f.trust), 3, f.a)
			if column == "id" {
				id = "edited"
			}
			placeholder := []string{"?", "?"}
			if st.Dialect == store.Postgres {
				placeholder = []string{"$1", "$2"}
			}
			_, err := owner.ExecContext(t.Context(), "UPDATE audit_events SET "+column+" = "+placeholder[0]+" WHERE id = "+placeholder[1], value, id)
			require.NoError(t, err)
			require.NoError(t, f.verify(f.a, f.trust), "undone: %s", column)
			if column == "via_kind" || strings.HasPrefix(column, "via_") || column == "reason" {
				f.exec("UPDATE audit_events SET " + column + " = ''" + account + "seq = 3")
				named(t, f.verify(f.a, f.trust), 3, f.a)
				_, err := owner.ExecContext(t.Context(), "UPDATE audit_events SET "+column+" = "+placeholder[0]+" WHERE id = "+placeholder[1], value, id)
				require.NoError(t, err)
			}
		}
		// An event in which nobody acted through anything.
		f.exec("UPDATE audit_events SET via_kind = ''" + account + "seq = 1")
		named(t, f.verify(f.a, f.trust), 1, f.a)
	})
}

func (f *forger) read(column string, seq int) (value any) {
	f.Helper()
	require.NoError(f, f.owner.QueryRowContext(f.Context(), fmt.Sprintf("SELECT %s FROM audit_events WHERE account_id = '%s' AND seq = %d", column, f.a, seq)).Scan(&value))
	if b, ok := value.([]byte); ok {
		return string(b)
	}
	return value
}

// An event that is moved is missing in one account, and too many in the other.
func TestVerifyFindsAMovedEvent(t *testing.T) {
	t.Parallel()
	storetest.EachOwned(t, func(t *testing.T, st *store.Store, owner *sql.DB) {
		f := newForger(t, st, owner)
		f.exec("UPDATE audit_events SET account_id = '{b}', seq = 2 WHERE account_id = '{a}' AND seq = 6")
		named(t, f.verify(f.a, f.trust), 6, f.a)
		named(t, f.verify(f.b, f.trust), 2, f.b)
		f.exec("UPDATE accounts SET audit_seq = 2, audit_hash = (SELECT hash FROM audit_events WHERE account_id = '{b}' AND seq = 2) WHERE id = '{b}'")
		named(t, f.verify(f.b, f.trust), 2, f.b)
	})
}

// Without the trigger dropped, nobody changes what is sealed.
func TestSealedEventsCantBeChanged(t *testing.T) {
	t.Parallel()
	storetest.EachOwned(t, func(t *testing.T, st *store.Store, owner *sql.DB) {
		a, _ := accounts(t, st)
		sealAll(t, sealer(st, nil))
		if st.Dialect == store.Postgres {
			_, err := owner.ExecContext(t.Context(), "ALTER TABLE audit_events NO FORCE ROW LEVEL SECURITY")
			require.NoError(t, err)
		}
		for _, db := range []*sql.DB{owner, st.System()} {
			for _, set := range []string{"count = count + 1", "seq = seq + 1", "seq = NULL", "hash = 'x'", "action = 'x'"} {
				_, err := db.ExecContext(t.Context(), "UPDATE audit_events SET "+set+" WHERE account_id = '"+a+"'")
				require.Error(t, err, set)
			}
		}
		require.EqualValues(t, 1, verify(t, st, a))
	})
}

// Events that were sealed before there were vias verify as they are.
func TestVerifyReadsTheOldForm(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/chain_before_via.ndjson")
	require.NoError(t, err)
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		accounts(t, st)
		const account = "acc_01JD0000000000000000000000"
		insert := "INSERT INTO accounts (id, account_id, plane, created_at, updated_at, epoch_at, name, slug) VALUES ('" + account + "', '" + account + "', 'ACCOUNT', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', 'Old', 'old')"
		_, err := st.System().ExecContext(t.Context(), insert)
		require.NoError(t, err)
		var last audit.Record
		for line := range bytes.Lines(text) {
			require.NoError(t, json.Unmarshal(line, &last))
			var e struct {
				ID, Plane, At, ActorKind, ActorID, ActorName, Action, Outcome, ScopeID, ScopePath, TargetID, TargetName, Reason, DecisionID, RequestID string
				Changes                                                                                                                                json.RawMessage
				Count                                                                                                                                  int
			}
			require.NoError(t, json.Unmarshal(last.Event, &e))
			at, err := time.Parse(time.RFC3339Nano, e.At)
			require.NoError(t, err)
			require.NoError(t, st.InTx(tenancy.System(t.Context(), "test"), func(ctx context.Context, tx *store.Tx) error {
				create := tx.AuditEvent.Create().SetID(e.ID).SetAccountID(account).SetPlane(auditevent.Plane(e.Plane)).SetAt(at).SetActorKind(auditevent.ActorKind(e.ActorKind)).
					SetActorID(e.ActorID).SetActorName(e.ActorName).SetAction(e.Action).SetOutcome(auditevent.Outcome(e.Outcome)).SetScopeID(e.ScopeID).SetScopePath(e.ScopePath).
					SetTargetID(e.TargetID).SetTargetName(e.TargetName).SetReason(e.Reason).SetDecisionID(e.DecisionID).SetRequestID(e.RequestID).SetCount(e.Count).
					SetSeq(last.Seq).SetHash(last.Hash)
				if e.Changes != nil {
					create.SetChanges(e.Changes)
				}
				return create.Exec(ctx)
			}))
		}
		_, err = st.System().ExecContext(t.Context(), fmt.Sprintf("UPDATE accounts SET audit_seq = %d, audit_hash = '%s' WHERE id = '%s'", last.Seq, last.Hash, account))
		require.NoError(t, err)
		require.EqualValues(t, 3, verify(t, st, account))
		require.NoError(t, write(t.Context(), st, account, "test.new"))
		sealAll(t, sealer(st, nil))
		require.EqualValues(t, 4, verify(t, st, account))
	})
}
