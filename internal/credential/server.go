package credential

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/outbound"
)

const (
	// outboundTime bounds a whole call to an authorization server.
	outboundTime = 10 * time.Second
	// outboundSize bounds what is read of its answer.
	outboundSize = 256 << 10
	// foundFor is how long what it said of itself is used.
	foundFor = 10 * time.Minute
)

// OAuth is how a connection signs people in: what its row keeps as JSON.
type OAuth struct {
	// Issuer names the authorization server, which then tells its addresses
	// (RFC 8414). Without it and them an MCP server is asked for its own (RFC 9728).
	Issuer string `json:"issuer,omitempty"`
	// AuthorizeURL and TokenURL are given where the server tells nothing of itself.
	AuthorizeURL string `json:"authorizeUrl,omitempty"`
	TokenURL     string `json:"tokenUrl,omitempty"`
	// ClientID is what Cockpit is at the server; empty where it registers itself.
	ClientID string   `json:"clientId,omitempty"`
	Scopes   []string `json:"scopes,omitempty"`
}

// server is an authorization server as a connection uses it.
type server struct {
	// issuer is empty where only addresses are known.
	issuer, authorizeURL, tokenURL string
	// registerURL is where clients register themselves; empty where none do.
	registerURL string
	// resource is what tokens are asked for (RFC 8707); empty for none.
	resource string
	// namesIssuer says that its answers always carry `iss` (RFC 9207), inHeader how
	// it takes the client's secret.
	namesIssuer, inHeader bool
}

// settings reads a connection's OAuth settings and refuses those that can't
// work.
func (s *Store) settings(c *ent.Connection) (OAuth, error) {
	var o OAuth
	if len(c.Oauth) > 0 {
		if err := json.Unmarshal(c.Oauth, &o); err != nil {
			return OAuth{}, fault.At("oauth", "The settings of the sign-in can't be read.")
		}
	}
	mcp := c.Kind == connection.KindMCP_HTTP || c.Kind == connection.KindMCP_SSE
	switch {
	case o.ClientID == "" && (o.AuthorizeURL != "" || len(c.ClientSecret) > 0), len(o.ClientID) > 500, !plain(o.ClientID):
		return OAuth{}, fault.At("oauth.clientId", "Give the client id that Cockpit has at the authorization server. Its redirect address is %s.", s.CallbackURL())
	case (o.AuthorizeURL == "") != (o.TokenURL == ""):
		return OAuth{}, fault.At("oauth.tokenUrl", "Give both addresses, for authorization and for tokens, or the issuer alone.")
	case o.AuthorizeURL == "" && o.Issuer == "" && !mcp:
		return OAuth{}, fault.At("oauth.issuer", "Give the authorization server's issuer, or its two addresses.")
	case len(o.Scopes) > 50 || slices.ContainsFunc(o.Scopes, func(scope string) bool {
		return scope == "" || len(scope) > 200 || strings.Contains(scope, " ") || !plain(scope)
	}):
		return OAuth{}, fault.At("oauth.scopes", "Scopes are words without spaces, at most 50.")
	}
	for field, address := range map[string]string{"issuer": o.Issuer, "authorizeUrl": o.AuthorizeURL, "tokenUrl": o.TokenURL} {
		if address != "" && (len(address) > 1000 || !outbound.Takes(address, s.Networks)) {
			return OAuth{}, fault.At("oauth."+field, "The address must look like https://login.example.com.")
		}
	}
	return o, nil
}

// plain tells whether text is printable ASCII, as all of OAuth is.
func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// server finds out where a connection signs in.
func (s *Store) server(ctx context.Context, c *ent.Connection, o OAuth) (*server, error) {
	if o.AuthorizeURL != "" {
		// Without its word for it, the secret goes where every server must take it.
		return &server{issuer: o.Issuer, authorizeURL: o.AuthorizeURL, tokenURL: o.TokenURL, inHeader: true}, nil
	}
	key := o.Issuer + " " + c.URL
	if found, ok := s.found.Get(key); ok {
		return found, nil
	}
	issuer, resource := o.Issuer, ""
	if issuer == "" {
		var err error
		if issuer, resource, err = s.protected(ctx, c.URL); err != nil {
			return nil, err
		}
	}
	found, err := s.metadata(ctx, issuer)
	if err != nil {
		return nil, err
	}
	found.resource = resource
	s.found.Add(key, found)
	return found, nil
}

