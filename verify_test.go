package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const masterKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

// kept is a data directory with an account's sealed and signed log, and what
// its admin keeps of it elsewhere.
type kept struct {
	dir, account             string
	export, checkpoint, keys string
}

func keep(t *testing.T) kept {
	t.Helper()
	k := kept{dir: t.TempDir()}
	ctx := tenancy.System(t.Context(), "test")
	st, err := store.Open(store.Options{Dir: k.dir})
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	_, err = st.Migrate(ctx)
	require.NoError(t, err)
	require.NoError(t, identity.CreatePlatform(ctx, st))
	require.NoError(t, st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err := identity.CreateAccount(ctx, tx, identity.AccountInput{Name: "Acme", Slug: "acme"})
		require.NoError(t, err)
		k.account = a.ID
		for range 5 {
			if err := tx.Audit(ctx, audit.Event{Action: "test.write", AccountID: a.ID, Plane: tenancy.PlaneAccount, ScopePath: "/" + a.ID + "/"}); err != nil {
				return err
			}
		}
		return nil
	}))
	signer, err := audit.NewSigner(masterKey)
	require.NoError(t, err)
	s := &audit.Sealer{DB: st.System(), WriteTx: st.WriteTx, Dialect: st.Dialect, Signer: signer, Now: st.Now, Log: slog.New(slog.DiscardHandler)}
	_, err = s.Seal(ctx)
	require.NoError(t, err)
	tip, err := s.CheckpointNow(ctx, k.account)
	require.NoError(t, err)

	file := func(name string, text []byte) string {
		path := filepath.Join(k.dir, name)
		require.NoError(t, os.WriteFile(path, text, 0o600))
		return path
	}
	var text bytes.Buffer
	require.NoError(t, audit.Export{Client: st.Client, Selection: audit.Selection{AccountID: k.account}, Format: audit.NDJSON, Checkpoint: tip,
		Header: audit.Header{Account: k.account, Slug: "acme", UpTo: tip.Seq, Whole: true}}.Write(ctx, &text))
	k.export = file("export.ndjson", text.Bytes())
	line, err := json.Marshal(tip)
	require.NoError(t, err)
	k.checkpoint = file("checkpoint.json", line)
	k.keys = file("jwks.json", fmt.Appendf(nil, `{"keys":[{"kty":"RSA","n":"x"},{"kty":"OKP","crv":"Ed25519","x":"%s"}]}`, base64.RawURLEncoding.EncodeToString(signer.Public())))
	return k
}

func (k kept) exec(t *testing.T, statement string) {
	t.Helper()
	st, err := store.Open(store.Options{Dir: k.dir})
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	_, err = st.System().ExecContext(t.Context(), statement)
	require.NoError(t, err)
}

func (k kept) verify(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), append([]string{"verify", "audit", "--data", k.dir}, args...), &out)
	return out.String(), err
}

func TestVerifyAuditInADatabase(t *testing.T) {
	t.Parallel()
	k := keep(t)
	key := []string{"--master-key", masterKey}
	out, err := k.verify(t, key...)
	require.NoError(t, err)
	require.Contains(t, out, "acme: events 1 to 6, 1 checkpoints\n")
	require.Contains(t, out, "sealed events of 2 accounts are as they were sealed")
	out, err = k.verify(t, "--keys", k.keys, "--account", "acme", "--checkpoint", k.checkpoint)
	require.NoError(t, err)
	require.NotContains(t, out, "platform")
	_, err = k.verify(t, append(key, "--checkpoint", k.export)...)
	require.NoError(t, err, "a kept export does too")
	for why, args := range map[string][]string{
		"COCKPIT_MASTER_KEY": nil, "no account": append(key, "--account", "nobody"), "no checkpoint": append(key, "--checkpoint", k.keys),
		"isn't signed by a known key": {"--master-key", "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=", "--checkpoint", k.checkpoint},
		"no such file":                append(key, "--checkpoint", "/nowhere"),
		"no Ed25519 key":              {"--keys", k.checkpoint},
	} {
		_, err := k.verify(t, args...)
		require.ErrorContains(t, err, why)
		require.NotErrorIs(t, err, audit.ErrBroken)
	}
	_, err = k.verify(t, "--master-key", "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=")
	require.ErrorIs(t, err, audit.ErrBroken, "signed by a key that isn't the server's")

	// The newest events and every trace of them removed.
	k.exec(t, "DROP TRIGGER tenant_audit_sealed; DELETE FROM audit_events WHERE account_id = '"+k.account+"' AND seq > 4; DELETE FROM audit_checkpoints; "+
		"UPDATE accounts SET audit_seq = 4, audit_hash = (SELECT hash FROM audit_events WHERE account_id = '"+k.account+"' AND seq = 4) WHERE id = '"+k.account+"'")
	_, err = k.verify(t, key...)
	require.NoError(t, err)
	for _, file := range []string{k.checkpoint, k.export} {
		_, err = k.verify(t, append(key, "--checkpoint", file)...)
		require.ErrorIs(t, err, audit.ErrBroken)
		require.ErrorContains(t, err, "acme: audit: the chain is broken at event 5 of account "+k.account)
	}
	k.exec(t, "DELETE FROM accounts WHERE id = '"+k.account+"'")
	_, err = k.verify(t, append(key, "--checkpoint", k.checkpoint)...)
	require.ErrorContains(t, err, "the account is gone")
}

func TestVerifyAuditOfAnExport(t *testing.T) {
	t.Parallel()
	k := keep(t)
	keys, err := os.ReadFile(k.keys)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/jwks.json" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(keys)
	}))
	defer server.Close()
	for _, from := range []string{k.keys, server.URL + "/.well-known/jwks.json"} {
		out, err := k.verify(t, "--export", k.export, "--keys", from)
		require.NoError(t, err)
		require.Contains(t, out, "acme ("+k.account+"): events 1 to 6 are as they were sealed")
	}
	_, err = k.verify(t, "--export", k.export)
	require.ErrorContains(t, err, "--keys")
	_, err = k.verify(t, "--export", k.export, "--keys", server.URL+"/nowhere")
	require.ErrorContains(t, err, "404")
	text, err := os.ReadFile(k.export)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(k.export, []byte(strings.Replace(string(text), `"action":"test.write"`, `"action":"test.wrote"`, 1)), 0o600))
	_, err = k.verify(t, "--export", k.export, "--keys", k.keys)
	require.ErrorIs(t, err, audit.ErrBroken)
	require.ErrorContains(t, err, "at event 2 of account "+k.account)
}
