package catalog_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	masterKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	apiKey    = "sk-very-secret-0123456789abcd"
	otherKey  = "sk-another-secret-9876543210wxyz"
	factorPPM = 1_000_000_000
)

type world struct {
	*identitytest.Trees
	*catalog.Catalog
	skew *atomic.Int64
}

func plant(t *testing.T, o store.Options) *world {
	t.Helper()
	w := &world{skew: &atomic.Int64{}}
	o.Now = func() time.Time { return time.Now().Add(time.Duration(w.skew.Load())) }
	st, err := store.Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	_, err = st.Migrate(t.Context())
	require.NoError(t, err)
	w.Trees = identitytest.Tree(t, st)
	box, err := secret.NewBox(masterKey)
	require.NoError(t, err)
	w.Catalog = catalog.New(st, w.Epochs, box, factorPPM, slog.New(slog.DiscardHandler))
	return w
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, plant(t, store.Options{Dir: t.TempDir()}))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, plant(t, store.Options{URL: storetest.PostgresURL(t)}))
	})
}

// as runs f in a transaction of a viewer's, and waits until its epoch is known.
func (w *world) as(t *testing.T, v *tenancy.Viewer, f func(ctx context.Context, tx *store.Tx) error) error {
	t.Helper()
	ctx := tenancy.Platform(identitytest.Ctx(t, v))
	err := w.Store.InTx(ctx, f)
	for _, a := range w.Store.Account.Query().AllX(identitytest.System(t)) {
		require.Eventually(t, func() bool { return w.Epochs.Of(a.ID) >= a.Epoch }, 20*time.Second, 5*time.Millisecond)
	}
	return err
}

func (w *world) route(t *testing.T, a *identitytest.Account, plane tenancy.Plane, name string) (catalog.Route, bool) {
	t.Helper()
	r, ok, err := w.Route(t.Context(), a.Row.ID, plane, name)
	require.NoError(t, err)
	return r, ok
}

func ptr[T any](v T) *T { return &v }

func (w *world) provider(t *testing.T, name, key string) *ent.Provider {
	t.Helper()
	var p *ent.Provider
	require.NoError(t, w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) (err error) {
		p, err = w.CreateProvider(ctx, tx, w.A.Console.Root, catalog.ProviderInput{Name: &name, BaseURL: ptr("https://api.example.com/v1/"), Secret: &key})
		return err
	}))
	return p
}

func (w *world) model(t *testing.T, providerID, name string, price catalog.PriceInput) *ent.Model {
	t.Helper()
	var m *ent.Model
	require.NoError(t, w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) (err error) {
		m, err = w.CreateModel(ctx, tx, w.A.Console.Root, catalog.ModelInput{ProviderID: providerID, Name: name,
			ContextLength: 1000, MaxOutputTokens: 100, Price: &price})
		return err
	}))
	return m
}

var fair = catalog.PriceInput{Input: money.One, Output: 2 * money.One}

// stored is every byte of every table.
func stored(t *testing.T, st *store.Store) string {
	t.Helper()
	var out strings.Builder
	for table := range identitytest.Rows(t, st) {
		rows, err := st.System().QueryContext(t.Context(), "SELECT * FROM "+table)
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			require.NoError(t, rows.Scan(into...))
			for _, v := range values {
				if b, ok := v.([]byte); ok {
					v = string(b)
				}
				fmt.Fprintln(&out, v)
			}
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	return out.String()
}

func TestSecretsAreSealedAndNeverTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p := w.provider(t, "Mine", apiKey)
		m := w.model(t, p.ID, "gpt", fair)
		require.Equal(t, "abcd", p.SecretHint)
		r, ok := w.route(t, w.A, tenancy.Console, "gpt")
		require.True(t, ok)
		require.Equal(t, apiKey, r.APIKey)
		require.Equal(t, []string{m.ID, "https://api.example.com/v1", "gpt"}, []string{r.ModelID, r.BaseURL, r.UpstreamName})

		for _, kept := range []*string{nil, ptr("••••••••abcd"), ptr("…abcd"), ptr("***"), ptr("abcd"), ptr(" abcd ")} {
			require.NoError(t, w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
				_, err := w.UpdateProvider(ctx, tx, w.A.Console.Root, p.ID, catalog.ProviderInput{Name: ptr("Renamed"), Secret: kept})
				return err
			}))
			r, _ := w.route(t, w.A, tenancy.Console, "gpt")
			require.Equal(t, apiKey, r.APIKey, "kept")
		}
		require.NoError(t, w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.UpdateProvider(ctx, tx, w.A.Console.Root, p.ID, catalog.ProviderInput{Secret: ptr(otherKey)})
			return err
		}))
		r, _ = w.route(t, w.A, tenancy.Console, "gpt")
		require.Equal(t, otherKey, r.APIKey)
		for _, bad := range []string{"sk-line\nbreak", "sk-\x00", strings.Repeat("x", 4097)} {
			err := w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
				_, err := w.UpdateProvider(ctx, tx, w.A.Console.Root, p.ID, catalog.ProviderInput{Secret: &bad})
				return err
			})
			require.True(t, fault.Is(err, fault.Invalid))
			require.NotContains(t, err.Error(), bad[:3]+"line")
		}
		all := stored(t, w.Store)
		require.NotContains(t, all, apiKey)
		require.NotContains(t, all, otherKey)
		require.Contains(t, all, "provider.update")
		require.NotContains(t, fmt.Sprint(p), apiKey)

		require.NoError(t, w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.UpdateProvider(ctx, tx, w.A.Console.Root, p.ID, catalog.ProviderInput{Secret: ptr("")})
			return err
		}))
		r, _ = w.route(t, w.A, tenancy.Console, "gpt")
		require.Empty(t, r.APIKey, "an empty key removes it")
	})
}

