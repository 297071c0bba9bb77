package sso

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/idtoken"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Callback is what a browser brings back from a provider.
type Callback struct {
	// AccountID is what the address names.
	AccountID string
	Query     url.Values
	Cookie    func(name string) string
	From      identity.Client
}

// Finished is how a sign-in ended.
type Finished struct {
	// SignedIn is nil for a test.
	SignedIn *identity.SignedIn
	// Location is the path to go on to.
	Location string
	// Spent names the cookie that is of no use any more; empty for none.
	Spent string
}

// Finish takes what a provider sent back, and signs the person in. It returns
// beside a refusal which cookie is spent. Refusals are on record.
func (g *Gate) Finish(ctx context.Context, in Callback) (*Finished, *Refusal) {
	out := &Finished{}
	if !g.allow("finish", in.From.IP) {
		return out, refuse(RateLimited, "too many sign-ins from one address")
	}
	s, verifier, refused := g.open(in.Query.Get("state"), in.Cookie)
	if refused == nil && s.AccountID != in.AccountID {
		refused = refuse(BadState, "the state is of another account than the address")
	}
	if refused != nil {
		g.record(ctx, nil, "", refused)
		return out, refused
	}
	out.Spent = cookieName(s.Nonce)
	p, a, refused := g.provider(ctx, s.ProviderID, s.Tester != "")
	if refused == nil && p.AccountID != s.AccountID {
		refused = refuse(UnknownProvider, "the provider isn't the account's")
	}
	if refused != nil {
		g.record(ctx, nil, "", refused)
		return out, refused
	}
	if s.Tester != "" {
		return out, g.finishTest(ctx, in, s, verifier, p, a, out)
	}
	who, refused := g.person(ctx, in.Query, s, verifier, p)
	if refused != nil {
		g.record(ctx, p, "", refused)
		return out, refused
	}
	u, refused := g.userOf(ctx, p, who, s.Invitation)
	if refused != nil {
		g.record(ctx, p, who.email, refused)
		return out, refused
	}
	signed, err := g.Sessions.Open(ctx, u, nil, identity.Proof{Kind: session.KindSSO, ProviderID: p.ID}, in.From)
	if err != nil {
		refused = refuse(Internal, "the session can't be opened").because(err)
		g.record(ctx, p, who.email, refused)
		return out, refused
	}
	out.SignedIn, out.Location = signed, s.Return
	if out.Location == "" {
		out.Location = "/a/" + a.Slug
	}
	return out, nil
}

// finishTest keeps what a test found; nobody is signed in, made or changed.
func (g *Gate) finishTest(ctx context.Context, in Callback, s state, verifier string, p *ent.IdentityProvider, a *ent.Account, out *Finished) *Refusal {
	if v := tenancy.ViewerFrom(ctx); v == nil || v.SessionID != s.Tester || !g.mayTest(ctx, a) {
		refused := refuse(NotAllowed, "a test ends in the session of the admin who began it")
		g.record(ctx, p, "", refused)
		return refused
	}
	problem := ""
	who, refused := g.person(ctx, in.Query, s, verifier, p)
	if refused == nil {
		refused = g.vouched(tenancy.System(ctx, "a test asks for the account's domains"), g.Store.Client, p, who)
	}
	if refused != nil {
		problem = refused.Reason
		slog.InfoContext(ctx, "sign-in test failed", "provider", p.ID, "code", refused.Code, "cause", refused.Cause, "requestId", audit.RequestID(ctx))
	}
	err := g.change(ctx, p.AccountID, func(ctx context.Context, tx *store.Tx) error {
		u := tx.IdentityProvider.Update().Where(identityprovider.ID(p.ID), identityprovider.Version(s.Version)).SetTestError(clip(problem))
		if problem == "" {
			u.SetTestedAt(tx.Now())
		}
		n, err := u.Save(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			problem = "the provider was changed while it was tested"
			err = tx.IdentityProvider.UpdateOneID(p.ID).SetTestError(problem).Exec(ctx)
		}
		if err != nil {
			return err
		}
		e := event("identityProvider.test", p.AccountID, p.ID, p.Name)
		e.Changes = map[string]audit.Change{"testError": {After: problem}}
		return tx.Audit(ctx, e)
	})
	if err != nil {
		return refuse(Internal, "the result of the test can't be kept").because(err)
	}
	out.Location = "/a/" + a.Slug + "/settings/sign-in?tested=" + url.QueryEscape(p.ID)
	return nil
}

