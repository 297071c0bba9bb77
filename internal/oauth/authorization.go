package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/authorization"
	"github.com/alchemi/cockpit/ent/serviceclient"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// AuthorizationRequest is what a program sends a person to /oauth/authorize
// with.
type AuthorizationRequest struct {
	ClientID, RedirectURI, Scope, ResponseType string
	Challenge, ChallengeMethod                 string
	State, Nonce                               string
}

// Consent is what a person is asked to allow.
type Consent struct {
	Client      *ent.ServiceClient
	Permissions []string
	// Known is true when the person allowed all of it before.
	Known bool
}

var challengePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// Ask checks what a program asks the viewer for. Whatever is wrong is told to
// the viewer: nobody is sent to an address that isn't the program's.
func (s *Server) Ask(ctx context.Context, v *tenancy.Viewer, in AuthorizationRequest) (*Consent, error) {
	ctx = tenancy.System(ctx, "a person may consent to programs of the platform too")
	bad := func(format string, args ...any) (*Consent, error) {
		return nil, fault.New(fault.BadInput, format, args...)
	}
	if v.Platform {
		return bad("Programs act in customers' accounts. Staff of the platform make personal tokens instead.")
	}
	err := wellFormedAll(url.Values{"client_id": {in.ClientID}, "redirect_uri": {in.RedirectURI}, "scope": {in.Scope}, "response_type": {in.ResponseType},
		"code_challenge": {in.Challenge}, "code_challenge_method": {in.ChallengeMethod}, "state": {in.State}, "nonce": {in.Nonce}})
	if r := (*refusal)(nil); errors.As(err, &r) {
		return bad("%s", r.description)
	}
	c, err := s.client(ctx, in.ClientID)
	if err != nil {
		return nil, err
	}
	if c == nil || (c.AccountID != v.AccountID && c.AccountID != id.PlatformID) {
		return bad("The program isn't known in your account. Check client_id, or switch to the account that it belongs to.")
	}
	a, err := s.Store.Account.Get(ctx, c.AccountID)
	if err != nil {
		return nil, fmt.Errorf("oauth: program's account: %w", err)
	}
	switch {
	case c.Status != serviceclient.StatusACTIVE || a.Status != account.StatusACTIVE:
		return bad("%s is disabled. Ask an admin of its account.", c.Name)
	case !slices.Contains(c.RedirectUris, in.RedirectURI):
		return bad("%s may not send you to the address that it names: redirect_uri must be one of those it is registered with, letter by letter.", c.Name)
	case in.ResponseType != "code":
		return bad("response_type is code; there is no other.")
	case in.ChallengeMethod != "S256" || !challengePattern.MatchString(in.Challenge):
		return bad("PKCE is needed: code_challenge_method S256 and a code_challenge of 43 characters.")
	case len(in.State) > 2000 || len(in.Nonce) > 255:
		return bad("state has up to 2,000 characters, nonce up to 255.")
	}
	permissions, err := granted(c, in.Scope)
	if r := (*refusal)(nil); errors.As(err, &r) {
		return bad("%s", r.description)
	}
	before, err := s.Store.Authorization.Query().Where(authorization.UserID(v.UserID), authorization.ClientID(c.ID),
		authorization.RevokedAtIsNil(), authorization.ExpiresAtGT(s.Store.Now())).Order(ent.Desc(authorization.FieldID)).Limit(100).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("oauth: consents: %w", err)
	}
	known := slices.ContainsFunc(before, func(b *ent.Authorization) bool {
		return len(common(permissions, b.Permissions)) == len(permissions)
	})
	return &Consent{c, permissions, known}, nil
}

