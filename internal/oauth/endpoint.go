package oauth

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/serviceclient"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Where programs find us.
const (
	AuthorizePath = "/oauth/authorize"
	TokenPath     = "/oauth/token"
	RevokePath    = "/oauth/revoke"
	JWKSPath      = "/.well-known/jwks.json"
	MetadataPath  = "/.well-known/oauth-authorization-server"
)

// refusal is an error as RFC 6749, section 5.2 tells it.
type refusal struct {
	status      int
	code        string
	description string
	// wait is when to try again; zero where that helps nobody.
	wait time.Duration
}

func (r *refusal) Error() string { return r.code + ": " + r.description }

func refuse(code, format string, args ...any) *refusal {
	status := http.StatusBadRequest
	if code == "invalid_client" {
		status = http.StatusUnauthorized
	}
	return &refusal{status: status, code: code, description: fmt.Sprintf(format, args...)}
}

// maxForm bounds the body of a token request, in bytes.
const maxForm = 64 << 10

// Routes adds the addresses of the authorization server to a mux.
func (s *Server) Routes(handle func(pattern string, h http.Handler)) {
	handle(TokenPath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, s.token) }))
	handle(RevokePath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, s.revoke) }))
	handle(JWKSPath, document(s.signer.keys))
	handle(MetadataPath, document(map[string]any{
		"issuer":                                         s.Issuer,
		"authorization_endpoint":                         s.Issuer + AuthorizePath,
		"token_endpoint":                                 s.Issuer + TokenPath,
		"revocation_endpoint":                            s.Issuer + RevokePath,
		"jwks_uri":                                       s.Issuer + JWKSPath,
		"response_types_supported":                       []string{"code"},
		"grant_types_supported":                          slices.Sorted(maps.Keys(grants)),
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post", "none"},
		"code_challenge_methods_supported":               []string{"S256"},
		"scopes_supported":                               slices.Sorted(maps.Keys(access.Permissions())),
		"authorization_response_iss_parameter_supported": true,
	}))
}

// document serves what doesn't change while the server runs.
func document(content any) http.Handler {
	body, err := json.Marshal(content)
	if err != nil {
		panic(err) // our own words and keys
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET")
			http.Error(w, "Nothing can be sent here.", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(body) // fails only when the caller has gone
	})
}

// request is what an authenticated program sent.
type request struct {
	client *ent.ServiceClient
	form   url.Values
	now    time.Time
}

func (r *request) get(name string) string { return r.form.Get(name) }

// serve reads the form, knows who sends it, and runs the endpoint. Only what
// turns out to be wrong counts against an address: behind one may be a whole
// office, or a backend that acts for everybody.
func (s *Server) serve(ctx context.Context, w http.ResponseWriter, r *http.Request, req *request, do func(context.Context, *request) (any, error)) (any, error) {
	giveBack, err := s.take("a "+s.IP(r), perAddress)
	if err != nil {
		return nil, err
	}
	if err := readForm(w, r); err != nil {
		return nil, err
	}
	req.form = r.PostForm
	if req.client, err = s.authenticate(ctx, r); err != nil {
		return nil, err
	}
	if req.client.Public { // anybody can say to be it
		if _, err = s.take("p "+req.client.ID+" "+s.IP(r), perPublic); err != nil {
			return nil, err
		}
	} else {
		giveBack()
		if _, err = s.take("c "+req.client.ID, perProgram); err != nil {
			return nil, err
		}
	}
	body, err := do(ctx, req)
	if err == nil && req.client.Public {
		giveBack()
	}
	return body, err
}

// answer runs one endpoint behind the steps that both share: the form, and who
// sends it.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, do func(context.Context, *request) (any, error)) {
	ctx := tenancy.System(r.Context(), "programs are known by their secrets before there is a viewer")
	req := &request{now: s.Store.Now()}
	body, err := s.serve(ctx, w, r, req, do)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	status := http.StatusOK
	if err != nil {
		var refused *refusal
		if !errors.As(err, &refused) {
			if r.Context().Err() == nil {
				s.Log.ErrorContext(ctx, "a token request failed", "cause", err, "requestId", audit.RequestID(ctx))
			}
			refused = &refusal{status: http.StatusInternalServerError, code: "server_error",
				description: "Something went wrong on our side. Try again; if it stays, report the request id."}
		} else {
			s.recordRefusal(ctx, req.client, r, refused)
		}
		if _, _, basic := r.BasicAuth(); basic && refused.status == http.StatusUnauthorized {
			h.Set("WWW-Authenticate", `Basic realm="cockpit"`)
		}
		if refused.wait > 0 {
			h.Set("Retry-After", seconds(refused.wait))
		}
		if refused.status == http.StatusMethodNotAllowed {
			h.Set("Allow", "POST")
		}
		status, body = refused.status, map[string]string{"error": refused.code, "error_description": refused.description}
	}
	if body == nil {
		w.WriteHeader(status)
		return
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only when the caller has gone
}