// A sealed key that was moved to another provider's row can't be opened there.
func TestSecretIsBoundToItsRow(t *testing.T) {
	t.Parallel()
	w := plant(t, store.Options{Dir: t.TempDir()})
	a, b := w.provider(t, "A", apiKey), w.provider(t, "B", otherKey)
	w.model(t, b.ID, "gpt", fair)
	_, err := w.Store.System().Exec("UPDATE providers SET secret = (SELECT secret FROM providers WHERE id = ?) WHERE id = ?", a.ID, b.ID)
	require.NoError(t, err)
	require.NoError(t, w.as(t, w.A.Admin, func(_ context.Context, tx *store.Tx) error { tx.Touch(w.A.Row.ID); return nil }))
	_, ok := w.route(t, w.A, tenancy.Console, "gpt")
	require.False(t, ok, "left out, not sent with somebody else's key")
	_, err = w.Endpoint(identitytest.Ctx(t, w.A.Admin), b.ID)
	require.ErrorIs(t, err, secret.ErrOpen)
}

func TestAddressesAndNamesAreChecked(t *testing.T) {
	t.Parallel()
	w := plant(t, store.Options{Dir: t.TempDir()})
	for _, bad := range []string{"", "api.example.com", "ftp://a.example", "https://", "https://user:pw@a.example", "https://a.example?key=1",
		"https://a.example#x", "javascript:alert(1)", "file:///etc/passwd", "https://" + strings.Repeat("a", 500) + ".example", "https://a b.example"} {
		err := w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.CreateProvider(ctx, tx, w.A.Console.Root, catalog.ProviderInput{Name: ptr("P"), BaseURL: &bad})
			return err
		})
		require.True(t, fault.Is(err, fault.Invalid), "%q: %v", bad, err)
	}
	p := w.provider(t, "Mine", apiKey)
	for _, tc := range []struct {
		in   catalog.ProviderInput
		code fault.Code
	}{
		{catalog.ProviderInput{Name: ptr("Mine"), BaseURL: ptr("https://a.example")}, fault.Exists},
		{catalog.ProviderInput{Name: ptr(" "), BaseURL: ptr("https://a.example")}, fault.Invalid},
		{catalog.ProviderInput{Name: ptr("x")}, fault.Invalid},
	} {
		err := w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.CreateProvider(ctx, tx, w.A.Console.Root, tc.in)
			return err
		})
		require.True(t, fault.Is(err, tc.code), "%v", err)
	}
	err := w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
		_, err := w.UpdateProvider(ctx, tx, w.A.Console.Root, p.ID, catalog.ProviderInput{Name: ptr("x"), ExpectedVersion: ptr(p.Version + 1)})
		return err
	})
	require.True(t, fault.Is(err, fault.Conflict), "%v", err)
	err = w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
		_, err := w.CreateProvider(ctx, tx, w.A.Copilot.Root, catalog.ProviderInput{Name: ptr("x"), BaseURL: ptr("https://a.example")})
		return err
	})
	require.True(t, fault.Is(err, fault.Invalid), "providers belong to Console")
}

