package identity_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"entgo.io/ent"
	entschema "entgo.io/ent/dialect/sql/schema"
	"github.com/stretchr/testify/require"

	entgen "github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/listingaccount"
	"github.com/alchemi/cockpit/ent/migrate"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/schema"
)

func systemTx(t testing.TB, st *store.Store, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	require.NoError(t, st.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return f(ctx, tx)
	}))
}

// closeAndDelete orders the deletion of an account, and ends its running calls.
func closeAndDelete(t testing.TB, st *store.Store, a *entgen.Account) {
	t.Helper()
	systemTx(t, st, func(ctx context.Context, tx *store.Tx) error {
		if _, err := identity.Close(ctx, tx, st.Now(), a.ID, a.Name, "left us"); err != nil {
			return err
		}
		_, err := identity.Delete(ctx, tx, st.Now(), a.ID, a.Name)
		return err
	})
}

func settle(t testing.TB, st *store.Store, accountID string) {
	t.Helper()
	query := "DELETE FROM holds WHERE account_id = ?"
	if st.Dialect == store.Postgres {
		query = "DELETE FROM holds WHERE account_id = $1"
	}
	_, err := st.System().ExecContext(t.Context(), query, accountID)
	require.NoError(t, err)
}

// What is left of a deleted account is its name, and amounts under ids that say
// nothing; of everybody else everything is left.
func TestDeletedAccountLeavesItsBooksAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		sealer := &audit.Sealer{DB: st.System(), WriteTx: st.WriteTx, Dialect: st.Dialect, Log: slog.New(slog.DiscardHandler)}
		for n := 1; n > 0; {
			var err error
			n, err = sealer.Seal(t.Context())
			require.NoError(t, err)
		}
		a := w.A.Row
		both := "both@example.com" // a user of A and B; the others of A have no other account
		systemTx(t, st, func(ctx context.Context, tx *store.Tx) error {
			for _, accountID := range []string{a.ID, w.B.Row.ID} {
				if _, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: accountID, Email: both, Name: "Both", PasswordHash: "a hash"}); err != nil {
					return err
				}
			}
			return nil
		})
		before := identitytest.Rows(t, st)
		logins := st.Login.Query().CountX(system(t))
		peopleOfA := st.User.Query().CountX(tenancy.WithViewer(t.Context(), w.A.Admin))
		charged := st.Charge.Query().AllX(tenancy.WithViewer(t.Context(), w.A.Admin))
		head := st.Account.GetX(system(t), a.ID)
		require.Positive(t, head.AuditSeq)
		require.Positive(t, st.ListingAccount.Query().Where(listingaccount.OfferedTo(a.ID)).CountX(system(t)))

		eraser := &identity.Eraser{Store: st, Log: slog.New(slog.DiscardHandler)}
		require.NoError(t, eraser.Erase(t.Context()))
		require.Equal(t, before, identitytest.Rows(t, st), "nothing was asked for")
		closeAndDelete(t, st, a)
		require.NoError(t, eraser.Erase(t.Context()))
		require.Len(t, identitytest.Rows(t, st)["scopes"], len(before["scopes"]), "running calls settle first")
		settle(t, st, a.ID)
		require.NoError(t, eraser.Erase(t.Context()))

		for table, rows := range identitytest.Rows(t, st) {
			var left int
			var others, had []identitytest.Row
			for _, r := range rows {
				if r.AccountID == a.ID {
					left++
				} else if r.AccountID != id.PlatformID {
					others = append(others, r)
				}
			}
			for _, r := range before[table] {
				if r.AccountID != a.ID && r.AccountID != id.PlatformID {
					had = append(had, r)
				}
			}
			require.Equal(t, had, others, "%s of the other account", table)
			switch table {
			case "accounts":
				require.Equal(t, 1, left)
			case "charges":
				require.Len(t, charged, left)
			default:
				require.Zero(t, left, table)
			}
		}
		require.Zero(t, st.ListingAccount.Query().Where(listingaccount.OfferedTo(a.ID)).CountX(system(t)), "nothing is offered to it any more")
		for _, c := range charged {
			now := st.Charge.GetX(system(t), c.ID)
			require.Equal(t, c.Cost, now.Cost)
			require.Equal(t, c.Path, now.Path)
			require.Equal(t, "deleted", now.ModelName)
			require.Empty(t, now.Tags)
			require.Empty(t, now.SessionRef)
		}
		require.Equal(t, logins-(peopleOfA-1), st.Login.Query().CountX(system(t)), "logins go that nobody uses any more")
		grave := st.Account.GetX(system(t), a.ID)
		require.NotNil(t, grave.DeletedAt)
		require.Equal(t, a.Name, grave.Name)
		e := st.AuditEvent.Query().Where(auditevent.AccountID(id.PlatformID), auditevent.Action("account.erase")).OnlyX(system(t))
		require.Contains(t, string(e.Changes), head.AuditHash[:8], "where its log stood is on record")
		_, err := audit.Verify(t.Context(), st.System(), st.Dialect, a.ID, audit.Trust{})
		require.NoError(t, err)
		differences, err := budget.New(st, budget.Options{}).Verify(t.Context())
		require.NoError(t, err)
		for _, d := range differences {
			require.NotContains(t, d.String(), a.ID)
		}
		// Its name in addresses is free again.
		systemTx(t, st, func(ctx context.Context, tx *store.Tx) error {
			_, err := identity.CreateAccount(ctx, tx, identity.AccountInput{Name: "Heir", Slug: a.Slug, Console: true})
			return err
		})
		require.NoError(t, eraser.Erase(t.Context()), "and nothing is left to do")
	})
}