func readForm(w http.ResponseWriter, r *http.Request) error {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method != http.MethodPost:
		return &refusal{status: http.StatusMethodNotAllowed, code: "invalid_request", description: "Send the parameters by POST."}
	case kind != "application/x-www-form-urlencoded":
		return refuse("invalid_request", "Send the parameters as application/x-www-form-urlencoded in the body.")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return refuse("invalid_request", "The body can't be read as a form of at most %d bytes.", maxForm)
	}
	for name, values := range r.PostForm {
		if len(values) > 1 {
			return refuse("invalid_request", "The parameter %.60q comes more than once.", name)
		}
	}
	return wellFormedAll(r.PostForm)
}

// authenticate knows a program by its secret, in the header or in the form; a
// public one by its id alone.
func (s *Server) authenticate(ctx context.Context, r *http.Request) (*ent.ServiceClient, error) {
	clientID, given := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, password, basic := r.BasicAuth(); basic {
		decodedID, err := url.QueryUnescape(user)
		decoded, err2 := url.QueryUnescape(password)
		switch {
		case err != nil || err2 != nil:
			return nil, refuse("invalid_client", "The Authorization header can't be read.")
		case given != "":
			return nil, refuse("invalid_request", "The secret comes in the header and in the form. Send it once.")
		case clientID != "" && clientID != decodedID:
			return nil, refuse("invalid_request", "The header and the form name two programs.")
		}
		if err := wellFormedAll(url.Values{"client_id": {decodedID}, "client_secret": {decoded}}); err != nil {
			return nil, err
		}
		clientID, given = decodedID, decoded
	} else if r.Header.Get("Authorization") != "" {
		return nil, refuse("invalid_client", "Programs authenticate with their client_id and secret by HTTP Basic, or in the form; a bearer doesn't do here.")
	}
	if clientID == "" {
		return nil, refuse("invalid_client", "Send client_id and client_secret by HTTP Basic or in the form; a public program sends client_id alone.")
	}
	c, err := s.client(ctx, clientID)
	if err != nil {
		return nil, err
	}
	if c == nil || !knows(c, given, s.Store.Now()) {
		return nil, refuse("invalid_client", "The program is unknown, or its secret is wrong.")
	}
	a, err := s.Store.Account.Get(ctx, c.AccountID)
	if err != nil {
		return nil, fmt.Errorf("oauth: program's account: %w", err)
	}
	if c.Status != serviceclient.StatusACTIVE || a.Status != account.StatusACTIVE {
		return nil, refuse("invalid_client", "The program is disabled, or its account is. Ask an admin of the account.")
	}
	return c, nil
}

// knows compares a secret with those that work now.
func knows(c *ent.ServiceClient, given string, now time.Time) bool {
	if c.Public {
		return given == ""
	}
	hash := secret.Hash(given)
	current := subtle.ConstantTimeCompare([]byte(hash), []byte(c.SecretHash)) == 1
	previous := subtle.ConstantTimeCompare([]byte(hash), []byte(c.PreviousSecretHash)) == 1 &&
		c.PreviousSecretExpiresAt != nil && now.Before(*c.PreviousSecretExpiresAt)
	return given != "" && (current || previous)
}

// recordRefusal tells the audit log of the program's account; that of the
// platform for those that aren't known.
func (s *Server) recordRefusal(ctx context.Context, c *ent.ServiceClient, r *http.Request, why *refusal) {
	if c == nil && (why.code == "invalid_request" || why.wait > 0) {
		return // nobody in particular sent nonsense, or too much
	}
	e := about("token.issue", id.PlatformID, "", clip(cmp.Or(basicUser(r), r.PostForm.Get("client_id")), 60))
	e.Actor = &audit.Actor{Kind: auditevent.ActorKindANONYMOUS, Name: "A program"}
	if c != nil {
		e = about("token.issue", c.AccountID, c.ID, c.Name)
		e.Actor = &audit.Actor{Kind: auditevent.ActorKindCLIENT, ID: c.ID, Name: c.Name}
	}
	// The code alone: descriptions quote what was sent.
	e.Outcome, e.Reason = auditevent.OutcomeREFUSED, why.code
	s.Refusals.Record(ctx, e)
}

func basicUser(r *http.Request) string {
	user, _, _ := r.BasicAuth()
	return user
}

func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
}
