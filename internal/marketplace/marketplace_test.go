package marketplace_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/listingversion"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/marketplace"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

type world struct {
	*identitytest.Trees
	market *marketplace.Market
	t      *testing.T
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		box, err := secret.NewBox("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
		require.NoError(t, err)
		w := &world{t: t, Trees: identitytest.Tree(t, st)}
		log := slog.New(slog.DiscardHandler)
		client, grants := outbound.NewClient(nil), grant.New(st, w.Epochs)
		tools := connections.New(connections.Options{Store: st, Client: client, Grants: grants, Log: log,
			Credentials: credential.New(credential.Options{Store: st, Box: box, Client: client, URL: "https://cockpit.test", Log: log})})
		t.Cleanup(tools.Close)
		w.market = &marketplace.Market{Catalog: catalog.New(st, w.Epochs, box, 1_000_000, log), Agents: &agents.Agents{Store: st}, Connections: tools,
			Requests: &request.Requests{Store: st, Log: log}}
		test(t, w)
	})
}

// do runs a verb as the verbs run: as the system, with an audit event.
func (w *world) do(f func(ctx context.Context, tx *store.Tx) error) error {
	return w.Store.InTx(identitytest.System(w.t), f)
}

func ptr[T any](v T) *T { return &v }

// An account's agent goes through review by somebody else, is installed, and is
// updated with what differs.
func TestAccountsOwnListing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p, author, reviewer := w.A.Copilot, w.A.Copilot.OrgAdmin.UserID, w.A.Admin.UserID
		source := w.Store.Scope.Query().Where(scope.ParentID(p.Org.ID), scope.KindEQ(scope.KindAGENT)).OnlyX(identitytest.System(t))
		var l *ent.Listing
		step := func(f func(ctx context.Context, tx *store.Tx) (*ent.Listing, error)) error {
			return w.do(func(ctx context.Context, tx *store.Tx) (err error) {
				next, err := f(ctx, tx)
				if err == nil {
					l = next
				}
				return err
			})
		}
		require.NoError(t, step(func(ctx context.Context, tx *store.Tx) (*ent.Listing, error) {
			return w.market.CreateFrom(ctx, tx, p.Org, source.ID, author, marketplace.Text{Name: ptr("Clerk"), Verified: ptr(true)})
		}))
		require.Equal(t, listing.StatusDRAFT, l.Status)
		require.False(t, l.Verified, "accounts don't verify themselves")
		require.Error(t, step(func(ctx context.Context, tx *store.Tx) (*ent.Listing, error) {
			return w.market.CreateFrom(ctx, tx, w.B.Copilot.Org, source.ID, author, marketplace.Text{Name: ptr("Theft")})
		}), "another account's agent")
		require.Error(t, step(func(ctx context.Context, tx *store.Tx) (*ent.Listing, error) {
			return w.market.CreateFrom(ctx, tx, p.SiblingOrg, source.ID, author, marketplace.Text{Name: ptr("Elsewhere")})
		}), "another scope's agent")
		review := func(by string, publish bool) error {
			return step(func(ctx context.Context, tx *store.Tx) (*ent.Listing, error) {
				return w.market.Review(ctx, tx, l, publish, "looked at", by)
			})
		}
		submit := func() error {
			return step(func(ctx context.Context, tx *store.Tx) (*ent.Listing, error) {
				return w.market.Submit(ctx, tx, l, nil, "new", author)
			})
		}
		require.Error(t, review(reviewer, true), "it was never handed in")
		require.NoError(t, submit())
		asked := func() *ent.Request {
			return w.Store.Request.Query().Where(entrequest.ResourceID(l.ID)).Order(ent.Desc(entrequest.FieldID)).FirstX(identitytest.System(t))
		}
		require.Equal(t, []any{entrequest.KindPUBLISH, entrequest.StatusPENDING, author, p.Root.ID}, []any{asked().Kind, asked().Status, asked().RequestedBy, asked().WaitsAt})
		draft := w.Store.Scope.Query().Where(scope.ParentID(p.SiblingTeam.ID), scope.KindEQ(scope.KindAGENT)).OnlyX(identitytest.System(t))
		known := func(v *tenancy.Viewer, resourceID string) (ok bool) {
			require.NoError(t, w.Store.InTx(tenancy.System(tenancy.WithViewer(t.Context(), v), "a test"), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				ok = w.market.Known(ctx, tx, resourceID)
				return nil
			}))
			return ok
		}
		require.True(t, fault.Is(review(author, true), fault.Forbidden), "nobody reviews their own")
		require.NoError(t, review(reviewer, true))
		require.True(t, known(p.SiblingOrgAdmin, source.ID), "what is shared may be asked for")
		require.False(t, known(w.B.Admin, source.ID))
		require.False(t, known(p.OrgAdmin, draft.ID), "its listing is a draft")
		require.Equal(t, entrequest.StatusAPPROVED, asked().Status, "reviewed on its page, the request is closed")
		require.Equal(t, listing.StatusPUBLISHED, l.Status)
		require.Equal(t, 1, l.PublishedVersion)

		var made marketplace.Installed
		install := func(a *identitytest.Account) error {
			return w.do(func(ctx context.Context, tx *store.Tx) (err error) {
				made, err = w.market.Install(ctx, tx, l, a.Copilot.SiblingOrg, "")
				return err
			})
		}
		require.True(t, fault.Is(install(w.B), fault.NotFound), "inside the account alone")
		require.NoError(t, install(w.A))
		row := w.Store.Agent.GetX(identitytest.System(t), made.ResourceID)
		require.Equal(t, []any{l.ID, 1}, []any{row.ListingID, row.ListingVersion})
		require.Nil(t, row.PublishedVersion, "a draft, to be looked at")
		l = w.Store.Listing.GetX(identitytest.System(t), l.ID)
		require.EqualValues(t, 1, l.InstallCount)

		upgrade := func(account string) (changes []marketplace.Change, err error) {
			err = w.do(func(ctx context.Context, tx *store.Tx) error {
				_, changes, err = w.market.Update(ctx, tx, account, made.ResourceID)
				return err
			})
			return changes, err
		}
		_, err := upgrade(w.A.Row.ID)
		require.True(t, fault.Is(err, fault.Invalid), "it is the newest: %v", err)
		require.NoError(t, w.do(func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			tx.AgentVersion.Create().SetAccountID(w.A.Row.ID).SetPlane("COPILOT").SetAgentID(source.ID).SetNumber(7).
				SetDefinition(json.RawMessage(`{"instructions":"Be brief."}`)).ExecX(ctx)
			return tx.Agent.UpdateOneID(source.ID).SetPublishedVersion(7).Exec(ctx)
		}))
		kept := fmt.Sprintf(`"guardrailPresetIds":[%q],"modelId":%q}`, id.New(id.GuardrailPreset), id.New(id.Model))
		require.NoError(t, w.do(func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			return tx.Agent.UpdateOneID(made.ResourceID).SetDraft(json.RawMessage(`{"instructions":"Ours.",` + kept)).Exec(ctx)
		}))
		require.NoError(t, submit())
		require.Equal(t, listing.StatusPUBLISHED, l.Status, "what is published stays so meanwhile")
		require.NoError(t, review(reviewer, true))
		_, err = upgrade(w.B.Row.ID)
		require.True(t, fault.Is(err, fault.NotFound), "%v", err)
		changes, err := upgrade(w.A.Row.ID)
		require.NoError(t, err)
		require.Equal(t, []marketplace.Change{{"definition.instructions", "", `"Be brief."`}}, withoutEmpty(changes))
		require.JSONEq(t, `{"instructions":"Be brief.",`+kept, string(w.Store.Agent.GetX(identitytest.System(t), made.ResourceID).Draft))

		rate := func(user string) error {
			return w.do(func(ctx context.Context, tx *store.Tx) error {
				_, err := marketplace.Rate(ctx, tx, l, p.Root, user, 4, " good ")
				return err
			})
		}
		require.True(t, fault.Is(rate(author), fault.Forbidden), "never used it")
		_, err = w.Store.System().Exec(`INSERT INTO usage_days (id, account_id, plane, day, path, user_id, agent_id, model_id, calls)
			VALUES ('udy_rating', '` + w.A.Row.ID + `', 'COPILOT', 1, '` + p.Root.Path + `', '` + author + `', '` + made.ResourceID + `', 'mod_x', 1)`)
		require.NoError(t, err)
		require.NoError(t, rate(author))
		require.NoError(t, rate(author), "changed, not doubled")
		l = w.Store.Listing.GetX(identitytest.System(t), l.ID)
		require.Equal(t, []int64{4, 1}, []int64{l.RatingSum, l.RatingCount})

		require.NoError(t, w.do(func(ctx context.Context, tx *store.Tx) error {
			impact, err := w.market.Uninstall(ctx, tx, w.A.Row.ID, made.ResourceID)
			require.Zero(t, impact.Calls, "long ago")
			return err
		}))
		require.Equal(t, agent.AvailabilityRETIRED, w.Store.Agent.GetX(identitytest.System(t), made.ResourceID).Availability)
		require.Zero(t, w.Store.Listing.GetX(identitytest.System(t), l.ID).InstallCount)
	})
}

