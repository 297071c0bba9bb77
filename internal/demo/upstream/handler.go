// Package upstream is a small model provider that speaks OpenAI's wire format.
// It answers the demo's calls and the tests' ones: the same request always gets
// the same answer, it counts what it bills, and the field x_demo of a request
// asks for delays, errors and broken connections. Beside it lies the office,
// where the demo's tools come from.
package upstream

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/alchemi/cockpit/internal/demo/office"
)

// models are the names that the provider serves.
var models = []string{"demo-small", "demo-large", "demo-thinking"}

// created stamps every answer, so that equal requests get equal answers.
const created = 1_767_225_600

// maxBody bounds a request's body in bytes.
const maxBody = 16 << 20

// Handler serves POST /v1/chat/completions, GET /v1/models and GET /demo/stats,
// and the office, which has keys of its own.
// With keys it wants one of them as bearer; without, it takes every caller.
func Handler(keys ...string) http.Handler {
	p := &provider{keys: keys, ledger: newLedger()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", p.guard(p.complete))
	mux.HandleFunc("GET /v1/models", p.guard(p.list))
	mux.HandleFunc("GET /demo/stats", p.stats)
	mux.Handle("/office/", office.Handler())
	return mux
}

type provider struct {
	keys   []string
	ledger *ledger
}

func (p *provider) guard(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !p.admits(r.Header.Get("Authorization")) {
			fail(w, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.")
			return
		}
		next(w, r)
	}
}

func (p *provider) admits(authorization string) bool {
	bearer, ok := strings.CutPrefix(authorization, "Bearer ")
	for _, k := range p.keys {
		if ok && subtle.ConstantTimeCompare([]byte(k), []byte(bearer)) == 1 {
			return true
		}
	}
	return len(p.keys) == 0
}

func (p *provider) list(w http.ResponseWriter, _ *http.Request) {
	type model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		OwnedBy string `json:"owned_by"`
	}
	data := make([]model, len(models))
	for i, m := range models {
		data[i] = model{m, "model", created, "demo"}
	}
	reply(w, http.StatusOK, map[string]any{"object": "list", "data": data})
}

func (p *provider) stats(w http.ResponseWriter, r *http.Request) {
	perRequest, _ := strconv.ParseBool(r.URL.Query().Get("requests"))
	reply(w, http.StatusOK, p.ledger.stats(perRequest))
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only when the caller has gone
}

func fail(w http.ResponseWriter, status int, kind, code, message string) {
	reply(w, status, map[string]any{"error": map[string]any{
		"message": message, "type": kind, "param": nil, "code": code,
	}})
}