func TestAbsurdPricesAreRefused(t *testing.T) {
	t.Parallel()
	w := plant(t, store.Options{Dir: t.TempDir()})
	p := w.provider(t, "Mine", apiKey)
	m := w.model(t, p.ID, "gpt", fair)
	const dear = 1_000_000*money.One + 1
	bad := map[string]catalog.PriceInput{
		"free": {}, "negative input": {Input: -1, Output: 1}, "negative output": {Output: -1, Input: 1}, "negative request": {Request: -1, Input: 1},
		"dear": {Input: dear}, "largest": {Output: math.MaxInt64}, "smallest": {Input: math.MinInt64},
		"negative cached": {Input: 1, CachedInput: ptr(money.Nano(-1))}, "dear cache write": {Input: 1, CacheWrite: ptr(dear)},
		"negative reasoning": {Input: 1, Reasoning: ptr(money.Nano(-5))},
	}
	for name, price := range bad {
		for how, f := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"create": func(ctx context.Context, tx *store.Tx) error {
				_, err := w.CreateModel(ctx, tx, w.A.Console.Root, catalog.ModelInput{ProviderID: p.ID, Name: "n", ContextLength: 10, MaxOutputTokens: 1, Price: &price})
				return err
			},
			"publish": func(ctx context.Context, tx *store.Tx) error {
				_, err := w.PublishPrice(ctx, tx, w.A.Console.Root, m.ID, price)
				return err
			},
		} {
			require.True(t, fault.Is(w.as(t, w.A.Admin, f), fault.Invalid), "%s: %s", how, name)
		}
		err := w.as(t, w.SuperAdmin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.PublishCatalogPrice(ctx, tx, w.CatalogModel.ID, price, time.Time{})
			return err
		})
		require.True(t, fault.Is(err, fault.Invalid), name)
	}
	for name, in := range map[string]catalog.ModelInput{
		"neither price nor ceiling": {ContextLength: 10, MaxOutputTokens: 1},
		"both":                      {ContextLength: 10, MaxOutputTokens: 1, Price: &fair, Ceiling: ptr(money.Nano(1))},
		"zero ceiling":              {ContextLength: 10, MaxOutputTokens: 1, Ceiling: ptr(money.Nano(0))},
		"negative ceiling":          {ContextLength: 10, MaxOutputTokens: 1, Ceiling: ptr(money.Nano(-1))},
		"absurd ceiling":            {ContextLength: 10, MaxOutputTokens: 1, Ceiling: ptr(money.Nano(math.MaxInt64))},
		"no context":                {MaxOutputTokens: 1, Price: &fair},
		"output beyond context":     {ContextLength: 10, MaxOutputTokens: 11, Price: &fair},
		"endless context":           {ContextLength: math.MaxInt64, MaxOutputTokens: 1, Price: &fair},
	} {
		in.ProviderID, in.Name = p.ID, "n"
		err := w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.CreateModel(ctx, tx, w.A.Console.Root, in)
			return err
		})
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", name, err)
	}
	for _, ppm := range []int64{0, -1, math.MaxInt64} {
		err := w.as(t, w.SuperAdmin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.SetFactor(ctx, tx, w.A.Row, ppm, w.Store.Now())
			return err
		})
		require.True(t, fault.Is(err, fault.Invalid), "factor %d", ppm)
	}
}

// The clock alone brings a version into force; nobody has to be told.
func TestVersionsComeIntoForceByTheClock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p := w.provider(t, "Mine", apiKey)
		m := w.model(t, p.ID, "gpt", fair)
		first, _ := w.route(t, w.A, tenancy.Console, "gpt")
		require.EqualValues(t, money.One, first.Price.Input)
		next := w.Store.Now().Add(time.Hour)
		require.NoError(t, w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			return tx.Price.Create().SetAccountID(w.A.Row.ID).SetPlane("CONSOLE").SetModelID(m.ID).SetEffectiveFrom(next).SetInput(7).SetOutput(7).Exec(ctx)
		}))
		require.NoError(t, w.as(t, w.SuperAdmin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.SetFactor(ctx, tx, w.A.Row, 2_000_000, next)
			return err
		}))
		same, _ := w.route(t, w.A, tenancy.Console, "gpt")
		require.Equal(t, first.Price.ID, same.Price.ID)
		copilot, ok := w.route(t, w.A, tenancy.Copilot, "smart")
		require.True(t, ok)
		require.EqualValues(t, 1_000_000, copilot.FactorPPM, "the fixture's")
		require.NotEmpty(t, copilot.FactorID)
		require.Zero(t, same.FactorPPM, "no credits in Console")

		w.skew.Add(int64(2 * time.Hour))
		later, _ := w.route(t, w.A, tenancy.Console, "gpt")
		require.EqualValues(t, 7, later.Price.Input)
		copilot, _ = w.route(t, w.A, tenancy.Copilot, "smart")
		require.EqualValues(t, 2_000_000, copilot.FactorPPM)
		ppm, err := w.FactorPPM(t.Context(), w.A.Row.ID)
		require.NoError(t, err)
		require.EqualValues(t, 2_000_000, ppm)

		require.NoError(t, w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.PublishPrice(ctx, tx, w.A.Console.Root, m.ID, catalog.PriceInput{Input: 9})
			return err
		}))
		latest, _ := w.route(t, w.A, tenancy.Console, "gpt")
		require.EqualValues(t, 9, latest.Price.Input)
		require.Equal(t, 4, w.Store.Price.Query().CountX(identitytest.Ctx(t, w.A.Admin)), "superseded, never edited; one is the fixture's")
	})
}

