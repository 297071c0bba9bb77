package catalog_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// A model that is offered to named accounts alone is there for those, and for
// nobody else: not to see, not to switch on, not to call.
func TestOfferedToNamedAccountsAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var told []notify.Notice
		w.Tell = func(_ context.Context, _ *store.Tx, n notify.Notice) error { told = append(told, n); return nil }
		offer := func(in catalog.Offer) (impact catalog.Impact) {
			t.Helper()
			in.CatalogModelID = w.CatalogModel.ID
			require.NoError(t, w.as(t, w.SuperAdmin, func(ctx context.Context, tx *store.Tx) (err error) {
				_, impact, err = w.OfferCatalogModel(ctx, tx, in)
				return err
			}))
			return impact
		}
		called := func(a *identitytest.Account) bool {
			_, routed := w.route(t, a, tenancy.Copilot, "smart")
			table, err := grant.Load(t.Context(), w.Store.Client, a.Row.ID, tenancy.Copilot)
			require.NoError(t, err)
			v := table.Ask(a.Copilot.Model.ID, a.Copilot.Root.Path, w.Store.Now())
			require.Equal(t, routed, v.Rule != grant.RuleNotOffered, "the gateway and the grants agree")
			return routed
		}
		sees := func(v *tenancy.Viewer) bool {
			return w.Store.CatalogModel.Query().Where(catalogmodel.ID(w.CatalogModel.ID)).ExistX(identitytest.Ctx(t, v))
		}
		withdrawn := func() []string {
			return w.Store.AuditEvent.Query().Where(auditevent.Action("model.withdrawn")).Select(auditevent.FieldAccountID).StringsX(identitytest.System(t))
		}
		require.True(t, called(w.A))
		require.True(t, called(w.B))

		onlyB := catalog.Offer{AccountIDs: []string{w.B.Row.ID}, DryRun: true}
		impact := offer(onlyB)
		require.Equal(t, []string{w.A.Row.Name}, impact.Accounts)
		require.Positive(t, impact.Grants)
		require.Positive(t, impact.Keys)
		require.Equal(t, 1, impact.Defaults)
		require.True(t, called(w.A), "a rehearsal changes nothing")
		require.Empty(t, told)

		onlyB.DryRun = false
		require.Equal(t, impact, offer(onlyB), "as was said before")
		require.False(t, called(w.A))
		require.True(t, called(w.B))
		require.Equal(t, []string{w.A.Row.ID}, withdrawn())
		require.Len(t, told, 1)
		require.Equal(t, notify.ModelWithdrawn, told[0].Topic)
		require.Contains(t, told[0].To, w.A.Admin.UserID)
		require.True(t, sees(w.A.Admin), "what is switched on stays to be explained")
		install := func(id string) error {
			return w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
				_, err := w.InstallModel(ctx, tx, w.A.Copilot.Root, id)
				return err
			})
		}
		require.True(t, fault.Is(install(w.CatalogModel.ID), fault.Invalid))

		var other *ent.CatalogModel
		require.NoError(t, w.as(t, w.SuperAdmin, func(ctx context.Context, tx *store.Tx) (err error) {
			other, err = w.CreateCatalogModel(ctx, tx, catalog.ListingInput{CentralProviderID: w.CatalogModel.CentralProviderID, Name: "private",
				Capability: catalogmodel.CapabilityFAST, ContextLength: 10, MaxOutputTokens: 5, Price: fair, Status: catalogmodel.StatusACTIVE})
			if err == nil {
				_, _, err = w.OfferCatalogModel(ctx, tx, catalog.Offer{CatalogModelID: other.ID, AccountIDs: []string{w.B.Row.ID}})
			}
			return err
		}))
		require.Equal(t, listing.StatusPUBLISHED, w.Store.Listing.Query().Where(listing.CatalogModelID(other.ID)).OnlyX(identitytest.System(t)).Status)
		for a, seen := range map[*identitytest.Account]bool{w.A: false, w.B: true} {
			require.Equal(t, seen, w.Store.CatalogModel.Query().Where(catalogmodel.ID(other.ID)).ExistX(identitytest.Ctx(t, a.Admin)))
		}
		require.Equal(t, fault.Missing("catalogue model").Error(), install(other.ID).Error(), "like one that isn't there")

		offer(catalog.Offer{ToAll: true})
		require.True(t, called(w.A), "offered again, and on as it was")
		require.Len(t, told, 1, "nobody lost it")

		require.NoError(t, w.as(t, w.SuperAdmin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.UpdateCatalogModel(ctx, tx, w.CatalogModel.ID, catalog.Edit{Status: ptr(catalogmodel.StatusRETIRED), Traits: catalog.Traits{SuccessorID: &other.ID}})
			return err
		}))
		require.False(t, called(w.A))
		require.False(t, called(w.B))
		require.ElementsMatch(t, []string{w.A.Row.ID, w.A.Row.ID, w.B.Row.ID}, withdrawn())
		require.Contains(t, told[1].Body, "private succeeds it")
		for _, v := range []*tenancy.Viewer{w.A.Admin, w.A.Copilot.Seat} {
			require.Error(t, w.as(t, v, func(ctx context.Context, tx *store.Tx) error {
				_, _, err := w.OfferCatalogModel(ctx, tx, catalog.Offer{CatalogModelID: w.CatalogModel.ID, ToAll: true})
				return err
			}), "by a tenant whom the policy let through")
		}
	})
}

