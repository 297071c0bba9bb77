package server

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/demo"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/idtoken/idtokentest"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
)

func TestWhatIsNoTokenOfOursIsRefused(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	key, err := w.cfg.masterKey()
	require.NoError(t, err)
	tokens, err := secret.SigningKey(key, secret.AccessTokens)
	require.NoError(t, err)
	checkpoints, err := secret.SigningKey(key, secret.AuditCheckpoints)
	require.NoError(t, err)
	public := tokens.Public().(ed25519.PublicKey)
	kid := secret.KeyID(public)
	u := w.member(t)
	claims := func(more map[string]any) map[string]any {
		all := map[string]any{"iss": publicURL, "aud": "cockpit", "sub": u.ID, "client_id": w.env[demo.ClientID], "account": u.AccountID,
			"scope": "read profile", "exchanged": map[string]any{"by": "user_id"}, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	ours := func(more map[string]any) string {
		return idtokentest.Sign(t, jose.EdDSA, jose.JSONWebKey{Key: tokens, KeyID: kid}, "at+jwt", claims(more))
	}
	status, _ := w.ask(t, ours(nil), `{viewer{name}}`, nil)
	require.Equal(t, http.StatusOK, status, "made right, it works")

	part := func(v any) string {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	none := part(map[string]string{"alg": "none", "typ": "at+jwt", "kid": kid}) + "." + part(claims(nil)) + "."
	idp := idtokentest.New(t)
	provide(t, idp, w.Server, u.AccountID)
	globex := w.store.User.Query().Where(user.Email("grace.chen@globex.example")).OnlyX(system(t))
	staff := w.store.User.Query().Where(user.Email(w.env[demo.SuperAdminEmail])).OnlyX(system(t))
	for name, token := range map[string]string{
		"nothing":                "",
		"garbage":                "a.b.c",
		"unsigned":               none,
		"without signature":      ours(nil)[:strings.LastIndexByte(ours(nil), '.')+1],
		"another's signature":    idtokentest.Sign(t, jose.EdDSA, jose.JSONWebKey{Key: ed25519.NewKeyFromSeed(make([]byte, 32)), KeyID: kid}, "at+jwt", claims(nil)),
		"checkpoint key":         idtokentest.Sign(t, jose.EdDSA, jose.JSONWebKey{Key: checkpoints, KeyID: kid}, "at+jwt", claims(nil)),
		"checkpoint key, named":  idtokentest.Sign(t, jose.EdDSA, jose.JSONWebKey{Key: checkpoints, KeyID: secret.KeyID(checkpoints.Public().(ed25519.PublicKey))}, "at+jwt", claims(nil)),
		"HS256, the public key":  idtokentest.Sign(t, jose.HS256, jose.JSONWebKey{Key: []byte(public), KeyID: kid}, "at+jwt", claims(nil)),
		"HS256, client's secret": idtokentest.Sign(t, jose.HS256, jose.JSONWebKey{Key: []byte(w.env[demo.ClientSecret]), KeyID: kid}, "at+jwt", claims(nil)),
		"the client's secret":    w.env[demo.ClientSecret],
		"another type":           idtokentest.Sign(t, jose.EdDSA, jose.JSONWebKey{Key: tokens, KeyID: kid}, "JWT", claims(nil)),
		"another issuer":         ours(map[string]any{"iss": "https://evil.example"}),
		"another audience":       ours(map[string]any{"aud": "other"}),
		"several audiences":      ours(map[string]any{"aud": []string{"cockpit", "other"}}),
		"expired":                ours(map[string]any{"exp": time.Now().Unix()}),
		"no expiry":              ours(map[string]any{"exp": nil}),
		"from the future":        ours(map[string]any{"iat": time.Now().Add(time.Hour).Unix()}),
		"another account":        ours(map[string]any{"account": globex.AccountID}),
		"another's person":       ours(map[string]any{"account": globex.AccountID, "sub": globex.ID}),
		"staff":                  ours(map[string]any{"account": id.PlatformID, "sub": staff.ID}),
		"nobody":                 ours(map[string]any{"sub": "usr_01JD0000000000000000000000"}),
		"shown in no way":        ours(map[string]any{"exchanged": nil}),
		"shown somehow":          ours(map[string]any{"exchanged": map[string]any{"by": "magic"}}),
		"by no provider":         ours(map[string]any{"exchanged": map[string]any{"by": "id_token"}}),
		"by an unknown provider": ours(map[string]any{"exchanged": map[string]any{"by": "id_token", "provider": "idp_01JD0000000000000000000000"}}),
		"unknown program":        ours(map[string]any{"client_id": "cli_01JD0000000000000000000000"}),
		"no consent":             ours(map[string]any{"client_id": w.env[demo.WebClientID]}),
		"made-up consent":        ours(map[string]any{"client_id": w.env[demo.WebClientID], "authorization": "aut_01JD0000000000000000000000"}),
		"an ID token":            idp.Sign(t, nil),
		"an unknown personal":    "cp_" + secret.Token(),
		"a refresh token":        "cr_aut_01JD0000000000000000000000." + secret.Token(),
	} {
		status, out := w.ask(t, token, `{viewer{name}}`, nil)
		require.Equal(t, http.StatusUnauthorized, status, "%s: %v", name, out)
		require.Equal(t, "UNAUTHENTICATED", code(out), name)
		res, body := w.send(t, http.MethodGet, w.url+"/v1/models", "", "Authorization: Bearer "+token)
		require.Equal(t, http.StatusUnauthorized, res.StatusCode, "%s: %s", name, body)
	}
	res, body := w.send(t, http.MethodPost, w.url+"/graphql", operation(t, `{viewer{name}}`, nil), "Authorization: Bearer "+w.env[demo.CopilotKey])
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	require.Contains(t, body, "Virtual keys are for model calls under /v1")
	b := w.signIn(t, w.env[demo.MemberEmail])
	res, _ = w.send(t, http.MethodPost, w.url+"/graphql", operation(t, who, nil), "Authorization: Bearer "+w.exchange(t), "Cookie: "+b.cookie, "X-Cockpit-CSRF: 1")
	require.Equal(t, http.StatusBadRequest, res.StatusCode, "two credentials")

	// An account that is named doesn't outrank the token's.
	_, out := w.ask(t, w.exchange(t), fmt.Sprintf(`{account(id:%q){name} console(accountId:%q){id}}`, globex.AccountID, globex.AccountID), nil)
	require.NotContains(t, fmt.Sprint(out["data"]), "Globex")
	require.Equal(t, map[string]any{"account": nil, "console": nil}, out["data"])

	// A page elsewhere may send a token, and gets no more than the token lets it.
	res, _ = w.send(t, http.MethodOptions, w.url+"/graphql", "", "Origin: https://app.example", "Access-Control-Request-Method: POST")
	require.Equal(t, http.StatusNoContent, res.StatusCode)
	require.Equal(t, "*", res.Header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, res.Header.Get("Access-Control-Allow-Credentials"))
	res, body = w.send(t, http.MethodPost, w.url+"/graphql", operation(t, `{viewer{name}}`, nil), "Authorization: Bearer "+w.exchange(t), "Origin: https://app.example", "Sec-Fetch-Site: cross-site")
	require.Equal(t, http.StatusOK, res.StatusCode, body)
}

// What ends a token ends it on every replica within a second, and the sockets
// that stand open with it.
func TestTokensEndOnEveryReplicaWithinASecond(t *testing.T) {
	t.Parallel()
	args := []string{"--data", t.TempDir(), "--database-url", storetest.PostgresURL(t)}
	first := tell(t, args...)
	second := tell(t, args...)
	second.env = first.env
	admin, member := first.signIn(t, first.env[demo.AdminEmail]), first.signIn(t, first.env[demo.MemberEmail])
	ends := func(t *testing.T, token string, end func()) {
		t.Helper()
		conn := second.socket(t, token)
		status, _ := second.ask(t, token, `{viewer{name}}`, nil)
		require.Equal(t, http.StatusOK, status)
		end()
		second.ended(t, token, "on the other replica")
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				require.NotContains(t, err.Error(), "timeout", "the socket ends too")
				break
			}
		}
	}
	p := member.do(t, createToken, map[string]any{"name": "script", "permissions": []string{"read", "profile"}, "expiresInDays": 30})
	ends(t, p["token"].(string), func() {
		member.do(t, `mutation($i:PersonalTokenRevokeInput!){personalTokenRevoke(input:$i){personalTokenId errors{code}}}`,
			map[string]any{"personalTokenId": p["personalToken"].(map[string]any)["id"]})
	})
	setUser := func(status user.Status) func() {
		return func() {
			require.NoError(t, first.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				return tx.User.UpdateOneID(first.env[demo.MemberID]).SetStatus(status).Exec(ctx)
			}))
		}
	}
	ends(t, first.exchange(t), setUser(user.StatusDEACTIVATED))
	setUser(user.StatusACTIVE)()
	ends(t, first.exchange(t), func() {
		require.NoError(t, first.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			return tx.Account.UpdateOneID(first.member(t).AccountID).SetStatus("SUSPENDED").Exec(ctx)
		}))
	})
	require.NoError(t, first.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return tx.Account.UpdateOneID(first.member(t).AccountID).SetStatus("ACTIVE").Exec(ctx)
	}))
	require.Eventually(t, func() bool { return admin.try(t, who, nil)["errors"] == nil }, 10*time.Second, 20*time.Millisecond)
	ends(t, first.exchange(t), func() {
		admin.do(t, `mutation($i:ServiceClientUpdateInput!){serviceClientUpdate(input:$i){serviceClient{status} errors{message}}}`,
			map[string]any{"serviceClientId": first.env[demo.ClientID], "status": "DISABLED"})
	})
}

