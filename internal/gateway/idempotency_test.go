package gateway_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/gateway"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
)

// refusalOf reads an error in OpenAI's shape.
func refusalOf(t *testing.T, res *http.Response) map[string]any {
	t.Helper()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var body struct{ Error map[string]any }
	require.NoError(t, json.Unmarshal(text, &body), string(text))
	return body.Error
}

// keyed sends a call under an Idempotency-Key.
func (w *world) keyed(key, body, idempotencyKey string) *http.Response {
	w.t.Helper()
	return w.send(func() *http.Request {
		r := w.request(w.t.Context(), key, body)
		r.Header.Set("Idempotency-Key", idempotencyKey)
		return r
	})
}

func TestIdempotencyKeyRunsACallOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, gateway.Options{})
		call := ask("demo-large", false, "", `{"tokens":5}`)
		first := w.keyed(w.consoleKey, call, "order-7")
		require.Equal(t, http.StatusOK, first.StatusCode)
		charge := w.charges()[0]

		again := w.keyed(w.consoleKey, call, "order-7")
		require.Equal(t, http.StatusConflict, again.StatusCode)
		refusal := refusalOf(t, again)
		require.Equal(t, "idempotency_key_used", refusal["code"])
		require.Equal(t, charge.ID, refusal["chargeId"])
		require.Equal(t, first.Header.Get("X-Cockpit-Cost"), refusal["cost"])
		require.Equal(t, first.Header.Get("X-Request-Id"), refusal["requestId"])

		other := w.keyed(w.consoleKey, ask("demo-large", false, "", `{"tokens":6}`), "order-7")
		require.Equal(t, http.StatusUnprocessableEntity, other.StatusCode)
		require.Equal(t, "idempotency_key_reused", refusalOf(t, other)["code"])

		// The key is the caller's own: nobody learns of another's.
		require.Equal(t, http.StatusOK, w.keyed(w.newKey(0), call, "order-7").StatusCode)
		require.Equal(t, http.StatusOK, w.keyed(w.copilotKey, ask("central", false, "", ""), "order-7").StatusCode)
		require.Len(t, w.charges(), 3)
		require.Len(t, w.billed().Requests, 3)

		for _, bad := range []string{"", strings.Repeat("x", 256)} {
			require.Equal(t, http.StatusBadRequest, w.keyed(w.consoleKey, call, bad).StatusCode)
		}
		w.balanced()
	})
}

// What nobody was charged for may be tried again under its key.
func TestIdempotencyKeyOfAReleasedCall(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, gateway.Options{})
		call := ask("demo-large", false, "", `{"fail_before_bytes":true}`)
		for range 2 {
			require.Equal(t, http.StatusBadGateway, w.keyed(w.consoleKey, call, "k").StatusCode)
		}
		require.Empty(t, w.charges())
		require.Zero(t, st.IdempotencyKey.Query().CountX(system()))
		w.balanced()
	})
}

// Many send the same call at once: one is made.
func TestIdempotencyKeyAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, gateway.Options{})
		var mu sync.Mutex
		codes := map[string]int{}
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				res := w.keyed(w.consoleKey, ask("demo-large", true, "", `{"latency_ms":300,"tokens":5}`), "same")
				code := "answered"
				if res.StatusCode != http.StatusOK {
					code, _ = refusalOf(t, res)["code"].(string)
				} else if _, err := io.Copy(io.Discard, res.Body); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				codes[code]++
			})
		}
		wg.Wait()
		require.Equal(t, 1, codes["answered"])
		require.Equal(t, 15, codes["idempotency_key_in_use"]+codes["idempotency_key_used"], codes)
		require.Len(t, w.charges(), 1)
		w.balanced()
	})
}
