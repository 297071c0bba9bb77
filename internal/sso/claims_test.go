package sso

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
)

// The shapes that real providers send, from their documentation.
func TestClaimsOfRealProviders(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/claims/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var c struct {
				Settings struct{ Email, Name, Groups string }
				Claims   map[string]any
				Want     struct {
					Email, Name, Hosted string
					Verified            *bool
					Groups              []string
				}
			}
			require.NoError(t, json.Unmarshal(text, &c))
			p := &ent.IdentityProvider{Issuer: "https://issuer.example", EmailClaim: c.Settings.Email, NameClaim: c.Settings.Name, GroupsClaim: c.Settings.Groups}
			who := personOf(p, "the subject", c.Claims)
			require.Equal(t, c.Want.Email, who.email)
			require.Equal(t, c.Want.Name, who.name)
			require.Equal(t, c.Want.Verified, who.said)
			require.Equal(t, c.Want.Hosted, who.hosted)
			require.ElementsMatch(t, c.Want.Groups, who.groups)
			require.Equal(t, "https://issuer.example", who.issuer)
			require.Equal(t, "the subject", who.subject)
		})
	}
}

// Whatever a provider sends: no panic, and nothing without bounds.
func FuzzClaims(f *testing.F) {
	f.Add(`{"email":"a@b.c","groups":["x"]}`, "groups")
	f.Add(`{"groups":[[[{"a":{"b":[1]}}]]]}`, "groups.a.b")
	f.Add(`{"a.b":{"c":"x"},"a":{"b.c":["y"]}}`, "a.b.c")
	f.Add(`{"":{"":1}}`, "..")
	f.Fuzz(func(t *testing.T, text, path string) {
		var claims map[string]any
		if json.Unmarshal([]byte(text), &claims) != nil || len(path) > 200 {
			return
		}
		who := personOf(&ent.IdentityProvider{EmailClaim: path, NameClaim: path, GroupsClaim: path}, "s", claims)
		require.LessOrEqual(t, len(who.groups), maxGroups)
		require.LessOrEqual(t, len(who.name), 120)
	})
}

func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/a", "//a", "/\\a", "/a?b=//c", "https://a", "/%2f", "/\t/a", "/a/../..//b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := localPath(s)
		if got == "" {
			return
		}
		require.Equal(t, s, got)
		require.True(t, strings.HasPrefix(got, "/") && !strings.HasPrefix(got, "//"))
		require.NotContains(t, got, "\\")
	})
}

func TestDomainsAreChecked(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"Example.COM": "example.com", " acme.example. ": "acme.example", "bücher.example": "xn--bcher-kva.example",
		"XN--BCHER-KVA.example": "xn--bcher-kva.example", "mail.acme.co.uk": "mail.acme.co.uk", "acme.internal": "acme.internal",
	} {
		got, err := checkDomain(given)
		require.NoError(t, err, given)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{"", ".", "com", "localhost", "co.uk", "github.io", "gmail.com", "GoogleMail.com", "x.gmail.com", "outlook.com",
		"127.0.0.1", "::1", "[::1]", "acme..example", "-acme.example", "acme_x.example", "acme.example/x", "ada@acme.example", "http://acme.example",
		"acme.example:25", "*.acme.example", strings.Repeat("a.", 130) + "example", "acme\x00.example", "a b.example"} {
		_, err := checkDomain(bad)
		require.Error(t, err, bad)
	}
	require.Equal(t, "acme.example", domainOf("ada@acme.example"))
	require.Empty(t, domainOf("ada"))
}
