package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// exported is a whole export of the forger's account, as the server makes it.
func exported(f *forger) []byte {
	f.Helper()
	s := sealer(f.st, nil)
	tip, err := s.CheckpointNow(f.Context(), f.a)
	require.NoError(f, err)
	anchor, err := audit.Anchor(f.Context(), f.st.System(), f.st.Dialect, f.a)
	require.NoError(f, err)
	return export(f, f.st, audit.NDJSON, audit.Selection{AccountID: f.a},
		audit.Header{Account: f.a, Slug: "aaa", Scope: f.a, At: f.st.Now(), UpTo: tip.Seq, Whole: true, Anchor: anchor}, tip)
}

func export(t testing.TB, st *store.Store, format audit.Format, sel audit.Selection, h audit.Header, c *audit.Checkpoint) []byte {
	t.Helper()
	var out bytes.Buffer
	x := audit.Export{Client: st.Client, Selection: sel, Format: format, Header: h, Checkpoint: c}
	require.NoError(t, x.Write(tenancy.System(t.Context(), "test"), &out))
	return out.Bytes()
}

func verifyExport(text []byte, t audit.Trust) (audit.Verified, error) {
	_, v, err := audit.VerifyExport(bytes.NewReader(text), t)
	return v, err
}

func TestVerifyExportFindsForgeries(t *testing.T) {
	t.Parallel()
	storetest.EachOwned(t, func(t *testing.T, st *store.Store, owner *sql.DB) {
		f := newForger(t, st, owner)
		text := exported(f)
		v, err := verifyExport(text, f.trust)
		require.NoError(t, err)
		require.EqualValues(t, 6, v.Count())
		lines := strings.SplitAfter(strings.TrimSpace(string(text)), "\n")
		require.Len(t, lines, 8)
		of := func(lines ...string) []byte { return []byte(strings.Join(lines, "")) }
		edited := func(i int, old, replacement string) []byte {
			require.Contains(t, lines[i], old)
			out := append([]string{}, lines...)
			out[i] = strings.Replace(out[i], old, replacement, 1)
			return of(out...)
		}
		other := newSigner("//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=")
		for name, c := range map[string]struct {
			text   []byte
			broken int
		}{
			"dropped from the middle": {of(append(append([]string{}, lines[:3]...), lines[4:]...)...), 3},
			"dropped the first":       {of(append([]string{lines[0]}, lines[2:]...)...), 1},
			"dropped the newest":      {of(append(append([]string{}, lines[:6]...), lines[7:]...)...), 6},
			"cut off":                 {of(lines[:5]...), 5},
			"swapped":                 {of(lines[0], lines[1], lines[3], lines[2], lines[4], lines[5], lines[6], lines[7]), 2},
			"twice":                   {of(lines[0], lines[1], lines[2], lines[2], lines[3], lines[4], lines[5], lines[6], lines[7]), 3},
			"added behind the end":    {of(append(append([]string{}, lines[:7]...), lines[7]+"\n", lines[2])...), 7},
			"renumbered":              {edited(3, `"seq":3`, `"seq":4`), 3},
			"hash":                    {edited(3, `"hash":"`, `"hash":"0`), 3},
			"a field twice":           {edited(3, `{"seq":3,`, `{"seq":3,"event":{"action":"test.harmless"},`), 3},
			"blanks":                  {edited(3, `{"seq":3,`, `{"seq": 3,`), 3},
			"another account's":       {edited(0, f.a, f.b), 0},
			"no checkpoint":           {edited(7, `"checkpoint"`, `"nothing"`), 6},
			"checkpoint's number":     {edited(7, `"seq":6`, `"seq":5`), 5},
			"checkpoint's hash":       {edited(7, f.kept.Hash, strings.Repeat("0", 64)), 6},
			"signature":               {edited(7, f.kept.Signature, strings.Repeat("A", 86)+"=="), 6},
			"another key's id":        {edited(7, f.kept.KeyID, secret.KeyID(other.Public())), 6},
			"wrong count":             {edited(7, `"events":6`, `"events":5`), 6},
			"an anchor nobody left":   {edited(0, `"whole":true`, `"whole":true,"anchor":`+jsonOf(t, f.kept)), 7},
		} {
			_, err := verifyExport(c.text, f.trust)
			require.ErrorIs(t, err, audit.ErrBroken, name)
			if c.broken > 0 {
				require.ErrorContains(t, err, fmt.Sprintf("at event %d of account %s", c.broken, f.a), name)
			}
		}

		// Every field of every event.
		var r audit.Record
		require.NoError(t, json.Unmarshal([]byte(lines[3]), &r))
		var fields map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(r.Event, &fields))
		require.Len(t, fields, 21)
		for name, value := range fields {
			old := `"` + name + `":` + string(value)
			require.Contains(t, string(r.Event), old)
			for _, replacement := range []string{`"` + name + `":"edited"`, `"` + name + `":7`, `"` + name + `x":` + string(value)} {
				r2 := r
				r2.Event = json.RawMessage(strings.Replace(string(r.Event), old, replacement, 1))
				out := append([]string{}, lines...)
				out[3] = jsonOf(t, r2) + "\n"
				_, err := verifyExport(of(out...), f.trust)
				named(t, err, 3, f.a)
			}
		}

		// Older, but whole: only what was kept elsewhere tells.
		f2 := *f
		require.NoError(t, write(t.Context(), st, f.a, "test.more"))
		sealAll(t, sealer(st, nil))
		newer := exported(&f2)
		_, err = verifyExport(newer, f.trust)
		require.NoError(t, err)
		newest, err := audit.Newest(t.Context(), st.System(), st.Dialect, f.a)
		require.NoError(t, err)
		_, err = verifyExport(text, f.trust)
		require.NoError(t, err)
		f.trust.Kept = []audit.Checkpoint{*newest}
		_, err = verifyExport(text, f.trust)
		named(t, err, 7, f.a)
		_, err = verifyExport(newer, f.trust)
		require.NoError(t, err)

		for name, text := range map[string][]byte{"nothing": nil, "something else": []byte("seq,at\n1,2\n"),
			"leaves events out": edited(0, `"whole":true`, `"whole":false`)} {
			_, err := verifyExport(text, audit.Trust{Keys: f.trust.Keys})
			require.Error(t, err, name)
			require.NotErrorIs(t, err, audit.ErrBroken, name)
		}
	})
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// An export made of a forged log carries the forgery to its verifier.
func TestVerifyExportOfAForgedLog(t *testing.T) {
	t.Parallel()
	storetest.EachOwned(t, func(t *testing.T, st *store.Store, owner *sql.DB) {
		f := newForger(t, st, owner)
		f.exec("UPDATE audit_events SET action = 'test.harmless'" + account + "seq = 3")
		_, err := verifyExport(exported(f), f.trust)
		named(t, err, 3, f.a)
		f.exec("DELETE FROM audit_checkpoints WHERE account_id = '{a}'")
		f.rehash(f.a, 3)
		text := exported(f)
		_, err = verifyExport(text, f.trust)
		require.NoError(t, err, "made anew, and signed by the server that knows no better")
		f.trust.Kept = []audit.Checkpoint{f.kept}
		_, err = verifyExport(text, f.trust)
		named(t, err, 6, f.a)
	})
}