// Approve lets a program act for the viewer and returns the address to send
// their browser to.
func (s *Server) Approve(ctx context.Context, v *tenancy.Viewer, in AuthorizationRequest) (string, error) {
	consent, err := s.Ask(ctx, v, in)
	if err != nil {
		return "", err
	}
	back, err := url.Parse(in.RedirectURI)
	if err != nil {
		return "", fault.New(fault.BadInput, "redirect_uri isn't an address.")
	}
	now, code := s.Store.Now(), secret.Token()
	err = s.Store.InTx(tenancy.System(ctx, "consents are written by verbs alone"), func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.Authorization.Create().SetAccountID(v.AccountID).SetPlane(authorization.PlaneACCOUNT).SetUserID(v.UserID).
			SetClientID(consent.Client.ID).SetClientName(consent.Client.Name).SetPermissions(consent.Permissions).
			SetRedirectURI(in.RedirectURI).SetChallenge(in.Challenge).SetNonce(in.Nonce).
			SetCodeHash(secret.Hash(code)).SetCodeExpiresAt(now.Add(codeLifetime)).SetExpiresAt(now.Add(codeLifetime)).Save(ctx)
		if err != nil {
			return err
		}
		return tx.Audit(ctx, about("authorization.approve", v.AccountID, row.ID, consent.Client.Name))
	})
	if err != nil {
		return "", err
	}
	q := back.Query()
	q.Set("code", code)
	q.Set("iss", s.Issuer)
	if in.State != "" {
		q.Set("state", in.State)
	}
	back.RawQuery = q.Encode()
	return back.String(), nil
}

// errGrant is the one answer for codes and refresh tokens that don't work.
var errGrant = refuse("invalid_grant", "The code or refresh token is unknown, used, expired or revoked. Send the person to %s again.", AuthorizePath)

var verifierPattern = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// redeem is the grant authorization_code: a code works once, for the program
// that it was made for, with the verifier of its challenge.
func (s *Server) redeem(ctx context.Context, r *request) (*issued, error) {
	row, err := s.Store.Authorization.Query().Where(authorization.CodeHash(secret.Hash(r.get("code")))).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, errGrant
	}
	if err != nil {
		return nil, fmt.Errorf("oauth: code: %w", err)
	}
	sum := sha256.Sum256([]byte(r.get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	switch {
	case row.ClientID != r.client.ID || row.RevokedAt != nil:
		return nil, errGrant
	case row.RedirectURI != r.get("redirect_uri"):
		return nil, refuse("invalid_grant", "redirect_uri isn't the one that the code was asked for with.")
	case !verifierPattern.MatchString(r.get("code_verifier")) || subtle.ConstantTimeCompare([]byte(challenge), []byte(row.Challenge)) != 1:
		return nil, refuse("invalid_grant", "code_verifier isn't the one of the code's code_challenge.")
	case row.CodeUsedAt == nil && !r.now.Before(row.CodeExpiresAt):
		return nil, errGrant
	}
	return s.renew(ctx, r, row, row.Nonce, "token.issue",
		func(u *ent.AuthorizationUpdate) {
			u.Where(authorization.CodeUsedAtIsNil()).SetCodeUsedAt(r.now)
		}, row.Permissions)
}

// refresh is the grant refresh_token: each token works once and brings the
// next. One that is used again, however old, is stolen or lost: all ends.
func (s *Server) refresh(ctx context.Context, r *request) (*issued, error) {
	token := r.get("refresh_token")
	authorizationID, ok := s.signer.refreshOf(token)
	if !ok {
		return nil, errGrant
	}
	row, err := s.Store.Authorization.Get(ctx, authorizationID)
	if ent.IsNotFound(err) {
		return nil, errGrant
	}
	if err != nil {
		return nil, fmt.Errorf("oauth: refresh token: %w", err)
	}
	if row.ClientID != r.client.ID || row.RevokedAt != nil || !r.now.Before(row.ExpiresAt) {
		return nil, errGrant
	}
	permissions := row.Permissions
	if r.get("scope") != "" {
		if permissions, err = granted(r.client, r.get("scope")); err != nil {
			return nil, err
		}
		if len(common(permissions, row.Permissions)) != len(permissions) {
			return nil, refuse("invalid_scope", "The person didn't allow all of that. Ask for less, or send them to %s again.", AuthorizePath)
		}
	}
	hash := secret.Hash(token)
	return s.renew(ctx, r, row, "", "", func(u *ent.AuthorizationUpdate) {
		u.Where(authorization.RefreshHash(hash))
	}, permissions)
}

// renew takes one use of a consent and gives out tokens for it. A use that was
// taken before ends the consent.
func (s *Server) renew(ctx context.Context, r *request, row *ent.Authorization, nonce, action string,
	once func(*ent.AuthorizationUpdate), permissions []string) (*issued, error) {
	u, err := s.standing(ctx, row.UserID)
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, errGrant
	}
	a, err := s.Store.Account.Get(ctx, u.AccountID)
	if err != nil {
		return nil, fmt.Errorf("oauth: user's account: %w", err)
	}
	if ok, err := identity.Vouched(ctx, s.Store.Client, a, u.ID); err != nil {
		return nil, err
	} else if !ok {
		return nil, errGrant
	}
	permissions = common(permissions, r.client.Permissions)
	next, reused := s.signer.refreshToken(row.ID), false
	by := &audit.Actor{Kind: auditevent.ActorKindUSER, ID: u.ID, Name: u.Name,
		Via: auditevent.ViaKindCLIENT, ViaID: r.client.ID, ViaName: r.client.Name}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		update := tx.Authorization.Update().Where(authorization.ID(row.ID), authorization.RevokedAtIsNil()).
			SetRefreshHash(secret.Hash(next)).SetExpiresAt(r.now.Add(RefreshLifetime))
		once(update)
		n, err := update.Save(ctx)
		if err != nil {
			return err
		}
		if reused = n == 0; reused {
			if err := tx.Authorization.UpdateOneID(row.ID).SetRevokedAt(r.now).Exec(ctx); err != nil {
				return err
			}
			tx.Touch(row.AccountID)
			e := about("authorization.revoke", row.AccountID, row.ID, row.ClientName)
			e.Reason = "A code or refresh token was used a second time."
			e.Actor = &audit.Actor{Kind: auditevent.ActorKindCLIENT, ID: r.client.ID, Name: r.client.Name}
			return tx.Audit(ctx, e)
		}
		if action == "" {
			tx.Unaudited() // the sign-in that it renews has its event
			return nil
		}
		e := about(action, row.AccountID, u.ID, u.Name)
		e.Actor = by
		return tx.Audit(ctx, e)
	})
	if err != nil {
		return nil, fmt.Errorf("oauth: renew: %w", err)
	}
	if reused {
		return nil, errGrant
	}
	out, err := s.issue(r, subject{id: u.ID, accountID: u.AccountID, authorization: row.ID, nonce: nonce}, permissions)
	if err != nil {
		return nil, err
	}
	out.RefreshToken = next
	return out, nil
}

