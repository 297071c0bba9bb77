package sso

import (
	"context"
	"log/slog"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Code says why a sign-in was refused; the cockpit's sign-in page has words for
// each.
type Code string

// The codes. None tells more than the person who signs in may know.
const (
	// Internal: something went wrong on our side.
	Internal Code = "internal"
	// RateLimited: too many sign-ins from one address.
	RateLimited Code = "rate_limited"
	// UnknownProvider: there is none such, or none that people may use.
	UnknownProvider Code = "provider"
	// Unreachable: the provider can't be reached, or doesn't answer as it should.
	Unreachable Code = "unreachable"
	// BadState: the sign-in took too long, or was begun in another browser.
	BadState Code = "state"
	// Denied: the person, or the provider for them, said no.
	Denied Code = "denied"
	// ProviderError: the provider refused the sign-in or Cockpit's credentials.
	ProviderError Code = "provider_error"
	// BadToken: what the provider signed isn't valid for this sign-in.
	BadToken Code = "token"
	// NoEmail: the provider gave no e-mail address.
	NoEmail Code = "email_missing"
	// UnverifiedEmail: the provider doesn't vouch for the address.
	UnverifiedEmail Code = "email_unverified"
	// ForeignDomain: the address isn't of a domain that the account has proved.
	ForeignDomain Code = "email_domain"
	// NoUser: the person has no user, and the provider makes none.
	NoUser Code = "no_user"
	// Deactivated: the person's user was deactivated.
	Deactivated Code = "deactivated"
	// NotActive: the account was suspended or closed.
	NotActive Code = "account"
	// BadInvitation: the invitation is for another address, or over.
	BadInvitation Code = "invitation"
	// NotAllowed: a test was asked for by somebody who may not.
	NotAllowed Code = "forbidden"
)

// Refusal is why nobody was signed in.
type Refusal struct {
	Code Code
	// Reason is for the audit log and the result of a test; nothing of a token
	// that wasn't proved is in it.
	Reason string
	// Cause is for the server's log.
	Cause error
}

func (r *Refusal) Error() string { return "sso: " + string(r.Code) + ": " + r.Reason }

func (r *Refusal) Unwrap() error { return r.Cause }

func refuse(code Code, reason string) *Refusal { return &Refusal{Code: code, Reason: reason} }

func (r *Refusal) because(err error) *Refusal { return &Refusal{r.Code, r.Reason, err} }

// record tells the audit log of a refused sign-in: the account's, once that is
// known for sure.
func (g *Gate) record(ctx context.Context, p *ent.IdentityProvider, who string, r *Refusal) {
	level := slog.LevelInfo
	if r.Code == Internal {
		level = slog.LevelError
	}
	slog.Log(ctx, level, "sign-in refused", "code", r.Code, "reason", r.Reason, "cause", r.Cause, "requestId", audit.RequestID(ctx))
	e := audit.Event{Action: "session.create", AccountID: id.PlatformID, Plane: tenancy.PlanePlatform, ScopeID: id.PlatformID, ScopePath: "/"}
	if p != nil {
		e = event("session.create", p.AccountID, p.ID, p.Name)
		e.Changes = map[string]audit.Change{"identityProvider": {After: p.ID}}
	}
	if who != "" {
		e.TargetID, e.TargetName = "", who
	}
	e.Outcome, e.Reason = auditevent.OutcomeREFUSED, r.Reason
	e.Actor = &audit.Actor{Kind: auditevent.ActorKindANONYMOUS, Name: "Somebody"}
	g.Refusals.Record(ctx, e)
}