func TestExportNeutralizesFormulas(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		a, _ := accounts(t, st)
		names := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "harmless", "a,b\n\"c\""}
		for _, name := range names {
			require.NoError(t, st.InTx(tenancy.System(t.Context(), "test"), func(ctx context.Context, tx *store.Tx) error {
				return tx.Audit(ctx, audit.Event{Action: "test.write", AccountID: a, Plane: tenancy.PlaneAccount, ScopePath: "/" + a + "/", TargetName: name})
			}))
		}
		sealAll(t, sealer(st, nil))
		text := export(t, st, audit.CSV, audit.Selection{AccountID: a, Filter: audit.Filter{Action: "test"}}, audit.Header{Account: a, UpTo: 100}, nil)
		rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, len(names)+1)
		target := 11
		require.Equal(t, "target", rows[0][target])
		for i, name := range names {
			want := name
			if strings.ContainsAny(name[:1], "=+-@\t") {
				want = "'" + name
			}
			require.Equal(t, want, rows[i+1][target])
			at, err := time.Parse(time.RFC3339Nano, rows[i+1][1])
			require.NoError(t, err)
			require.Equal(t, time.UTC, at.Location())
		}
	})
}

// Memory doesn't grow with the log: no write is larger than a page.
func TestExportIsWrittenInPages(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	a, _ := accounts(t, st)
	require.NoError(t, st.InTx(tenancy.System(t.Context(), "test"), func(ctx context.Context, tx *store.Tx) error {
		for range 2500 {
			if err := tx.Audit(ctx, audit.Event{Action: "test.write", AccountID: a, Plane: tenancy.PlaneAccount, ScopePath: "/" + a + "/"}); err != nil {
				return err
			}
		}
		return nil
	}))
	s := sealer(st, nil)
	sealAll(t, s)
	tip, err := s.CheckpointNow(t.Context(), a)
	require.NoError(t, err)
	w := &pages{}
	x := audit.Export{Client: st.Client, Selection: audit.Selection{AccountID: a}, Format: audit.NDJSON, Checkpoint: tip,
		Header: audit.Header{Account: a, UpTo: tip.Seq, Whole: true}}
	require.NoError(t, x.Write(tenancy.System(t.Context(), "test"), w))
	require.Equal(t, 3, w.n)
	v, err := verifyExport(w.all.Bytes(), audit.Trust{Keys: signer.Keys()})
	require.NoError(t, err)
	require.EqualValues(t, 2501, v.Count())
}

type pages struct {
	n   int
	all bytes.Buffer
}

func (p *pages) Write(b []byte) (int, error) {
	p.n++
	return p.all.Write(b)
}

// What docs/audit.md describes, done by hand: a verifier that shares nothing
// with this package but the text of the document.
func TestAnybodyCanVerify(t *testing.T) {
	t.Parallel()
	storetest.EachOwned(t, func(t *testing.T, st *store.Store, owner *sql.DB) {
		f := newForger(t, st, owner)
		lines := strings.Split(strings.TrimSpace(string(exported(f))), "\n")
		previous := ""
		for _, line := range lines[1 : len(lines)-1] {
			_, event, ok := strings.Cut(line, `,"event":`)
			require.True(t, ok)
			event = strings.TrimSuffix(event, "}")
			hash := sha256Hex(previous + event)
			require.Contains(t, line, `"hash":"`+hash+`"`)
			previous = hash
		}
		var end struct {
			End struct {
				Checkpoint struct {
					Account, Hash, At, Signature string
					Seq                          int64
				}
			}
		}
		require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &end))
		c := end.End.Checkpoint
		require.Equal(t, previous, c.Hash)
		signed := fmt.Sprintf("cockpit audit checkpoint 1\naccount %s\nseq %d\nhash %s\nat %s\n", c.Account, c.Seq, c.Hash, c.At)
		require.True(t, ed25519.Verify(signer.Public(), []byte(signed), unbase64(t, c.Signature)))
	})
}