func TestDefaultFactor(t *testing.T) {
	t.Parallel()
	w := plant(t, store.Options{Dir: t.TempDir()})
	_, err := w.Store.System().Exec("DELETE FROM credit_factors")
	require.NoError(t, err)
	r, ok := w.route(t, w.A, tenancy.Copilot, "smart")
	require.True(t, ok)
	require.EqualValues(t, factorPPM, r.FactorPPM)
	require.Empty(t, r.FactorID)
	ppm, err := w.FactorPPM(t.Context(), w.A.Row.ID)
	require.NoError(t, err)
	require.EqualValues(t, factorPPM, ppm)
}

// What is off anywhere on its way isn't routed, from the next call on.
func TestWhatIsOffIsNotRouted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		console, copilot := w.A.Console, w.A.Copilot
		off := func(v *tenancy.Viewer, f func(ctx context.Context, tx *store.Tx) error) {
			t.Helper()
			require.NoError(t, w.as(t, v, f))
		}
		routed := func(plane tenancy.Plane) bool {
			_, ok := w.route(t, w.A, plane, "smart")
			list, err := w.Routes(t.Context(), w.A.Row.ID, plane)
			require.NoError(t, err)
			require.Equal(t, ok, len(list) == 1)
			return ok
		}
		require.True(t, routed(tenancy.Console))
		require.True(t, routed(tenancy.Copilot))
		setStatus := func(id string, s model.Status, root *ent.Scope) func(ctx context.Context, tx *store.Tx) error {
			return func(ctx context.Context, tx *store.Tx) error {
				_, err := w.SetModelStatus(ctx, tx, root, id, s, nil)
				return err
			}
		}
		off(w.A.Admin, setStatus(console.Model.ID, model.StatusDISABLED, console.Root))
		require.False(t, routed(tenancy.Console))
		require.True(t, routed(tenancy.Copilot))
		off(w.A.Admin, setStatus(console.Model.ID, model.StatusACTIVE, console.Root))
		require.True(t, routed(tenancy.Console))
		off(w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.UpdateProvider(ctx, tx, console.Root, console.Provider.ID, catalog.ProviderInput{Status: ptr("DISABLED")})
			return err
		})
		require.False(t, routed(tenancy.Console))

		off(w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.UninstallModel(ctx, tx, copilot.Root, copilot.Model.ID)
			return err
		})
		require.False(t, routed(tenancy.Copilot))
		off(w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
			m, err := w.InstallModel(ctx, tx, copilot.Root, w.CatalogModel.ID)
			if err == nil {
				require.Equal(t, copilot.Model.ID, m.ID, "the same model again")
			}
			return err
		})
		require.True(t, routed(tenancy.Copilot))
		off(w.SuperAdmin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.UpdateCatalogModel(ctx, tx, w.CatalogModel.ID, catalog.Edit{Status: ptr(catalogmodel.StatusRETIRED)})
			return err
		})
		require.False(t, routed(tenancy.Copilot), "retired by the platform")
		_, ok := w.route(t, w.B, tenancy.Copilot, "smart")
		require.False(t, ok, "for every account")
		err := w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.InstallModel(ctx, tx, copilot.Root, w.CatalogModel.ID)
			return err
		})
		require.True(t, fault.Is(err, fault.Invalid), "%v", err)
		off(w.SuperAdmin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.UpdateCatalogModel(ctx, tx, w.CatalogModel.ID, catalog.Edit{Status: ptr(catalogmodel.StatusACTIVE)})
			return err
		})
		require.True(t, routed(tenancy.Copilot))
		off(w.SuperAdmin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.UpdateCentralProvider(ctx, tx, w.CatalogModel.CentralProviderID, catalog.ProviderInput{Status: ptr("DISABLED")})
			return err
		})
		require.False(t, routed(tenancy.Copilot))
	})
}