// Prices may begin later, and their effect is told beforehand.
func TestPricesAhead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		later := w.Store.Now().Add(24 * time.Hour)
		publish := func(p money.Nano, from time.Time) error {
			return w.as(t, w.SuperAdmin, func(ctx context.Context, tx *store.Tx) error {
				_, err := w.PublishCatalogPrice(ctx, tx, w.CatalogModel.ID, catalog.PriceInput{Input: p}, from)
				return err
			})
		}
		require.True(t, fault.Is(publish(7, w.Store.Now().Add(-time.Hour)), fault.Invalid))
		require.NoError(t, publish(7, later))
		require.True(t, fault.Is(publish(8, later), fault.Invalid), "two at the same moment")
		r, _ := w.route(t, w.A, tenancy.Copilot, "smart")
		require.EqualValues(t, 1, r.Price.Input)
		w.skew.Store(int64(25 * time.Hour))
		r, _ = w.route(t, w.A, tenancy.Copilot, "smart")
		require.EqualValues(t, 7, r.Price.Input)

		_, err := w.Store.System().Exec("DELETE FROM usage_totals")
		require.NoError(t, err)
		_, err = w.Store.System().Exec(`INSERT INTO usage_totals (id, account_id, plane, day, model_id, model_name, calls, input_tokens, cached_input_tokens, output_tokens, cost, credits)
			VALUES ('utt_x', '` + w.A.Row.ID + `', 'COPILOT', ` + strconv.FormatInt(w.Store.Now().Unix()/86400, 10) + `, '` + w.A.Copilot.Model.ID + `', 'smart', 10, 1000000, 2000000, 500000, 42, 84)`)
		require.NoError(t, err)
		require.NoError(t, w.as(t, w.SuperAdmin, func(ctx context.Context, tx *store.Tx) error {
			cached := money.One / 2
			effects, err := w.PreviewPrice(ctx, tx, w.CatalogModel.ID, catalog.PriceInput{Input: money.One, CachedInput: &cached, Output: 4 * money.One, Request: 1_000_000 * money.One})
			require.NoError(t, err)
			var mine catalog.PriceEffect
			for _, e := range effects {
				if e.AccountID == w.A.Row.ID {
					mine = e
				}
			}
			require.EqualValues(t, 42, mine.CostBefore)
			require.EqualValues(t, 84, mine.CreditsBefore)
			require.Equal(t, (1+1+2+10)*money.One, mine.CostAfter, "each class at its own price, and the calls")
			ppm, err := w.FactorPPM(ctx, w.A.Row.ID)
			require.NoError(t, err)
			credits, err := money.Credits(mine.CostAfter, ppm)
			require.NoError(t, err)
			require.Equal(t, credits, mine.CreditsAfter)
			return nil
		}))
	})
}

// The nearest scope with a default decides, and the database keeps the planes
// apart.
func TestDefaultModelIsInherited(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p := w.A.Console
		house := w.provider(t, "House", apiKey)
		mine := w.model(t, house.ID, "mine", fair)
		set := func(at string, modelID string) error {
			return w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
				s, err := tx.Scope.Get(ctx, at)
				require.NoError(t, err)
				_, err = w.SetDefaultModel(ctx, tx, s, modelID)
				return err
			})
		}
		from := func(path string) (string, string) {
			d, ok, err := w.DefaultOf(t.Context(), w.A.Row.ID, tenancy.Console, path)
			require.NoError(t, err)
			require.Equal(t, ok, d.ModelID != "")
			r, found, err := w.DefaultRoute(t.Context(), w.A.Row.ID, tenancy.Console, path)
			require.NoError(t, err)
			require.Equal(t, ok, found)
			return r.Name, d.ScopeID
		}
		name, at := from(p.Member.Path)
		require.Equal(t, []string{p.Model.Name, p.Root.ID}, []string{name, at})
		require.NoError(t, set(p.Team.ID, mine.ID))
		name, at = from(p.Member.Path)
		require.Equal(t, []string{"mine", p.Team.ID}, []string{name, at})
		name, _ = from(p.SiblingTeam.Path)
		require.Equal(t, p.Model.Name, name)
		for _, foreign := range []string{w.A.Copilot.Model.ID, w.B.Console.Model.ID, "mod_nothing"} {
			require.True(t, fault.Is(set(p.Team.ID, foreign), fault.NotFound), foreign)
		}
		require.NoError(t, set(p.Team.ID, ""))
		require.NoError(t, set(p.Root.ID, ""))
		name, at = from(p.Member.Path)
		require.Equal(t, []string{"", ""}, []string{name, at})
	})
}
