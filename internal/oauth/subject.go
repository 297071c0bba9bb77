package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/ent/externalidentity"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/id"
)

// signatures are the algorithms of ID tokens: those with a public key alone.
var signatures = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// byIDToken finds whom an ID token is about. It must be of an active identity
// provider of the account, and for that provider's client or for the program.
func (s *Server) byIDToken(ctx context.Context, r *request) (*ent.User, error) {
	raw := r.get("subject_token")
	providers, err := s.candidates(ctx, r, raw)
	if err != nil {
		return nil, err
	}
	if len(providers) == 0 {
		return nil, refuse("invalid_request", "The ID token is of no active identity provider of the account.")
	}
	token, err := s.subjects.verify(ctx, providers[0].Issuer, raw)
	if err != nil {
		return nil, err
	}
	var all map[string]any
	if err := token.Claims(&all); err != nil {
		return nil, refuse("invalid_request", "The ID token's claims can't be read.")
	}
	var chosen *ent.IdentityProvider
	for _, p := range providers {
		if !addressed(token, all, p.ClientID, r.client.ID) {
			continue
		}
		if chosen != nil && chosen.AccountID != p.AccountID {
			return nil, refuse("invalid_request", "Several accounts sign in by this issuer. Name the account by the parameter account.")
		}
		chosen = p
	}
	if chosen == nil {
		return nil, refuse("invalid_request", "The ID token is for another audience: neither for the identity provider's client at Cockpit nor for this program.")
	}
	return s.person(ctx, chosen, token, all)
}

// candidates are the active providers that a token may be of. Its issuer, as it
// says itself, only chooses whose keys it is held against.
func (s *Server) candidates(ctx context.Context, r *request, raw string) ([]*ent.IdentityProvider, error) {
	if len(raw) > maxForm {
		return nil, refuse("invalid_request", "The ID token is too long.")
	}
	parsed, err := jose.ParseSignedCompact(raw, signatures)
	if err != nil {
		return nil, refuse("invalid_request", "The subject token isn't an ID token that is signed with a public key.")
	}
	var says struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(parsed.UnsafePayloadWithoutVerification(), &says) != nil || says.Issuer == "" {
		return nil, refuse("invalid_request", "The subject token isn't an ID token that is signed with a public key.")
	}
	q := s.Store.IdentityProvider.Query().
		Where(identityprovider.Issuer(says.Issuer), identityprovider.StatusEQ(identityprovider.StatusACTIVE), identityprovider.AccountIDNEQ(id.PlatformID)).
		Order(ent.Asc(identityprovider.FieldID)).Limit(100)
	switch {
	case r.client.AccountID != id.PlatformID:
		q.Where(identityprovider.AccountID(r.client.AccountID))
	case r.get("account") != "":
		q.Where(identityprovider.AccountID(r.get("account")))
	}
	providers, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("oauth: identity providers: %w", err)
	}
	return providers, nil
}

// addressed tells whether a token was made for one of the clients: for several
// audiences, and wherever it says so, by its authorized party.
func addressed(t *oidc.IDToken, all map[string]any, clients ...string) bool {
	ours := func(name string) bool { return slices.Contains(clients, name) }
	party, _ := all["azp"].(string)
	if party != "" || len(t.Audience) > 1 {
		return ours(party) && slices.ContainsFunc(t.Audience, ours)
	}
	return slices.ContainsFunc(t.Audience, ours)
}

// person is the user of the account whom a verified ID token is about: the one
// with that identity, else the one whose address a verified domain of the
// account's own vouches for.
func (s *Server) person(ctx context.Context, p *ent.IdentityProvider, token *oidc.IDToken, all map[string]any) (*ent.User, error) {
	known, err := s.Store.ExternalIdentity.Query().Where(externalidentity.AccountID(p.AccountID),
		externalidentity.Issuer(token.Issuer), externalidentity.Subject(token.Subject)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, fmt.Errorf("oauth: external identity: %w", err)
	}
	userID := ""
	if known != nil {
		userID = known.UserID
	} else if userID, err = s.byEmail(ctx, p, all); err != nil {
		return nil, err
	}
	u, err := s.standing(ctx, userID)
	if err != nil {
		return nil, err
	}
	if u == nil || u.AccountID != p.AccountID {
		return nil, errSubject
	}
	return u, nil
}

