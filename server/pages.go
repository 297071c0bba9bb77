package server

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ui"
)

// pages serves the user interface from the binary.
type pages struct {
	files fs.FS
}

func newPages() *pages {
	files, err := fs.Sub(ui.Dist, "dist")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	return &pages{files}
}

// ServeHTTP answers with a file of the build, or with the app for its routes.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	ext := path.Ext(name)
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "Nothing can be sent here.", http.StatusMethodNotAllowed)
	case ext == "" || ext == ".html":
		p.html(w, r, "index.html")
	default:
		p.file(w, r, name)
	}
}

// file serves one asset; names under assets/ carry their content's hash.
func (p *pages) file(w http.ResponseWriter, r *http.Request, name string) {
	h := w.Header()
	content, err := fs.ReadFile(p.files, name+".gz")
	packed := err == nil
	if !packed {
		content, err = fs.ReadFile(p.files, name)
	}
	if err != nil || strings.HasPrefix(name, ".") {
		http.NotFound(w, r)
		return
	}
	if packed {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
		} else if content, err = unpack(content); err != nil {
			http.Error(w, "The asset is damaged.", http.StatusInternalServerError)
			return
		}
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		h.Set("Content-Type", kind)
	}
	h.Set("Cache-Control", "public, max-age=3600")
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func unpack(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = b.ReadFrom(z)
	return b.Bytes(), err
}

// noncePlace is what the build leaves for the nonce of each answer.
const noncePlace = "__CSP_NONCE__"

// html serves a page under a policy that allows nothing from elsewhere, and no
// inline script without this answer's nonce.
func (p *pages) html(w http.ResponseWriter, r *http.Request, name string) {
	page, err := fs.ReadFile(p.files, name)
	status := http.StatusOK
	if errors.Is(err, fs.ErrNotExist) {
		page, status = []byte(notBuilt), http.StatusServiceUnavailable
	}
	styles := "'nonce-" + noncePlace + "'"
	if name == graphiql {
		styles = "'unsafe-inline'" // its editor writes style attributes
	}
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	nonce := base64.RawURLEncoding.EncodeToString(random[:])
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", strings.ReplaceAll(policy+"; style-src 'self' "+styles, noncePlace, nonce))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(bytes.ReplaceAll(page, []byte(noncePlace), []byte(nonce))) // fails only when the browser has gone
	}
}

const graphiql = "graphiql.html"

const policy = "default-src 'self'; script-src 'self' 'nonce-" + noncePlace + "'; img-src 'self' data:; font-src 'self' data:; " +
	"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Cockpit</title>
<h1>The user interface isn’t part of this binary</h1>
<p>The API works: GraphQL at <code>/graphql</code>, models at <code>/v1</code>.
<p>For the pages, build the server with <code>make build</code>, which builds them first.`