// Foreign ids read like ids that don't exist, whatever is done with them.
func TestForeignIDsDontExist(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		console, copilot := w.A.Console, w.A.Copilot
		for name, f := range map[string]func(ctx context.Context, tx *store.Tx, id string) error{
			"provider": func(ctx context.Context, tx *store.Tx, id string) error {
				_, err := w.UpdateProvider(ctx, tx, console.Root, id, catalog.ProviderInput{Name: ptr("x")})
				return err
			},
			"test": func(ctx context.Context, tx *store.Tx, id string) error {
				return w.RecordTest(ctx, tx, console.Root, id, "no")
			},
			"endpoint": func(ctx context.Context, _ *store.Tx, id string) error { _, err := w.Endpoint(ctx, id); return err },
			"model of a provider": func(ctx context.Context, tx *store.Tx, id string) error {
				_, err := w.CreateModel(ctx, tx, console.Root, catalog.ModelInput{ProviderID: id, Name: "n", ContextLength: 10, MaxOutputTokens: 1, Price: &fair})
				return err
			},
		} {
			var seen []string
			for _, id := range []string{w.B.Console.Provider.ID, "prv_nothing", w.CatalogModel.CentralProviderID} {
				err := w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error { return f(ctx, tx, id) })
				require.True(t, fault.Is(err, fault.NotFound), "%s: %v", name, err)
				seen = append(seen, err.Error())
			}
			require.Equal(t, []string{seen[0], seen[0], seen[0]}, seen)
		}
		for name, f := range map[string]func(ctx context.Context, tx *store.Tx, id string) error{
			"status": func(ctx context.Context, tx *store.Tx, id string) error {
				_, err := w.SetModelStatus(ctx, tx, console.Root, id, model.StatusDISABLED, nil)
				return err
			},
			"price": func(ctx context.Context, tx *store.Tx, id string) error {
				_, err := w.PublishPrice(ctx, tx, console.Root, id, fair)
				return err
			},
			"uninstall": func(ctx context.Context, tx *store.Tx, id string) error {
				_, err := w.UninstallModel(ctx, tx, copilot.Root, id)
				return err
			},
		} {
			for _, id := range []string{w.B.Console.Model.ID, w.B.Copilot.Model.ID, "mod_nothing"} {
				err := w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error { return f(ctx, tx, id) })
				require.Equal(t, fault.Missing("model").Error(), fmt.Sprint(err), name)
			}
			err := w.as(t, console.Admin, func(ctx context.Context, tx *store.Tx) error { return f(ctx, tx, copilot.Model.ID) })
			require.Equal(t, fault.Missing("model").Error(), fmt.Sprint(err), "%s of the other plane", name)
		}
		for _, id := range []string{w.Draft.ID, "cat_nothing"} {
			err := w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
				_, err := w.InstallModel(ctx, tx, copilot.Root, id)
				return err
			})
			require.Equal(t, fault.Missing("catalogue model").Error(), fmt.Sprint(err), "a draft isn't there yet")
		}
		for what, f := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"central provider": func(ctx context.Context, tx *store.Tx) error {
				_, err := w.CreateCentralProvider(ctx, tx, catalog.ProviderInput{Name: ptr("x"), BaseURL: ptr("https://a.example")})
				return err
			},
			"catalogue price": func(ctx context.Context, tx *store.Tx) error {
				_, err := w.PublishCatalogPrice(ctx, tx, w.CatalogModel.ID, fair, time.Time{})
				return err
			},
			"factor": func(ctx context.Context, tx *store.Tx) error {
				_, err := w.SetFactor(ctx, tx, w.A.Row, 1, w.Store.Now())
				return err
			},
		} {
			require.Error(t, w.as(t, w.A.Admin, f), "%s by an account admin, whom the policy let through", what)
		}
	})
}