// A crash between two batches costs nothing: the next look goes on.
func TestDeletionGoesOnAfterACrash(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		closeAndDelete(t, st, w.A.Row)
		settle(t, st, w.A.Row.ID)
		for crashes := 0; st.Account.GetX(system(t), w.A.Row.ID).DeletedAt == nil; crashes++ {
			require.Less(t, crashes, 1000)
			eraser := &identity.Eraser{Store: st, Log: slog.New(slog.DiscardHandler), Batch: 3}
			for more, n := true, 0; more && n < 7; n++ { // then the server is gone
				var err error
				more, err = eraser.Step(system(t), w.A.Row.ID)
				require.NoError(t, err)
			}
		}
		for table, rows := range identitytest.Rows(t, st) {
			for _, r := range rows {
				if table != "accounts" && table != "charges" {
					require.NotEqual(t, w.A.Row.ID, r.AccountID, table)
				}
			}
		}
	})
}

// PostgreSQL itself keeps the log and the ledger of an account that isn't being
// deleted, whoever asks.
func TestTheDatabaseErasesOnlyWhatIsBeingDeleted(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	w := identitytest.Tree(t, st)
	try := func(f string) error {
		var n int64
		return st.System().QueryRowContext(t.Context(), "SELECT "+f+"($1, 1000)", w.A.Row.ID).Scan(&n)
	}
	all := []string{"tenant_erase_audit", "tenant_erase_words", "tenant_erase_prices"}
	for name, set := range map[string]func(u *entgen.AccountUpdateOne) *entgen.AccountUpdateOne{
		"in use":                 func(u *entgen.AccountUpdateOne) *entgen.AccountUpdateOne { return u },
		"marked, but open":       func(u *entgen.AccountUpdateOne) *entgen.AccountUpdateOne { return u.SetDeletingAt(st.Now()) },
		"closed, but not marked": func(u *entgen.AccountUpdateOne) *entgen.AccountUpdateOne { return u.SetStatus(account.StatusCLOSED) },
		"gone": func(u *entgen.AccountUpdateOne) *entgen.AccountUpdateOne {
			return u.SetStatus(account.StatusCLOSED).SetDeletingAt(st.Now()).SetDeletedAt(st.Now())
		},
	} {
		systemTx(t, st, func(ctx context.Context, tx *store.Tx) error {
			if err := tx.Account.UpdateOneID(w.A.Row.ID).SetStatus(account.StatusACTIVE).ClearDeletingAt().ClearDeletedAt().Exec(ctx); err != nil {
				return err
			}
			return set(tx.Account.UpdateOneID(w.A.Row.ID)).Exec(ctx)
		})
		for _, f := range all {
			require.ErrorContains(t, try(f), "is not being deleted", "%s: %s", name, f)
		}
	}
	for _, f := range append(all, "tenant_deleting") {
		args := map[bool]string{true: "(text)", false: "(text, integer)"}[f == "tenant_deleting"]
		for role, may := range map[string]bool{"cockpit_tenant": false, "public": false, "cockpit_system": true} {
			var granted bool
			require.NoError(t, st.System().QueryRowContext(t.Context(), "SELECT has_function_privilege($1, $2, 'EXECUTE')", role, f+args).Scan(&granted))
			require.Equal(t, may, granted, "%s calls %s", role, f)
		}
	}
}

// unzip reads an export.
func unzip(t testing.TB, archive []byte) map[string][]map[string]any {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	require.NoError(t, err)
	out := map[string][]map[string]any{}
	for _, f := range z.File {
		name, isTable := strings.CutPrefix(strings.TrimSuffix(f.Name, ".ndjson"), "tables/")
		if !isTable {
			continue
		}
		out[name] = []map[string]any{}
		r, err := f.Open()
		require.NoError(t, err)
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var row map[string]any
			require.NoError(t, json.Unmarshal(lines.Bytes(), &row), lines.Text())
			out[name] = append(out[name], row)
		}
		require.NoError(t, lines.Err())
	}
	return out
}

