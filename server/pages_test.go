package server

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func build(t *testing.T) *pages {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte("console.log(1)"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return &pages{fstest.MapFS{
		"index.html":            {Data: []byte(`<script nonce="__CSP_NONCE__"></script><link nonce="__CSP_NONCE__">`)},
		"graphiql.html":         {Data: []byte("GraphiQL")},
		"favicon.svg":           {Data: []byte("<svg/>")},
		"assets/app-1a2b.js":    {Data: []byte("console.log(1)")},
		"assets/app-1a2b.js.gz": {Data: packed.Bytes()},
		".gitkeep":              {},
	}}
}

func get(h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if len(headers) > 0 {
		r.Header.Set("Accept-Encoding", headers[0])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPagesCarryAFreshNonce(t *testing.T) {
	t.Parallel()
	p := build(t)
	nonces := map[string]bool{}
	for _, path := range []string{"/", "/index.html", "/a/acme/console/budgets", "/signin"} {
		w := get(p, path)
		require.Equal(t, http.StatusOK, w.Code, path)
		m := regexp.MustCompile(`script-src 'self' 'nonce-([\w-]{22})'`).FindStringSubmatch(w.Header().Get("Content-Security-Policy"))
		require.Len(t, m, 2, path)
		require.Equal(t, `<script nonce="`+m[1]+`"></script><link nonce="`+m[1]+`">`, w.Body.String())
		nonces[m[1]] = true
	}
	require.Len(t, nonces, 4)

	w := httptest.NewRecorder()
	p.html(w, httptest.NewRequest(http.MethodGet, "/graphiql", nil), graphiql)
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "style-src 'self' 'unsafe-inline'", "its editor needs it")
	require.NotContains(t, w.Header().Get("Content-Security-Policy"), noncePlace)
	require.NotContains(t, get(p, "/").Header().Get("Content-Security-Policy"), "unsafe")
}

func TestAssets(t *testing.T) {
	t.Parallel()
	p := build(t)
	w := get(p, "/assets/app-1a2b.js", "gzip, br")
	require.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
	require.Contains(t, w.Header().Get("Cache-Control"), "immutable")
	require.Contains(t, w.Header().Get("Content-Type"), "javascript")
	require.Equal(t, "Accept-Encoding", w.Header().Get("Vary"))

	w = get(p, "/assets/app-1a2b.js")
	require.Empty(t, w.Header().Get("Content-Encoding"))
	require.Equal(t, "console.log(1)", w.Body.String())

	w = get(p, "/favicon.svg", "gzip")
	require.Equal(t, "<svg/>", w.Body.String())
	require.NotContains(t, w.Header().Get("Cache-Control"), "immutable")

	for _, missing := range []string{"/assets/old-9z.js", "/.gitkeep", "/../server/pages.go", "/assets/..%2f..%2fgo.mod"} {
		require.Equal(t, http.StatusNotFound, get(p, missing).Code, missing)
	}
}

func TestBinaryWithoutPagesSaysHowToGetThem(t *testing.T) {
	t.Parallel()
	w := get(&pages{fstest.MapFS{".gitkeep": {}}}, "/")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, w.Body.String(), "make build")
}