// A key lists models of its own plane and account alone; the database says so
// where a verb forgets.
func TestForeignModelsCantBePutOnAKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c := w.A.Console
		for _, m := range []*ent.Model{w.A.Copilot.Model, w.B.Console.Model, w.B.Copilot.Model} {
			err := w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
				_, _, _, err := identity.CreateKey(ctx, tx, w.Store.Now(), identity.KeyInput{Name: "k", Owner: c.Team, ModelIDs: []string{m.ID}})
				return err
			})
			require.True(t, fault.Is(err, fault.NotFound), "%v", err)
			err = w.Store.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				return tx.KeyModel.Create().SetAccountID(w.A.Row.ID).SetPlane("CONSOLE").SetKeyID(c.Key.ID).SetModelID(m.ID).Exec(ctx)
			})
			require.True(t, ent.IsConstraintError(err), "%v", err)
		}
	})
}

// Of many who change the same version one wins, and the others are told.
func TestOneOfManyEditorsWins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p := w.provider(t, "Mine", apiKey)
		m := w.model(t, p.ID, "gpt", fair)
		for what, f := range map[string]func(ctx context.Context, tx *store.Tx, i int) error{
			"provider": func(ctx context.Context, tx *store.Tx, i int) error {
				_, err := w.UpdateProvider(ctx, tx, w.A.Console.Root, p.ID, catalog.ProviderInput{Name: ptr(fmt.Sprint("P", i)), ExpectedVersion: &p.Version})
				return err
			},
			"model": func(ctx context.Context, tx *store.Tx, i int) error {
				_, err := w.SetModelStatus(ctx, tx, w.A.Console.Root, m.ID, model.StatusDISABLED, &m.Version)
				return err
			},
			"catalogue model": func(ctx context.Context, tx *store.Tx, i int) error {
				_, err := w.UpdateCatalogModel(ctx, tx, w.CatalogModel.ID, catalog.Edit{Description: ptr(fmt.Sprint("D", i)), ExpectedVersion: &w.CatalogModel.Version})
				return err
			},
		} {
			v := w.A.Admin
			if what == "catalogue model" {
				v = w.SuperAdmin
			}
			ctx := tenancy.Platform(identitytest.Ctx(t, v))
			const editors = 8
			errs := make([]error, editors)
			var wg sync.WaitGroup
			for i := range editors {
				wg.Go(func() {
					errs[i] = w.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error { return f(ctx, tx, i) })
				})
			}
			wg.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
					continue
				}
				require.True(t, fault.Is(err, fault.Conflict), "%s: %v", what, err)
			}
			require.Equal(t, 1, won, what)
		}
	})
}

// Pointing a provider elsewhere doesn't carry its key along.
func TestStoredKeyStaysWithItsServer(t *testing.T) {
	t.Parallel()
	w := plant(t, store.Options{Dir: t.TempDir()})
	p := w.provider(t, "Mine", apiKey)
	w.model(t, p.ID, "gpt", fair)
	to := func(url string, key *string) error {
		return w.as(t, w.A.Admin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.UpdateProvider(ctx, tx, w.A.Console.Root, p.ID, catalog.ProviderInput{BaseURL: &url, Secret: key})
			return err
		})
	}
	for _, url := range []string{"https://evil.example/v1", "http://api.example.com/v1", "https://api.example.com:8443/v1", "https://api.example.com.evil.example"} {
		for _, key := range []*string{nil, ptr("••••abcd"), ptr("abcd")} {
			err := to(url, key)
			require.True(t, fault.Is(err, fault.Invalid), "%s: %v", url, err)
			require.Equal(t, []string{"secret"}, fault.As(err).Path)
		}
	}
	require.NoError(t, to("https://API.example.com/v2/", nil), "another path of the same server")
	require.NoError(t, to("https://new.example/v1", ptr(otherKey)))
	r, _ := w.route(t, w.A, tenancy.Console, "gpt")
	require.Equal(t, []string{"https://new.example/v1", otherKey}, []string{r.BaseURL, r.APIKey})
	require.NoError(t, to("https://third.example/v1", ptr("")))
	require.NoError(t, to("https://fourth.example/v1", nil), "no key, nothing to lose")

	super := func(url string) error {
		return w.as(t, w.SuperAdmin, func(ctx context.Context, tx *store.Tx) error {
			_, err := w.UpdateCentralProvider(ctx, tx, w.CatalogModel.CentralProviderID, catalog.ProviderInput{BaseURL: &url})
			return err
		})
	}
	require.NoError(t, super("https://one.example"))
	require.NoError(t, w.as(t, w.SuperAdmin, func(ctx context.Context, tx *store.Tx) error {
		_, err := w.UpdateCentralProvider(ctx, tx, w.CatalogModel.CentralProviderID, catalog.ProviderInput{Secret: ptr(apiKey)})
		return err
	}))
	require.True(t, fault.Is(super("https://two.example"), fault.Invalid))
}