func withoutEmpty(changes []marketplace.Change) []marketplace.Change {
	out := []marketplace.Change{}
	for _, c := range changes {
		if c.Path != "definition" { // an empty object, taken apart
			out = append(out, c)
		}
	}
	return out
}

// A listing of the platform is for those that it names; connections come
// without secrets.
func TestPlatformsListing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var l *ent.Listing
		create := func(payload string) error {
			return w.do(func(ctx context.Context, tx *store.Tx) (err error) {
				l, err = w.market.CreateOfPlatform(ctx, tx, listing.KindCONNECTION, []byte(payload), w.SuperAdmin.UserID, marketplace.Text{Name: ptr("Tickets")})
				return err
			})
		}
		for _, bad := range []string{`{}`, `[]`, `{"kind":"MCP_HTTP"}`, `{"kind":"MCP_HTTP","url":"https://u:p@x.example"}`, `{"kind":"MCP_HTTP","url":"https://x.example","secret":"s"}`,
			`{"kind":"MCP_HTTP","url":"https://x.example","oauth":{"client_secret":"s"}}`, `{"kind":"MCP_HTTP","url":"https://x.example"} {}`} {
			require.True(t, fault.Is(create(bad), fault.Invalid), bad)
		}
		require.True(t, fault.Is(create(`{"kind":"OPENAPI","url":"https://x.example","documentUrl":"https://x.example/api.json"}`), fault.Invalid), "the document comes along")
		require.NoError(t, create(`{"kind":"MCP_HTTP","url":"https://mcp.example/mcp","auth":"BEARER","credential":"PERSONAL"}`))
		require.NoError(t, w.do(func(ctx context.Context, tx *store.Tx) (err error) {
			if l, err = w.market.Submit(ctx, tx, l, nil, "", w.SuperAdmin.UserID); err != nil {
				return err
			}
			if l, err = w.market.Review(ctx, tx, l, true, "", w.SuperAdmin.UserID); err != nil {
				return err
			}
			l, err = marketplace.Offer(ctx, tx, l, false, []string{w.A.Row.ID})
			return err
		}))
		require.Equal(t, 1, w.Store.ListingVersion.Query().Where(listingversion.ListingID(l.ID)).CountX(identitytest.System(t)))
		sees := func(a *identitytest.Account) bool {
			return w.Store.Listing.Query().Where(listing.ID(l.ID)).ExistX(identitytest.Ctx(t, a.Copilot.Seat))
		}
		require.True(t, sees(w.A))
		require.False(t, sees(w.B))
		install := func(a *identitytest.Account, at *ent.Scope, name string) (made marketplace.Installed, err error) {
			err = w.do(func(ctx context.Context, tx *store.Tx) error {
				made, err = w.market.Install(ctx, tx, l, at, name)
				return err
			})
			return made, err
		}
		_, err := install(w.B, w.B.Copilot.Root, "")
		require.True(t, fault.Is(err, fault.NotFound), "%v", err)
		_, err = install(w.A, w.A.Console.Root, "")
		require.True(t, fault.Is(err, fault.Invalid), "%v", err)
		made, err := install(w.A, w.A.Copilot.Root, "")
		require.NoError(t, err)
		c := w.Store.Connection.GetX(identitytest.System(t), made.ResourceID)
		require.Equal(t, []any{"tickets", "https://mcp.example/mcp", connection.AuthBEARER, l.ID}, []any{c.Name, c.URL, c.Auth, c.ListingID})
		_, err = install(w.A, w.A.Copilot.Root, "")
		require.True(t, fault.Is(err, fault.Exists), "%v", err)

		for name, payload := range map[string]string{"Elsewhere": `{"kind":"MCP_HTTP","url":"https://other.example/mcp","auth":"HEADER","authName":"Cookie"}`} {
			require.NoError(t, create(payload))
			require.NoError(t, w.do(func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				l = tx.Listing.UpdateOneID(l.ID).SetStatus(listing.StatusPUBLISHED).SetPublishedVersion(1).SaveX(ctx)
				return nil
			}))
			_, err := install(w.A, w.A.Copilot.Root, name)
			require.True(t, fault.Is(err, fault.Invalid), "what connections refuse, listings don't smuggle in: %v", err)
		}

		// A model's listing installs the model.
		offered := w.Store.Listing.Query().Where(listing.CatalogModelID(w.CatalogModel.ID)).OnlyX(identitytest.System(t))
		l = offered
		model, err := install(w.A, w.A.Copilot.Root, "")
		require.NoError(t, err)
		require.True(t, id.Is(model.ResourceID, id.Model))
		var lost marketplace.Impact
		require.NoError(t, w.do(func(ctx context.Context, tx *store.Tx) (err error) {
			lost, err = w.market.Uninstall(ctx, tx, w.A.Row.ID, model.ResourceID)
			return err
		}))
		require.Positive(t, lost.Grants)
		require.EqualValues(t, "DISABLED", w.Store.Model.GetX(identitytest.System(t), model.ResourceID).Status)
		for what, f := range map[string]func(ctx context.Context, tx *store.Tx) (*ent.Listing, error){
			"withdraw": func(ctx context.Context, tx *store.Tx) (*ent.Listing, error) {
				return w.market.Withdraw(ctx, tx, offered)
			},
			"offer": func(ctx context.Context, tx *store.Tx) (*ent.Listing, error) {
				return marketplace.Offer(ctx, tx, offered, true, nil)
			},
		} {
			require.True(t, fault.Is(w.do(func(ctx context.Context, tx *store.Tx) error { _, err := f(ctx, tx); return err }), fault.Invalid), what)
		}
	})
}

