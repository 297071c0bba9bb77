package graph

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// tagged holds an answer back until its ETag is known: a hash of the answer
// itself, so that equal tags are equal answers. Nothing cheaper is exact, since
// budgets move with every call and grants expire by the clock.
type tagged struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
	// complete is an answer of a query that had no errors.
	complete bool
}

type taggedKey struct{}

// WriteHeader keeps the status until the answer is whole.
func (t *tagged) WriteHeader(status int) { t.status = status }

// Write keeps what is answered.
func (t *tagged) Write(p []byte) (int, error) { return t.body.Write(p) }

// Unwrap lets http.ResponseController reach the connection.
func (t *tagged) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// serveTagged answers a query whose answer the client has already by 304.
func (h *Handler) serveTagged(w http.ResponseWriter, r *http.Request) {
	t := &tagged{ResponseWriter: w, status: http.StatusOK}
	h.Server.ServeHTTP(t, r.WithContext(context.WithValue(r.Context(), taggedKey{}, t)))
	if t.complete && t.status == http.StatusOK {
		sum := sha256.Sum256(t.body.Bytes())
		tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:]) + `"`
		header := w.Header()
		header.Set("ETag", tag)
		header.Set("Cache-Control", "private, no-cache")
		header.Add("Vary", "Authorization, Cookie")
		if names(r.Header.Values("If-None-Match"), tag) {
			header.Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.WriteHeader(t.status)
	_, _ = w.Write(t.body.Bytes()) // fails only when the client has gone
}

// names tells whether If-None-Match has a tag, also where a proxy made it weak.
func names(lines []string, tag string) bool {
	for candidate := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		if strings.TrimPrefix(strings.TrimSpace(candidate), "W/") == tag {
			return true
		}
	}
	return false
}

// noteComplete marks answers that may be tagged.
func noteComplete(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	t, ok := ctx.Value(taggedKey{}).(*tagged)
	if ok && response != nil && len(response.Errors) == 0 && graphql.HasOperationContext(ctx) {
		t.complete = graphql.GetOperationContext(ctx).Operation.Operation == ast.Query
	}
	return response
}
