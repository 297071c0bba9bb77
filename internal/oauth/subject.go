package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/ent/externalidentity"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/predicate"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/idtoken"
)

// maxAudience bounds the clients that a token may name.
const maxAudience = 20

// byIDToken finds whom an ID token is about, and which provider says so. It
// must be of an active identity provider of the account, and for that
// provider's client or for the program.
func (s *Server) byIDToken(ctx context.Context, r *request) (*ent.User, *ent.IdentityProvider, error) {
	raw := r.get("subject_token")
	says, ok := idtoken.Peek(raw)
	if !ok {
		return nil, nil, refuse("invalid_request", "The subject token isn't an ID token that is signed with a public key.")
	}
	if len(says.Clients) > maxAudience {
		return nil, nil, refuse("invalid_request", "The ID token is for more than %d clients. Ask for one that is for Cockpit or for the program.", maxAudience)
	}
	known, err := s.Store.IdentityProvider.Query().Where(offered(r, says.Issuer)).Exist(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("oauth: identity providers: %w", err)
	}
	if !known {
		return nil, nil, refuse("invalid_request", "The ID token is of no active identity provider of the account.")
	}
	clients, err := s.Store.IdentityProvider.Query().Where(offered(r, says.Issuer), identityprovider.ClientIDIn(says.Clients...)).
		Unique(true).Select(identityprovider.FieldClientID).Strings(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("oauth: identity providers: %w", err)
	}
	token, err := s.subjects.verify(ctx, says.Issuer, raw, append(clients, r.client.ID))
	if err != nil {
		return nil, nil, err
	}
	// Which accounts the token speaks in follows from what is proved alone.
	of := addressed(r, says.Issuer, token)
	u, err := s.knownAs(ctx, of, says.Issuer, token.Subject)
	if err == nil && u == nil {
		u, of, err = s.byEmail(ctx, of, says.Issuer, token)
	}
	if err != nil {
		return nil, nil, err
	}
	if u == nil {
		return nil, nil, errSubject
	}
	p, err := s.Store.IdentityProvider.Query().Where(of, identityprovider.AccountID(u.AccountID)).Order(ent.Asc(identityprovider.FieldID)).First(ctx)
	if ent.IsNotFound(err) { // it was there a moment ago
		return nil, nil, errSubject
	}
	if err != nil {
		return nil, nil, fmt.Errorf("oauth: identity provider: %w", err)
	}
	return u, p, nil
}

// offered picks the active providers of an issuer in the accounts that a program
// may act in, or in the one that it names.
func offered(r *request, issuer string) predicate.IdentityProvider {
	where := []predicate.IdentityProvider{identityprovider.Issuer(issuer), identityprovider.StatusEQ(identityprovider.StatusACTIVE),
		identityprovider.AccountIDNEQ(id.PlatformID)}
	switch {
	case r.client.AccountID != id.PlatformID:
		where = append(where, identityprovider.AccountID(r.client.AccountID))
	case r.get("account") != "":
		where = append(where, identityprovider.AccountID(r.get("account")))
	}
	return identityprovider.And(where...)
}

// addressed picks those among them that a proved token was made for: by their
// client at Cockpit, or all where it was made for the program.
func addressed(r *request, issuer string, token *idtoken.Token) predicate.IdentityProvider {
	if slices.Contains(token.Audience, r.client.ID) {
		return offered(r, issuer)
	}
	return identityprovider.And(offered(r, issuer), identityprovider.ClientIDIn(token.Audience...))
}

// knownAs is the one active user whom an account with such a provider knows by
// issuer and subject; nil for none. An account that merely has the same issuer
// knows nobody, so it is in nobody's way.
func (s *Server) knownAs(ctx context.Context, of predicate.IdentityProvider, issuer, subject string) (*ent.User, error) {
	found, err := s.Store.User.Query().Where(user.StatusEQ(user.StatusACTIVE),
		user.HasExternalIdentitiesWith(externalidentity.Issuer(issuer), externalidentity.Subject(subject), inAccountsOf(of)), ofActiveAccounts).
		Order(ent.Asc(user.FieldID)).Limit(2).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("oauth: external identity: %w", err)
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	return nil, refuse("invalid_request", "Several accounts know this person by this issuer. Name the account by the parameter account.")
}