func (s *Server) byEmail(ctx context.Context, p *ent.IdentityProvider, all map[string]any) (userID string, err error) {
	email, _ := all["email"].(string)
	email = strings.ToLower(strings.TrimSpace(email))
	_, host, ok := strings.Cut(email, "@")
	// email_verified speaks of the claim email alone.
	if !ok || p.EmailClaim != "email" || !isTrue(all["email_verified"]) {
		return "", nil
	}
	// Anybody can have a Google account with an address elsewhere: only Workspace
	// vouches for its own domain.
	if p.Issuer == "https://accounts.google.com" && all["hd"] != host {
		return "", nil
	}
	owned, err := s.Store.Domain.Query().Where(domain.AccountID(p.AccountID), domain.VerifiedName(host)).Exist(ctx)
	if err != nil || !owned {
		return "", err
	}
	u, err := s.Store.User.Query().Where(user.AccountID(p.AccountID), user.Email(email)).Only(ctx)
	if ent.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("oauth: user by e-mail: %w", err)
	}
	// Somebody whom the issuer knows by another subject is somebody else.
	other, err := s.Store.ExternalIdentity.Query().Where(externalidentity.UserID(u.ID), externalidentity.Issuer(p.Issuer)).Exist(ctx)
	if err != nil || other {
		return "", err
	}
	return u.ID, nil
}

func isTrue(v any) bool { return v == true || v == "true" }

// subjects holds ID tokens against the keys of their issuers.
type subjects struct {
	// base carries the client that issuers are reached by.
	base context.Context
	now  func() time.Time

	mu     sync.Mutex
	cached map[string]*issuer
}

// issuer is a provider's configuration as it was found, with its keys.
type issuer struct {
	*oidc.IDTokenVerifier
	found time.Time
}

const (
	// rediscoverAfter is how long an issuer's configuration is believed; its
	// keys are read again whenever an unknown one is met.
	rediscoverAfter = time.Hour
	maxIssuers      = 1000
	issuerTimeout   = 10 * time.Second
	maxIssuerBody   = 1 << 20
)

func newSubjects(o Options) *subjects {
	client := *o.Client
	client.Timeout = issuerTimeout
	client.Transport = &boundedAnswers{client.Transport}
	return &subjects{base: oidc.ClientContext(context.Background(), &client), now: o.Store.Now, cached: map[string]*issuer{}}
}

func (s *subjects) verify(ctx context.Context, name, raw string) (*oidc.IDToken, error) {
	at, err := s.issuer(name)
	if err != nil {
		return nil, refuse("invalid_request", "The identity provider %s can't be reached, or doesn't answer as one, so the ID token can't be checked. Try again later.", name)
	}
	token, err := at.Verify(ctx, raw)
	var expired *oidc.TokenExpiredError
	switch {
	case errors.As(err, &expired):
		return nil, refuse("invalid_request", "The ID token has expired. Have the person sign in again.")
	case err != nil:
		return nil, refuse("invalid_request", "The ID token isn't one that its issuer has signed.")
	case token.IssuedAt.After(s.now().Add(skew)):
		return nil, refuse("invalid_request", "The ID token was made in the future. Check the clocks.")
	}
	return token, nil
}

func (s *subjects) issuer(name string) (*issuer, error) {
	now := s.now()
	s.mu.Lock()
	known := s.cached[name]
	s.mu.Unlock()
	if known != nil && now.Sub(known.found) < rediscoverAfter {
		return known, nil
	}
	p, err := oidc.NewProvider(s.base, name)
	if err != nil {
		return nil, err
	}
	// Who a token is for is ours to judge: see addressed.
	fresh := &issuer{p.VerifierContext(s.base, &oidc.Config{SkipClientIDCheck: true, Now: s.now}), now}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cached) >= maxIssuers {
		clear(s.cached)
	}
	s.cached[name] = fresh
	return fresh, nil
}

// boundedAnswers bounds what is read of a provider's answers.
type boundedAnswers struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b *boundedAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxIssuerBody), res.Body}
	}
	return res, err
}
