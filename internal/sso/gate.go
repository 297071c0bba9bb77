// Package sso signs people in through their accounts' own OpenID Connect
// providers: domains that route them there, providers, the flow, and what
// groups give.
package sso

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
)

// Options of New.
type Options struct {
	Store    *store.Store
	Sessions *identity.Sessions
	Access   *access.Engine
	Refusals *audit.Refusals
	Box      *secret.Box
	// Client calls addresses that tenants give; ErrClosed is what it answers for
	// networks that the operator hasn't opened.
	Client    *http.Client
	ErrClosed error
	// Networks are those that the operator has opened; plain http is taken in
	// them alone.
	Networks []netip.Prefix
	// DNSServer answers domain verifications; empty means the system's.
	DNSServer string
	// Accept gives a user what an invitation offers to their address, within the
	// sign-in's transaction. Nil where invitations aren't taken.
	Accept func(ctx context.Context, tx *store.Tx, token string, u *ent.User) error
	// URL is where browsers reach the server, without a slash at its end.
	URL string
}

// Gate is the door for people who sign in through an identity provider.
type Gate struct {
	Options
	client *http.Client
	// found has what discovery documents said, by issuer.
	found *expirable.LRU[string, *discovery]
	// attempts bounds what an address may ask for.
	attempts *identity.Attempts
}

const (
	// outboundTime bounds a whole call to a provider.
	outboundTime = 10 * time.Second
	// outboundSize bounds what is read of its answer.
	outboundSize = 1 << 20
	// foundFor is how long a discovery document and its keys are used.
	foundFor = 10 * time.Minute
)

// New makes the one Gate of a server.
func New(o Options) *Gate {
	return &Gate{
		Options:  o,
		client:   &http.Client{Transport: bounded{o.Client.Transport}, CheckRedirect: o.Client.CheckRedirect, Timeout: outboundTime},
		found:    expirable.NewLRU[string, *discovery](500, nil, foundFor),
		attempts: identity.NewAttempts(o.Store.Now),
	}
}

// perMinute is how often one address may ask how to sign in, and as often begin
// and as often end a sign-in.
const perMinute = 60

// allow takes one of an address's attempts.
func (g *Gate) allow(what, ip string) bool {
	_, wait := g.attempts.Take(identity.Allowance{Of: what + " " + ip, PerMinute: perMinute})
	return wait == 0
}
