package sso

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/idtoken"
	"github.com/alchemi/cockpit/internal/outbound"
)

// discovery is what a provider says of itself, with its keys behind it.
type discovery struct {
	provider *oidc.Provider
	endpoint oauth2.Endpoint
	// algorithms sign its ID tokens; asymmetric ones alone.
	algorithms []string
	userInfo   bool
	// namesIssuer says that its answers always carry `iss`.
	namesIssuer bool
}

// discovered is what the issuer says of itself, from memory or at once.
func (g *Gate) discovered(ctx context.Context, issuer string) (*discovery, error) {
	if d, ok := g.found.Get(issuer); ok {
		return d, nil
	}
	return g.discover(ctx, issuer)
}

// discover reads an issuer's discovery document; what is wrong is told in the
// admin's words.
func (g *Gate) discover(ctx context.Context, issuer string) (*discovery, error) {
	var doc struct {
		Issuer      string   `json:"issuer"`
		AuthURL     string   `json:"authorization_endpoint"`
		TokenURL    string   `json:"token_endpoint"`
		UserInfoURL string   `json:"userinfo_endpoint"`
		KeysURL     string   `json:"jwks_uri"`
		Algorithms  []string `json:"id_token_signing_alg_values_supported"`
		Methods     []string `json:"token_endpoint_auth_methods_supported"`
		NamesIssuer bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := g.get(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", &doc); err != nil {
		return nil, err
	}
	if doc.Issuer != issuer {
		return nil, fault.At("issuer", "The provider calls itself %q; give the issuer exactly so.", clipTo(doc.Issuer, 300))
	}
	for _, address := range []string{doc.AuthURL, doc.TokenURL, doc.KeysURL} {
		if !outbound.Takes(address, g.Networks) {
			return nil, fault.At("issuer", "The provider's discovery document lacks an https address for authorization, tokens or keys.")
		}
	}
	if doc.UserInfoURL != "" && !outbound.Takes(doc.UserInfoURL, g.Networks) {
		return nil, fault.At("issuer", "The provider's discovery document names an address for user information that isn't https.")
	}
	if len(doc.Algorithms) == 0 {
		doc.Algorithms = []string{oidc.RS256}
	}
	algorithms := slices.DeleteFunc(doc.Algorithms, func(a string) bool { return !slices.Contains(idtoken.Algorithms, a) })
	if len(algorithms) == 0 {
		return nil, fault.At("issuer", "The provider signs tokens by no public key; Cockpit takes %s.", strings.Join(idtoken.Algorithms, ", "))
	}
	d := &discovery{algorithms: algorithms, userInfo: doc.UserInfoURL != "", namesIssuer: doc.NamesIssuer,
		endpoint: oauth2.Endpoint{AuthURL: doc.AuthURL, TokenURL: doc.TokenURL, AuthStyle: oauth2.AuthStyleInHeader}}
	if len(doc.Methods) > 0 && !slices.Contains(doc.Methods, "client_secret_basic") {
		d.endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	config := oidc.ProviderConfig{IssuerURL: issuer, AuthURL: doc.AuthURL, TokenURL: doc.TokenURL, UserInfoURL: doc.UserInfoURL,
		JWKSURL: doc.KeysURL, Algorithms: algorithms}
	d.provider = config.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), g.client))
	g.found.Add(issuer, d)
	return d, nil
}

// checkIssuer refuses what can't be an issuer's address.
func (g *Gate) checkIssuer(issuer string) (string, error) {
	issuer = strings.TrimSpace(issuer)
	if len(issuer) > 500 || !outbound.Takes(issuer, g.Networks) || strings.ContainsAny(issuer, "?#") {
		return "", fault.At("issuer", "The issuer must look like https://login.example.com, without user, query or fragment.")
	}
	return strings.TrimSuffix(issuer, "/.well-known/openid-configuration"), nil
}

func (g *Gate) get(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	res, err := g.client.Do(req)
	switch {
	case errors.Is(err, g.ErrClosed):
		return fault.At("issuer", "The issuer lies in a private network. The operator must allow it with --allow-networks.").Because(err)
	case err != nil:
		return errUnreachable.Because(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fault.At("issuer", "The issuer has no discovery document: %s answers %d.", clipTo(address, 300), res.StatusCode)
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return fault.At("issuer", "The issuer's discovery document can't be read: %s isn't JSON.", clipTo(address, 300)).Because(err)
	}
	return nil
}

var errUnreachable = fault.At("issuer", "The issuer can't be reached. Check the address.")

// bounded ends answers that are too long; go-oidc reads them whole.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = &boundedBody{ReadCloser: res.Body, left: outboundSize}
	return res, nil
}

type boundedBody struct {
	io.ReadCloser
	left int
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("sso: an answer of more than %d bytes", outboundSize)
	}
	if len(p) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= n
	return n, err
}
