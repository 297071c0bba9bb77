package sso

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/alchemi/cockpit/internal/secret"
)

// FlowTime is how long somebody may take at their provider.
const FlowTime = 10 * time.Minute

// statePlace keeps sealed states from being taken for anything else sealed.
const statePlace = "sso.state"

// state goes to the provider and back, sealed. The account and all else of the
// sign-in is what it says; whatever the address of the callback names can only
// agree.
type state struct {
	AccountID  string `json:"a"`
	ProviderID string `json:"p"`
	Nonce      string `json:"n"`
	// Browser is the hash of the cookie, which holds the PKCE verifier.
	Browser string    `json:"b"`
	Expires time.Time `json:"e"`
	Return  string    `json:"r,omitempty"`
	// Invitation is the token of the invitation that the person follows.
	Invitation string `json:"i,omitempty"`
	// Tester is the session of the admin who tests the provider as it is in
	// Version.
	Tester  string `json:"t,omitempty"`
	Version int    `json:"v,omitempty"`
}

// cookieName is the flow's own, so that sign-ins in two windows don't meet.
func cookieName(nonce string) string { return "cockpit_sso_" + nonce[:8] }

func (g *Gate) seal(s state) (string, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(g.Box.Seal(statePlace, string(text))), nil
}

// open reads a state that this server sealed and that isn't over. The browser
// must be the one that began: it has the verifier.
func (g *Gate) open(sealed string, cookie func(name string) string) (s state, verifier string, refused *Refusal) {
	bad := refuse(BadState, "the sign-in's state isn't one of this server")
	box, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(sealed) > 4096 {
		return state{}, "", bad
	}
	text, err := g.Box.Open(statePlace, box)
	if err != nil {
		return state{}, "", bad
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return state{}, "", bad
	}
	if !g.Store.Now().Before(s.Expires) {
		return state{}, "", refuse(BadState, "the sign-in took too long")
	}
	verifier = cookie(cookieName(s.Nonce))
	if verifier == "" || subtle.ConstantTimeCompare([]byte(secret.Hash(verifier)), []byte(s.Browser)) != 1 {
		return state{}, "", refuse(BadState, "the sign-in was begun in another browser")
	}
	return s, verifier, nil
}

// newFlow makes what a sign-in needs to be told from others.
func newFlow() (nonce, verifier string) { return secret.Token(), oauth2.GenerateVerifier() }

// localPath is a path of the cockpit to go on to; empty for anything that a
// browser could take for another place.
func localPath(s string) string {
	if len(s) > 1000 || !strings.HasPrefix(s, "/") || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '\\' || r > '~' }) {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || strings.HasPrefix(s, "//") || strings.HasPrefix(u.Path, "//") {
		return ""
	}
	if strings.HasPrefix(u.Path, "/sso/") {
		return ""
	}
	return s
}