// An export has every row of the account in every table there is, and nothing
// of anybody else or anything that signs somebody in.
func TestExportHasEverythingButSecrets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		var archive bytes.Buffer
		asked := 0
		require.NoError(t, identity.Export(t.Context(), st, w.A.Row.ID, &archive, func() error { asked++; return nil }))
		require.GreaterOrEqual(t, asked, len(migrate.Tables))
		got := unzip(t, archive.Bytes())
		for table, rows := range identitytest.Rows(t, st) {
			require.Contains(t, got, table)
			var want []string
			for _, r := range rows {
				if r.AccountID == w.A.Row.ID {
					want = append(want, r.ID)
				}
			}
			var have []string
			for _, r := range got[table] {
				require.Equal(t, w.A.Row.ID, r["account_id"])
				have = append(have, r["id"].(string))
			}
			require.ElementsMatch(t, want, have, table)
		}
		require.NotContains(t, archive.String(), w.B.Row.ID)
		require.Equal(t, "alpha", got["accounts"][0]["name"])
		require.Equal(t, true, got["accounts"][0]["console"])
		require.IsType(t, float64(0), got["charges"][0]["cost"])
		require.IsType(t, []any{}, got["personal_tokens"][0]["permissions"])
		for _, text := range []string{secret.Hash(w.A.Console.Token), "argon2id"} {
			require.NotContains(t, archive.String(), text)
		}
		stop := errors.New("no longer")
		require.ErrorIs(t, identity.Export(t.Context(), st, w.A.Row.ID, &archive, func() error { return stop }), stop)
	})
}

// tableOf is how ent calls an entity's table.
func tableOf(entity string) string {
	var b strings.Builder
	for i, r := range entity {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	name := b.String()
	switch {
	case strings.HasSuffix(name, "ty"):
		return strings.TrimSuffix(name, "y") + "ies"
	case strings.HasSuffix(name, "s"):
		return name + "es"
	}
	return name + "s"
}

// Whatever the schema calls sensitive, or a hash, is left out; a new table must
// be listed here.
func TestExportLeavesOutWhatTheSchemaCallsSensitive(t *testing.T) {
	t.Parallel()
	all := []ent.Interface{schema.Account{}, schema.AuditCheckpoint{}, schema.AuditEvent{}, schema.Authorization{}, schema.Budget{}, schema.BudgetAlert{}, schema.BudgetCycle{}, schema.BudgetIncrease{}, schema.BudgetLease{},
		schema.CatalogModel{}, schema.CentralProvider{}, schema.Charge{}, schema.CreditFactor{}, schema.Domain{}, schema.ExternalIdentity{},
		schema.Grant{}, schema.GroupMapping{}, schema.Hold{}, schema.IdempotencyKey{}, schema.IdentityProvider{}, schema.Request{}, schema.RequestRule{}, schema.Deputy{}, schema.Invitation{}, schema.Key{}, schema.KeyModel{}, schema.Login{},
		schema.Member{}, schema.Model{}, schema.Node{}, schema.Notification{}, schema.NotificationPreference{}, schema.Organization{}, schema.PersonalToken{}, schema.Price{}, schema.Provider{},
		schema.RoleBinding{}, schema.Scope{}, schema.ServiceClient{}, schema.Session{}, schema.Statement{}, schema.SupportAccess{}, schema.Team{},
		schema.UsageDay{}, schema.UsageTag{}, schema.UsageTotal{}, schema.User{}, schema.Webhook{}, schema.WebhookDelivery{},
		schema.Agent{}, schema.AgentVersion{}, schema.Connection{}, schema.ConnectionCredential{}, schema.FeatureFlag{}, schema.GuardrailAssignment{}, schema.GuardrailPreset{},
		schema.Listing{}, schema.ListingAccount{}, schema.ListingVersion{}, schema.MutationKey{}, schema.Rating{}, schema.Tool{}}
	require.Len(t, all, len(migrate.Tables), "a new entity: list it above")
	var sensitive []string
	for _, s := range all {
		for _, f := range s.Fields() {
			d := f.Descriptor()
			if d.Sensitive {
				sensitive = append(sensitive, reflect.TypeOf(s).Name()+"."+d.Name)
			}
		}
	}
	require.Greater(t, len(sensitive), 10)
	left := identity.Unexported()
	for _, name := range sensitive {
		entity, column, _ := strings.Cut(name, ".")
		table := tableOf(entity)
		require.Contains(t, left, table+"."+column)
	}
	for _, table := range migrate.Tables {
		for _, c := range table.Columns {
			if name := table.Name + "." + c.Name; strings.HasSuffix(c.Name, "_hash") && name != "accounts.audit_hash" {
				require.Contains(t, left, name)
			}
		}
	}
	for _, name := range left {
		table, column, _ := strings.Cut(name, ".")
		i := slices.IndexFunc(migrate.Tables, func(t *entschema.Table) bool { return t.Name == table })
		require.GreaterOrEqual(t, i, 0, name)
		require.True(t, slices.ContainsFunc(migrate.Tables[i].Columns, func(c *entschema.Column) bool { return c.Name == column }), "%s isn't there (any more)", name)
	}
}