// person proves what the provider says: the answer is for this sign-in, its
// code is good, the token signed, meant for us, in time, and for this sign-in
// again. Nothing of a token is read before.
func (g *Gate) person(ctx context.Context, q url.Values, s state, verifier string, p *ent.IdentityProvider) (person, *Refusal) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, g.client), 2*outboundTime)
	defer cancel()
	d, err := g.discovered(ctx, p.Issuer)
	if err != nil {
		return person{}, refuse(Unreachable, "the provider's discovery document can't be had").because(err)
	}
	// Mix-up (RFC 9207): the answer must come from whom the browser was sent to.
	if iss, named := q["iss"]; (named && (len(iss) != 1 || iss[0] != p.Issuer)) || (!named && d.namesIssuer) {
		return person{}, refuse(BadState, "the answer doesn't come from the provider's issuer")
	}
	if code := q.Get("error"); code != "" {
		if code == "access_denied" {
			return person{}, refuse(Denied, "the provider says access_denied")
		}
		// Whoever comes back chooses the word: it is for our log, not the account's.
		return person{}, refuse(ProviderError, "the provider gives an error").because(errors.New(word(code)))
	}
	config, err := g.config(p, d)
	if err != nil {
		return person{}, refuse(Internal, "the client secret can't be opened").because(err)
	}
	token, err := config.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		var answered *oauth2.RetrieveError
		if errors.As(err, &answered) { // its body may hold anything: only the code is told
			return person{}, refuse(ProviderError, "the provider refuses the code or Cockpit's credentials: "+word(answered.ErrorCode))
		}
		return person{}, refuse(Unreachable, "the provider doesn't answer as it should when asked for a token").because(err)
	}
	return g.claims(ctx, d, p, s, token)
}

func (g *Gate) claims(ctx context.Context, d *discovery, p *ent.IdentityProvider, s state, token *oauth2.Token) (person, *Refusal) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return person{}, refuse(BadToken, "the provider gives no ID token")
	}
	proved, err := idtoken.Verify(ctx, d.provider, raw, idtoken.Wanted{Clients: []string{p.ClientID}, Algorithms: d.algorithms,
		SignIn: &idtoken.SignIn{Nonce: s.Nonce, AccessToken: token.AccessToken}, Now: g.Store.Now})
	if err != nil {
		return person{}, refuse(BadToken, err.Error())
	}
	if refused := g.addUserInfo(ctx, d, p, token, proved.Subject, proved.Claims); refused != nil {
		return person{}, refused
	}
	return personOf(p, proved.Subject, proved.Claims), nil
}

// addUserInfo asks for claims that the ID token lacks; what the token says
// stands.
func (g *Gate) addUserInfo(ctx context.Context, d *discovery, p *ent.IdentityProvider, token *oauth2.Token, subject string, claims map[string]any) *Refusal {
	if !d.userInfo || (len(dig(claims, p.EmailClaim)) > 0 && len(dig(claims, p.NameClaim)) > 0 && len(dig(claims, p.GroupsClaim)) > 0) {
		return nil
	}
	info, err := d.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		if len(dig(claims, p.EmailClaim)) == 0 {
			return refuse(Unreachable, "the provider doesn't give user information").because(err)
		}
		slog.WarnContext(ctx, "a provider doesn't give user information", "provider", p.ID, "requestId", audit.RequestID(ctx))
		return nil
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return refuse(BadToken, "the user information can't be read")
	}
	if info.Subject != subject {
		return refuse(BadToken, "the user information is of another person")
	}
	_, hasEmail := claims["email"]
	for name, value := range more {
		// What was verified goes with the address that it was said of.
		if _, has := claims[name]; !has && (name != "email_verified" || !hasEmail) {
			claims[name] = value
		}
	}
	return nil
}

// word keeps of a foreign code what can be one.
func word(code string) string {
	code = strings.Map(func(r rune) rune {
		if (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') || r == '_' || r == '-' || r == '.' {
			return r
		}
		return -1
	}, clipTo(code, 100))
	if code == "" {
		return "no reason"
	}
	return code
}
