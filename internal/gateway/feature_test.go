package gateway_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/featureflag"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/gateway"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Images are generated where the feature is on, whether the call asks for them
// or the model always answers with some.
func TestImagesNeedTheFeature(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, gateway.Options{})
		answer := func(key, body string) (int, string) {
			res := w.post(key, body)
			text, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			return res.StatusCode, string(text)
		}
		const asking = `{"model":"demo-small","modalities":["text","Image"],"messages":[{"role":"user","content":"hi"}],"max_tokens":5}`
		const central = `{"model":"central","messages":[{"role":"user","content":"hi"}],"max_tokens":5}`
		w.chat(w.consoleKey, hello)
		status, body := answer(w.consoleKey, asking)
		require.Equal(t, http.StatusForbidden, status, body)
		require.Contains(t, body, `"code":"feature_off"`)
		require.Contains(t, body, `"feature":"GENERATE_IMAGES"`)
		// However it is spelled.
		for asked, want := range map[string]int{
			`"modalities":["im\u0061ge"]`: http.StatusForbidden, `"modal\u0069ties":["image"]`: http.StatusForbidden, `"modalities":[["text"],"IMAGE"]`: http.StatusForbidden,
			`"Modalities":["image"]`: http.StatusBadRequest, `"modalities":"image"`: http.StatusBadRequest, `"modalities":[],"modalities":["image"]`: http.StatusBadRequest,
			`"tools":[{"type":"image_generation"}]`: http.StatusBadRequest, `"extra_body":{"modalities":["image"]}`: http.StatusForbidden,
			`"generation_config":{"response_modalities":["TEXT","IMAGE"]}`: http.StatusForbidden, `"extra_body":{"google":{"responseModalities":"image"}}`: http.StatusForbidden,
			`"tool_choice":"none","metadata":{"modalities":"image"},"modalities":["text"]`: http.StatusOK,
		} {
			status, body = answer(w.consoleKey, `{"model":"demo-small","messages":[{"role":"user","content":"hi"}],"max_tokens":5,`+asked+`}`)
			require.Equal(t, want, status, "%s: %s", asked, body)
		}

		w.heard(func(ctx context.Context, tx *store.Tx) error {
			_, err := feature.Set(ctx, tx, feature.Input{Scope: w.team, Feature: feature.GenerateImages, Switch: feature.On})
			return err
		})
		status, body = answer(w.consoleKey, asking)
		require.Equal(t, http.StatusOK, status, body)

		status, body = answer(w.copilotKey, central)
		require.Equal(t, http.StatusOK, status, body)
		w.heard(func(ctx context.Context, tx *store.Tx) error {
			if err := tx.FeatureFlag.Create().SetAccountID(w.root.AccountID).SetPlane(featureflag.Plane(tenancy.Console)).SetScopeID(w.root.ID).
				SetFeature(featureflag.FeatureGENERATE_IMAGES).SetSetting(featureflag.SettingDENY).Exec(ctx); err != nil {
				return err
			}
			return tx.CatalogModel.Update().Where(catalogmodel.Name("central")).SetOutputs([]string{"TEXT", "IMAGE"}).Exec(ctx)
		})
		status, body = answer(w.consoleKey, asking)
		require.Equal(t, http.StatusForbidden, status, body)
		require.Contains(t, body, "denied at")
		require.Eventually(t, func() bool { // the platform's epoch is another one
			status, _ = answer(w.copilotKey, central)
			return status == http.StatusForbidden
		}, 30*time.Second, 50*time.Millisecond)
	})
}
