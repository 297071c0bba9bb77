package oauth

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/serviceclient"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
)

// The grants that /oauth/token knows.
const (
	clientCredentials = "client_credentials"
	authorizationCode = "authorization_code"
	refreshing        = "refresh_token"
	tokenExchange     = "urn:ietf:params:oauth:grant-type:token-exchange"
)

var grants = map[string]func(*Server, context.Context, *request) (*issued, error){
	clientCredentials: (*Server).forItself,
	authorizationCode: (*Server).redeem,
	refreshing:        (*Server).refresh,
	tokenExchange:     (*Server).exchange,
}

// issued is a successful answer of /oauth/token.
type issued struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	Scope        string `json:"scope"`
	RefreshToken string `json:"refresh_token,omitempty"`
	// IssuedTokenType is set by token exchange alone.
	IssuedTokenType string `json:"issued_token_type,omitempty"`
}

func (s *Server) token(ctx context.Context, r *request) (any, error) {
	grant, known := grants[r.get("grant_type")]
	if !known {
		return nil, refuse("unsupported_grant_type", "The grant_type %.80q isn't known here; %s lists those that are.", r.get("grant_type"), MetadataPath)
	}
	out, err := grant(s, ctx, r)
	if err != nil {
		return nil, err
	}
	s.bearers.uses.note(r.now, []*use{{table: serviceclient.Table, id: r.client.ID}})
	return out, nil
}

// subject is whom a token is about.
type subject struct {
	id, accountID string
	// authorization and nonce are set behind a consent, exchanged without one.
	authorization, nonce string
	exchanged            *exchanged
}

// issue signs an access token of the program's.
func (s *Server) issue(r *request, about subject, permissions []string) (*issued, error) {
	c := claims{Subject: about.id, ClientID: r.client.ID, Account: about.accountID, Scope: strings.Join(permissions, " "),
		IssuedAt: r.now.Unix(), Expires: r.now.Add(AccessLifetime).Unix(), ID: id.New(id.Request),
		Nonce: about.nonce, Authorization: about.authorization, Exchanged: about.exchanged}
	if about.id != r.client.ID {
		c.Actor = &actor{r.client.ID}
	}
	token, err := s.signer.sign(c)
	if err != nil {
		return nil, err
	}
	return &issued{AccessToken: token, TokenType: "Bearer", ExpiresIn: int64(AccessLifetime / time.Second), Scope: c.Scope}, nil
}

// forItself is the grant client_credentials.
func (s *Server) forItself(ctx context.Context, r *request) (*issued, error) {
	if !r.client.ClientCredentials {
		return nil, refuse("unauthorized_client", "The program may not act for itself. An admin of its account can allow it client_credentials.")
	}
	permissions, err := granted(r.client, r.get("scope"))
	if err != nil {
		return nil, err
	}
	if err := s.record(ctx, r, r.client.AccountID, r.client.ID, r.client.Name); err != nil {
		return nil, err
	}
	return s.issue(r, subject{id: r.client.ID, accountID: r.client.AccountID}, permissions)
}

// record leaves the event of a token that was given out.
func (s *Server) record(ctx context.Context, r *request, accountID, targetID, name string) error {
	e := about("token.issue", accountID, targetID, name)
	e.Actor = &audit.Actor{Kind: auditevent.ActorKindCLIENT, ID: r.client.ID, Name: r.client.Name}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.Audit(ctx, e) })
}

// standing is the user with an id, who may act now; nil where there is none.
func (s *Server) standing(ctx context.Context, userID string) (*ent.User, error) {
	u, err := s.Store.User.Get(ctx, userID)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("oauth: user: %w", err)
	}
	a, err := s.Store.Account.Get(ctx, u.AccountID)
	if err != nil {
		return nil, fmt.Errorf("oauth: user's account: %w", err)
	}
	if u.Status != user.StatusACTIVE || a.Status != account.StatusACTIVE {
		return nil, nil
	}
	return u, nil
}

const (
	accessTokenType = "urn:ietf:params:oauth:token-type:access_token"
	idTokenType     = "urn:ietf:params:oauth:token-type:id_token"
	userIDType      = "urn:cockpit:params:oauth:token-type:user_id"
)

// exchange is the grant token-exchange (RFC 8693): the program shows whom it
// acts for and gets a token in their name.
func (s *Server) exchange(ctx context.Context, r *request) (*issued, error) {
	c := r.client
	switch {
	case !c.TokenExchange:
		return nil, refuse("unauthorized_client", "The program may not act for people by token exchange. An admin of its account can allow it.")
	case r.get("subject_token") == "":
		return nil, refuse("invalid_request", "subject_token is missing: show whom you act for.")
	case r.get("actor_token") != "":
		return nil, refuse("invalid_request", "actor_token isn't taken: the program that authenticates is the actor.")
	case !slices.Contains([]string{"", accessTokenType}, r.get("requested_token_type")):
		return nil, refuse("invalid_request", "Only tokens of type %s are given out.", accessTokenType)
	case !slices.Contains([]string{"", audience}, r.get("audience")) || r.get("resource") != "":
		return nil, refuse("invalid_target", "Tokens are for the audience %q alone.", audience)
	case r.get("account") != "" && c.AccountID != id.PlatformID && r.get("account") != c.AccountID:
		return nil, refuse("invalid_target", "The program belongs to another account, and acts for its people alone.")
	}
	permissions, err := granted(c, r.get("scope"))
	if err != nil {
		return nil, err
	}
	var u *ent.User
	how := &exchanged{By: byName}
	switch kind := r.get("subject_token_type"); kind {
	case idTokenType:
		var p *ent.IdentityProvider
		if u, p, err = s.byIDToken(ctx, r); err == nil {
			how = exchangedBy(p)
		}
	case userIDType:
		u, err = s.byUserID(ctx, r)
	default:
		err = refuse("invalid_request", "subject_token_type is %s or %s.", idTokenType, userIDType)
	}
	if err != nil {
		return nil, err
	}
	if err := s.record(ctx, r, u.AccountID, u.ID, u.Name); err != nil {
		return nil, err
	}
	out, err := s.issue(r, subject{id: u.ID, accountID: u.AccountID, exchanged: how}, permissions)
	if err != nil {
		return nil, err
	}
	out.IssuedTokenType = accessTokenType
	return out, nil
}

// errSubject is the one answer for people who don't exist, aren't active, or
// aren't the program's to act for.
var errSubject = refuse("invalid_request", "The subject is nobody whom the program may act for: an active person of its account, known here.")

// byUserID takes the program's word for whom it acts for.
func (s *Server) byUserID(ctx context.Context, r *request) (*ent.User, error) {
	if !r.client.TrustedSubjects {
		return nil, refuse("unauthorized_client", "The program may not act for people whom it merely names. Show their ID token, or ask an admin of its account to trust it.")
	}
	u, err := s.standing(ctx, r.get("subject_token"))
	if err != nil {
		return nil, err
	}
	if u == nil || !mayActFor(r, u.AccountID) {
		return nil, errSubject
	}
	return u, nil
}

// mayActFor tells whether the program's people lie in an account: a program of
// the platform acts for those of every customer, and never for its own staff.
func mayActFor(r *request, accountID string) bool {
	if asked := r.get("account"); asked != "" && asked != accountID {
		return false
	}
	return accountID != id.PlatformID && (r.client.AccountID == id.PlatformID || r.client.AccountID == accountID)
}
