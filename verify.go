package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/server"
)

type verifyAudit struct {
	server.Storage `embed:""`
	MasterKey      string `help:"The server's master key; the key that signs checkpoints is derived from it." placeholder:"BASE64"`
	MasterKeyFile  string `help:"File that holds the master key." placeholder:"FILE"`
	Account        string `help:"Slug of the one account to verify; all without it." placeholder:"SLUG"`
	Checkpoint     string `help:"File with checkpoints that were kept elsewhere, one a line, or a kept export: finds that newer events were removed and all traces of them." placeholder:"FILE"`
	Export         string `help:"Verify this NDJSON export instead of a database." placeholder:"FILE"`
	Keys           string `help:"JSON Web Key Set with the public keys that sign checkpoints: a file, or an address such as https://cockpit.example.com/.well-known/jwks.json." placeholder:"FILE|URL"`
}

// Run fails when a chain is broken.
func (v *verifyAudit) Run(ctx context.Context, out io.Writer) error {
	trust, err := v.trust(ctx)
	if err != nil {
		return err
	}
	if v.Export != "" {
		return v.export(out, trust)
	}
	st, err := open(&v.Storage)
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }() // nothing was written
	accounts, err := v.accounts(ctx, st)
	if err != nil {
		return err
	}
	if err := v.meant(accounts, trust.Kept); err != nil {
		return err
	}
	if err := v.signed(ctx, st, trust.Keys); err != nil {
		return err
	}
	var events int64
	var broken []error
	for _, a := range accounts {
		found, err := audit.Verify(ctx, st.System(), st.Dialect, a.ID, trust)
		if err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", a.Slug, err))
			continue
		}
		events += found.Count()
		fmt.Fprintf(out, "%s: events %d to %d, %d checkpoints\n", a.Slug, found.First, found.Last, found.Checkpoints)
	}
	if err := errors.Join(broken...); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d sealed events of %d accounts are as they were sealed\n", events, len(accounts))
	return nil
}

func (v *verifyAudit) export(out io.Writer, trust audit.Trust) error {
	if len(trust.Keys) == 0 {
		return errors.New("name the keys that sign checkpoints, with --keys and the server's /.well-known/jwks.json or a copy of it: without them anybody could have made the export")
	}
	f, err := os.Open(v.Export)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing was written
	h, found, err := audit.VerifyExport(f, trust)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s (%s): events %d to %d are as they were sealed, up to the checkpoint signed for event %d\n", h.Slug, h.Account, found.First, found.Last, found.Last)
	return nil
}

func (v *verifyAudit) accounts(ctx context.Context, st *store.Store) ([]*ent.Account, error) {
	ctx = tenancy.System(ctx, "the operator verifies accounts")
	// One that is being deleted loses its log, event by event.
	q := st.Account.Query().Where(account.Or(account.DeletingAtIsNil(), account.DeletedAtNotNil())).Order(account.BySlug())
	if v.Account != "" {
		q.Where(account.Slug(v.Account))
	}
	accounts, err := q.All(ctx)
	if err == nil && len(accounts) == 0 {
		return nil, fmt.Errorf("there is no account %q", v.Account)
	}
	return accounts, err
}

// meant refuses kept checkpoints that nothing would be compared with.
func (v *verifyAudit) meant(accounts []*ent.Account, kept []audit.Checkpoint) error {
	for _, k := range kept {
		there := false
		for _, a := range accounts {
			there = there || a.ID == k.AccountID
		}
		if !there && v.Account == "" {
			return fmt.Errorf("%w at event %d of account %s: a kept checkpoint vouches for it, and the account is gone", audit.ErrBroken, k.Seq, k.AccountID)
		}
	}
	return nil
}

// signed refuses to pass over signatures that can't be checked.
func (v *verifyAudit) signed(ctx context.Context, st *store.Store, keys audit.Keys) error {
	if len(keys) > 0 {
		return nil
	}
	there, err := st.AuditCheckpoint.Query().Exist(tenancy.System(ctx, "the operator verifies accounts"))
	if err == nil && there {
		return errors.New("the signatures of checkpoints can't be checked: set COCKPIT_MASTER_KEY as for the server, or name the public keys with --keys")
	}
	return err
}

// trust gathers keys and kept checkpoints.
func (v *verifyAudit) trust(ctx context.Context) (t audit.Trust, err error) {
	key, err := v.masterKey()
	if err != nil {
		return t, err
	}
	t.Keys = audit.Keys{}
	if key != "" {
		signer, err := audit.NewSigner(key)
		if err != nil {
			return t, err
		}
		t.Keys = signer.Keys()
	}
	if v.Keys != "" {
		text, err := fetch(ctx, v.Keys)
		if err != nil {
			return t, fmt.Errorf("--keys=%s: %w", v.Keys, err)
		}
		more, err := audit.ParseKeys(text)
		if err != nil {
			return t, fmt.Errorf("--keys=%s: %w", v.Keys, err)
		}
		for name, k := range more {
			t.Keys[name] = k
		}
	}
	if v.Checkpoint != "" {
		if t.Kept, err = readCheckpoints(v.Checkpoint); err != nil {
			return t, fmt.Errorf("--checkpoint=%s: %w", v.Checkpoint, err)
		}
		for _, k := range t.Kept {
			if len(t.Keys) > 0 && !t.Keys.Signed(k) {
				return t, fmt.Errorf("--checkpoint=%s: the checkpoint at event %d isn't signed by a known key", v.Checkpoint, k.Seq)
			}
		}
	}
	return t, nil
}

// masterKey is the server's: given, or that of a demo in the data directory.
// Exports are verified by others, who have none.
func (v *verifyAudit) masterKey() (string, error) {
	file := v.MasterKeyFile
	switch {
	case v.MasterKey != "" && file != "":
		return "", errors.New("give the master key by COCKPIT_MASTER_KEY or by --master-key-file, not by both")
	case v.MasterKey != "":
		return v.MasterKey, nil
	case file == "" && v.Export != "":
		return "", nil
	case file == "":
		file = filepath.Join(v.Data, "master.key")
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && v.MasterKeyFile == "" {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("master key: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// maxKeys bounds a key set.
const maxKeys = 1 << 20

// fetch reads a file or, by address, from a server.
func fetch(ctx context.Context, from string) ([]byte, error) {
	if !strings.HasPrefix(from, "https://") && !strings.HasPrefix(from, "http://") {
		return os.ReadFile(from)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s", res.Status)
	}
	return io.ReadAll(io.LimitReader(res.Body, maxKeys))
}

// readCheckpoints reads those that stand alone in a line, and those at the end
// of exports.
func readCheckpoints(file string) (out []audit.Checkpoint, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		var line struct {
			audit.Checkpoint
			End struct{ Checkpoint *audit.Checkpoint }
		}
		if err := json.Unmarshal(text, &line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		switch {
		case line.End.Checkpoint != nil:
			out = append(out, *line.End.Checkpoint)
		case line.Signature != "" && line.AccountID == "":
			return nil, fmt.Errorf(`line %d: the checkpoint doesn't say of which account it is; add "account":"acc_…"`, n)
		case line.Signature != "":
			out = append(out, line.Checkpoint)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, errors.New("there is no checkpoint in it")
	}
	return out, nil
}