// socket opens a WebSocket with the token in connection_init.
func (w *world) socket(t *testing.T, token string) *websocket.Conn {
	t.Helper()
	conn, first := w.dial(t, map[string]any{"Authorization": "Bearer " + token})
	require.Equal(t, "connection_ack", first["type"], "%v", first)
	return conn
}

func (w *world) dial(t *testing.T, payload map[string]any) (*websocket.Conn, map[string]any) {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, res, err := d.DialContext(t.Context(), "ws"+strings.TrimPrefix(w.url, "http")+"/graphql", nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.WriteJSON(map[string]any{"type": "connection_init", "payload": payload}))
	var m map[string]any
	if err := conn.ReadJSON(&m); err != nil {
		return conn, nil
	}
	return conn, m
}

func TestSocketsTakeBearersAndEndWithThem(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	for name, authorization := range map[string]string{"unknown": "Bearer x", "a key": "Bearer " + w.env[demo.ConsoleKey], "no bearer": w.exchange(t)} {
		_, m := w.dial(t, map[string]any{"Authorization": authorization})
		require.NotEqual(t, "connection_ack", m["type"], name)
	}
	conn := w.socket(t, w.exchange(t))
	require.NoError(t, conn.WriteJSON(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": `{viewer{name clientName}}`}}))
	var m map[string]any
	require.NoError(t, conn.ReadJSON(&m))
	require.Contains(t, fmt.Sprint(m), "alchemi-ai")

	// One that ends in a moment takes the socket with it.
	key, err := w.cfg.masterKey()
	require.NoError(t, err)
	tokens, err := secret.SigningKey(key, secret.AccessTokens)
	require.NoError(t, err)
	u := w.member(t)
	expires := time.Now().Add(3 * time.Second).Truncate(time.Second)
	token := idtokentest.Sign(t, jose.EdDSA, jose.JSONWebKey{Key: tokens, KeyID: secret.KeyID(tokens.Public().(ed25519.PublicKey))}, "at+jwt", map[string]any{
		"iss": publicURL, "aud": "cockpit", "sub": u.ID, "client_id": w.env[demo.ClientID], "account": u.AccountID, "scope": "read profile",
		"exchanged": map[string]any{"by": "user_id"}, "iat": time.Now().Unix(), "exp": expires.Unix()})
	conn = w.socket(t, token)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for err == nil {
		_, _, err = conn.ReadMessage()
	}
	require.NotContains(t, err.Error(), "timeout")
	require.False(t, time.Now().Before(expires))
	status, _ := w.ask(t, token, `{viewer{name}}`, nil)
	require.Equal(t, http.StatusUnauthorized, status)
}