// protected asks an MCP server which authorization server it believes
// (RFC 9728); one that doesn't say is its own.
func (s *Store) protected(ctx context.Context, address string) (issuer, resource string, err error) {
	u, err := url.Parse(address)
	if err != nil || !outbound.Takes(address, s.Networks) {
		return "", "", fault.At("url", "The address must look like https://mcp.example.com/mcp.")
	}
	root := u.Scheme + "://" + u.Host
	places := []string{root + "/.well-known/oauth-protected-resource"}
	if path := strings.TrimRight(u.EscapedPath(), "/"); path != "" {
		places = []string{places[0] + path, places[0]}
	}
	for _, place := range places {
		var doc struct {
			Resource string   `json:"resource"`
			Servers  []string `json:"authorization_servers"`
		}
		found, err := s.get(ctx, place, &doc)
		if err != nil {
			return "", "", err
		}
		if !found || len(doc.Servers) == 0 {
			continue
		}
		if doc.Resource != "" && !strings.HasPrefix(strings.TrimRight(address, "/")+"/", strings.TrimRight(doc.Resource, "/")+"/") {
			return "", "", fault.At("url", "The server describes itself as %.200q, which isn't the connection's address.", doc.Resource)
		}
		return doc.Servers[0], doc.Resource, nil
	}
	return root, strings.TrimRight(address, "/"), nil
}

// metadata asks an authorization server for its addresses: RFC 8414, or OpenID
// Connect's older place for the same.
func (s *Store) metadata(ctx context.Context, issuer string) (*server, error) {
	u, err := url.Parse(issuer)
	if err != nil || !outbound.Takes(issuer, s.Networks) || u.RawQuery != "" {
		return nil, fault.At("oauth.issuer", "The issuer must look like https://login.example.com, without user, query or fragment.")
	}
	root, path := u.Scheme+"://"+u.Host, strings.TrimRight(u.EscapedPath(), "/")
	places := []string{root + "/.well-known/oauth-authorization-server" + path, root + path + "/.well-known/openid-configuration"}
	if path != "" {
		places = append(places, root+"/.well-known/openid-configuration"+path)
	}
	for _, place := range places {
		var doc struct {
			Issuer       string   `json:"issuer"`
			AuthorizeURL string   `json:"authorization_endpoint"`
			TokenURL     string   `json:"token_endpoint"`
			RegisterURL  string   `json:"registration_endpoint"`
			Methods      []string `json:"token_endpoint_auth_methods_supported"`
			Challenges   []string `json:"code_challenge_methods_supported"`
			NamesIssuer  bool     `json:"authorization_response_iss_parameter_supported"`
		}
		found, err := s.get(ctx, place, &doc)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		switch {
		case strings.TrimRight(doc.Issuer, "/") != strings.TrimRight(issuer, "/"):
			return nil, fault.At("oauth.issuer", "The server calls itself %.200q; give the issuer exactly so.", doc.Issuer)
		case !outbound.Takes(doc.AuthorizeURL, s.Networks) || !outbound.Takes(doc.TokenURL, s.Networks):
			return nil, fault.At("oauth.issuer", "The server's metadata lacks an https address for authorization or tokens.")
		case len(doc.Challenges) > 0 && !slices.Contains(doc.Challenges, "S256"):
			return nil, fault.At("oauth.issuer", "The server doesn't take PKCE with S256, without which codes can be stolen.")
		}
		if !outbound.Takes(doc.RegisterURL, s.Networks) {
			doc.RegisterURL = ""
		}
		return &server{issuer: doc.Issuer, authorizeURL: doc.AuthorizeURL, tokenURL: doc.TokenURL, registerURL: doc.RegisterURL, namesIssuer: doc.NamesIssuer,
			inHeader: len(doc.Methods) == 0 || slices.Contains(doc.Methods, "client_secret_basic")}, nil
	}
	return nil, fault.At("oauth.issuer", "The server at %s tells nothing of its sign-in. Give the addresses for authorization and tokens.", root)
}