// The platform's agents are read as agents are, and name nothing of an account.
func TestAgentPayloads(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		create := func(payload string) (l *ent.Listing, err error) {
			err = w.do(func(ctx context.Context, tx *store.Tx) error {
				l, err = w.market.CreateOfPlatform(ctx, tx, listing.KindTEMPLATE, []byte(payload), w.SuperAdmin.UserID, marketplace.Text{Name: ptr("Clerk")})
				return err
			})
			return l, err
		}
		for _, bad := range []string{`{"definition":[]}`, `{"definition":{"instruction":"x"}}`, `{"definition":{"parameters":{"temperature":3}}}`,
			`{"definition":{"toolIds":["mod_01JCZZZZZZZZZZZZZZZZZZZZZZ"]}}`, `{"definition":{"modelId":"` + w.CatalogModel.ID + `"}}`,
			`{"definition":{"modelId":"mod_01JCZZZZZZZZZZZZZZZZZZZZZZ"}}`, `{"definition":{"knowledge":[{"title":"x","url":"ftp://x"}]}}`} {
			_, err := create(bad)
			require.True(t, fault.Is(err, fault.Invalid), "%s: %v", bad, err)
		}
		l, err := create(`{"purpose":"Answers","model":"` + w.CatalogModel.Name + `","definition":{"instructions":"Be brief."}}`)
		require.NoError(t, err)
		require.NoError(t, w.do(func(ctx context.Context, tx *store.Tx) error {
			if l, err = w.market.Submit(ctx, tx, l, nil, "", w.SuperAdmin.UserID); err != nil {
				return err
			}
			l, err = w.market.Review(ctx, tx, l, true, "", w.SuperAdmin.UserID)
			return err
		}))
		at := w.A.Copilot.Org
		var made marketplace.Installed
		var lacks []marketplace.Lack
		require.NoError(t, w.do(func(ctx context.Context, tx *store.Tx) error {
			if made, err = w.market.Install(ctx, tx, l, at, ""); err != nil {
				return err
			}
			lacks, err = w.market.Lacks(ctx, tx, l, made, at)
			return err
		}))
		codes := map[string]bool{}
		for _, lack := range lacks {
			codes[lack.Code] = true
		}
		require.True(t, codes["draft"] && (codes["model-off"] || codes["not-granted"] || !codes["model-missing"]), "%+v", lacks)
		row := w.Store.Agent.GetX(identitytest.System(t), made.ResourceID)
		require.Equal(t, []any{l.ID, 1, "Answers"}, []any{row.ListingID, row.ListingVersion, row.Purpose})
		var taken marketplace.Taken
		require.NoError(t, w.do(func(ctx context.Context, tx *store.Tx) error {
			taken, err = marketplace.TakenFrom(ctx, tx, l, nil)
			tx.Unaudited()
			return err
		}))
		require.Equal(t, []any{[]string{w.A.Row.Name}, 1}, []any{taken.Accounts, taken.Installations})
	})
}