// revoke serves /oauth/revoke (RFC 7009): a program gives back what it has.
func (s *Server) revoke(ctx context.Context, r *request) (any, error) {
	token := r.get("token")
	if token == "" {
		return nil, refuse("invalid_request", "token is missing.")
	}
	authorizationID, ok := s.signer.refreshOf(token)
	if !ok {
		c, ours := s.signer.verify(token, r.now)
		if !ours || c.ClientID != r.client.ID {
			return nil, nil // nothing that works, as asked
		}
		if c.Authorization == "" {
			return nil, refuse("unsupported_token_type", "A token without a consent behind it ends by itself within %d minutes. Disable the program to end all of its tokens now.", int(AccessLifetime.Minutes()))
		}
		authorizationID = c.Authorization
	}
	row, err := s.Store.Authorization.Get(ctx, authorizationID)
	if ent.IsNotFound(err) || (err == nil && (row.ClientID != r.client.ID || row.RevokedAt != nil)) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("oauth: revoke: %w", err)
	}
	return nil, s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Authorization.UpdateOneID(row.ID).SetRevokedAt(r.now).Exec(ctx); err != nil {
			return err
		}
		tx.Touch(row.AccountID)
		e := about("authorization.revoke", row.AccountID, row.ID, row.ClientName)
		e.Actor = &audit.Actor{Kind: auditevent.ActorKindCLIENT, ID: r.client.ID, Name: r.client.Name}
		return tx.Audit(ctx, e)
	})
}

// Withdraw ends a person's consent to a program, on all of their devices. The
// caller has checked that the viewer may.
func (s *Server) Withdraw(ctx context.Context, row *ent.Authorization) error {
	ctx = tenancy.System(ctx, "consents are written by verbs alone")
	return s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.Authorization.Update().Where(authorization.UserID(row.UserID), authorization.ClientID(row.ClientID),
			authorization.RevokedAtIsNil()).SetRevokedAt(s.Store.Now()).Save(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.At("authorizationId", "The consent was withdrawn already.")
		}
		tx.Touch(row.AccountID)
		return tx.Audit(ctx, about("authorization.revoke", row.AccountID, row.ID, row.ClientName))
	})
}