// get reads a JSON document; found is false where there is none.
func (s *Store) get(ctx context.Context, address string, into any) (found bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := s.call(req)
	if err != nil {
		return false, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= http.StatusInternalServerError {
		return false, fault.New(fault.Unavailable, "The authorization server answers %d. Try again later.", res.StatusCode)
	}
	if res.StatusCode != http.StatusOK {
		return false, nil
	}
	// Many servers answer any address with a page.
	return json.NewDecoder(io.LimitReader(res.Body, outboundSize)).Decode(into) == nil, nil
}

// token is what a token endpoint gives.
type token struct {
	Access, Refresh, Scopes string
	seconds                 float64
}

// expires is when the token ends; nil for one that doesn't say.
func (t *token) expires(now time.Time) *time.Time {
	if t.seconds <= 0 {
		return nil
	}
	at := now.Add(time.Duration(min(t.seconds, 10*365*24*3600)) * time.Second).UTC().Truncate(time.Microsecond)
	return &at
}

// refusal is a token endpoint's no: asking again gives the same.
type refusal struct{ code string }

func (r *refusal) Error() string { return "credential: the authorization server says " + r.code }

// renew asks for a new token where the old one came from.
func (s *Store) renew(ctx context.Context, c *ent.Connection, in sealed) (*token, error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {in.Refresh}}
	return s.ask(ctx, c, in, form)
}

// ask posts to a token endpoint. Nothing of what is sent or answered reaches an
// error but the answer's error code.
func (s *Store) ask(ctx context.Context, c *ent.Connection, in sealed, form url.Values) (*token, error) {
	if in.Resource != "" {
		form.Set("resource", in.Resource)
	}
	clientSecret, err := s.secretOf(c, in.ClientID)
	if err != nil {
		return nil, err
	}
	if clientSecret == "" || !in.InHeader {
		form.Set("client_id", in.ClientID)
		if clientSecret != "" {
			form.Set("client_secret", clientSecret)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, in.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("credential: the token endpoint's address can't be used")
	}
	if clientSecret != "" && in.InHeader {
		req.SetBasicAuth(url.QueryEscape(in.ClientID), url.QueryEscape(clientSecret))
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := s.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("credential: the token endpoint: %w", err) // its address holds no secret
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		Access  string          `json:"access_token"`
		Type    string          `json:"token_type"`
		Refresh string          `json:"refresh_token"`
		Scopes  string          `json:"scope"`
		Expires json.RawMessage `json:"expires_in"`
		Code    string          `json:"error"`
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, outboundSize))
	if err != nil {
		return nil, errors.New("credential: the token endpoint's answer breaks off")
	}
	unread := json.Unmarshal(text, &answer) != nil
	switch {
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= http.StatusInternalServerError || (unread && res.StatusCode < http.StatusBadRequest):
		return nil, fmt.Errorf("credential: the token endpoint answers %d, and no token", res.StatusCode)
	case res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated, answer.Code != "":
		return nil, &refusal{word(answer.Code, fmt.Sprintf("status %d", res.StatusCode))}
	case answer.Access == "" || !plain(answer.Access) || len(answer.Access) > 16<<10 || len(answer.Refresh) > 16<<10:
		return nil, &refusal{"no token that can be used"}
	case answer.Type != "" && !strings.EqualFold(answer.Type, "bearer"):
		return nil, &refusal{"a token that isn't a bearer's"}
	}
	t := &token{Access: answer.Access, Refresh: answer.Refresh}
	if len(answer.Scopes) <= 2000 && plain(answer.Scopes) {
		t.Scopes = answer.Scopes
	}
	// Some say it as text.
	_ = json.Unmarshal([]byte(strings.Trim(string(answer.Expires), `"`)), &t.seconds)
	return t, nil
}

// secretOf is the secret of a client of Cockpit's; empty for a public one.
func (s *Store) secretOf(c *ent.Connection, clientID string) (string, error) {
	if own, known, err := s.ownClient(c); err != nil || known && own.ClientID == clientID {
		return own.Secret, err
	}
	if len(c.ClientSecret) == 0 {
		return "", nil
	}
	plain, err := s.Box.Open(c.ID, c.ClientSecret)
	if err != nil {
		return "", fmt.Errorf("credential: the client secret of %s: %w", c.ID, err)
	}
	return plain, nil
}

// word keeps of a foreign code what can be one.
func word(code, otherwise string) string {
	if code == "" || len(code) > 60 || strings.ContainsFunc(code, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-' && r != '.'
	}) {
		return otherwise
	}
	return code
}