// inAccountsOf picks identities in the accounts of providers.
func inAccountsOf(of predicate.IdentityProvider) predicate.ExternalIdentity {
	return func(q *sql.Selector) {
		t := sql.Dialect(q.Dialect()).Table(identityprovider.Table)
		accounts := sql.Dialect(q.Dialect()).Select(t.C(identityprovider.FieldAccountID)).From(t)
		of(accounts)
		q.Where(sql.In(q.C(externalidentity.FieldAccountID), accounts))
	}
}

func ofActiveAccounts(q *sql.Selector) {
	t := sql.Dialect(q.Dialect()).Table(account.Table)
	q.Where(sql.In(q.C(user.FieldAccountID), sql.Dialect(q.Dialect()).Select(t.C(account.FieldID)).From(t).
		Where(sql.EQ(t.C(account.FieldStatus), string(account.StatusACTIVE)))))
}

// byEmail is the user of the address for which a verified domain of their
// account vouches, and the providers that may say so; nil for none. A domain is
// one account's.
func (s *Server) byEmail(ctx context.Context, of predicate.IdentityProvider, issuer string, token *idtoken.Token) (*ent.User, predicate.IdentityProvider, error) {
	email, _ := token.Claims["email"].(string)
	email, err := identity.Email(email)
	// email_verified speaks of the claim email alone.
	if err != nil || !isTrue(token.Claims["email_verified"]) {
		return nil, of, nil //nolint:nilerr // what is no address vouches for nobody
	}
	of = identityprovider.And(of, identityprovider.EmailClaim("email"))
	_, host, _ := strings.Cut(email, "@")
	// Anybody can have a Google account with an address elsewhere: only Workspace
	// vouches for its own domain.
	if issuer == "https://accounts.google.com" && token.Claims["hd"] != host {
		return nil, of, nil
	}
	owned, err := s.Store.Domain.Query().Where(domain.VerifiedName(host)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, of, nil
	}
	if err != nil {
		return nil, of, fmt.Errorf("oauth: domain: %w", err)
	}
	u, err := s.Store.User.Query().Where(user.AccountID(owned.AccountID), user.Email(email), user.StatusEQ(user.StatusACTIVE), ofActiveAccounts,
		// Somebody whom the issuer knows by another subject is somebody else.
		user.Not(user.HasExternalIdentitiesWith(externalidentity.Issuer(issuer)))).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, of, nil
	}
	if err != nil {
		return nil, of, fmt.Errorf("oauth: user by e-mail: %w", err)
	}
	// So is whom the account knows by this subject already, active or not.
	other, err := s.Store.ExternalIdentity.Query().Where(externalidentity.AccountID(u.AccountID), externalidentity.Issuer(issuer),
		externalidentity.Subject(token.Subject)).Exist(ctx)
	if err != nil || other {
		return nil, of, err
	}
	return u, of, nil
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
	*oidc.Provider
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

func (s *subjects) verify(ctx context.Context, name, raw string, clients []string) (*idtoken.Token, error) {
	at, err := s.issuer(name)
	if err != nil {
		return nil, refuse("invalid_request", "The identity provider %.300s can't be reached, or doesn't answer as one, so the ID token can't be checked. Try again later.", name)
	}
	token, err := idtoken.Verify(ctx, at.Provider, raw, idtoken.Wanted{Clients: clients, Now: s.now})
	switch {
	case errors.Is(err, idtoken.ErrTime):
		return nil, refuse("invalid_request", "The ID token has expired, or isn't valid yet. Have the person sign in again.")
	case errors.Is(err, idtoken.ErrAudience), errors.Is(err, idtoken.ErrParty):
		return nil, refuse("invalid_request", "The ID token is for another audience: neither for the identity provider's client at Cockpit nor for this program.")
	case err != nil:
		return nil, refuse("invalid_request", "The ID token isn't taken: %s.", err)
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
	fresh := &issuer{p, now}
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
