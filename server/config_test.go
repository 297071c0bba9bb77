package server

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/money"
)

const testKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

func parse(args ...string) (*Config, error) {
	var cli struct {
		ConfigFlag `embed:""`
		Serve      struct {
			Config `embed:""`
		} `cmd:"" default:"withargs"`
	}
	_, err := Load(&cli, args)
	return &cli.Serve.Config, err
}

func TestFlagsWinOverEnvironmentAndThatOverFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cockpit.yaml")
	require.NoError(t, os.WriteFile(file, []byte("listen: :1\nmax-body: 2048\ndemo: true\nallow-networks: [10.0.0.0/8, 192.168.1.0/24]\nshutdown-grace: 5s\n"), 0o600))
	t.Setenv("COCKPIT_CONFIG", file)

	c, err := parse()
	require.NoError(t, err)
	require.Equal(t, ":1", c.Listen)
	require.Equal(t, int64(2048), c.MaxBody)
	require.True(t, c.Demo)
	require.Equal(t, 5*time.Second, c.ShutdownGrace)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.168.1.0/24")}, c.AllowNetworks)
	require.Equal(t, "info", c.LogLevel, "the default where nobody says anything")

	t.Setenv("COCKPIT_LISTEN", ":2")
	t.Setenv("COCKPIT_DEMO", "false")
	t.Setenv("COCKPIT_SMTP_HOST", "mail.example.com")
	t.Setenv("COCKPIT_SMTP_FROM", "cockpit@example.com")
	t.Setenv("COCKPIT_MASTER_KEY", testKey)
	t.Setenv("DATABASE_URL", "postgres://x/y")
	c, err = parse("serve")
	require.NoError(t, err)
	require.Equal(t, ":2", c.Listen)
	require.False(t, c.Demo)
	require.Equal(t, "postgres://x/y", c.DatabaseURL)
	require.Equal(t, "mail.example.com", c.SMTP.Host)

	c, err = parse("serve", "--listen", ":3")
	require.NoError(t, err)
	require.Equal(t, ":3", c.Listen)

	other := filepath.Join(t.TempDir(), "other.yaml")
	require.NoError(t, os.WriteFile(other, []byte("max-body: 4096"), 0o600))
	for _, args := range [][]string{{"--config", other}, {"serve", "--config=" + other}} {
		c, err = parse(args...)
		require.NoError(t, err)
		require.Equal(t, int64(4096), c.MaxBody)
	}
}

func TestConfigFilesThatCantBeReadAreRefused(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"lisen: :1":       `there is no setting "lisen"`,
		"- a list":        "isn't a YAML file of settings",
		"max-body: lots":  "--max-body",
		"log-level: loud": "--log-level",
	} {
		file := filepath.Join(t.TempDir(), "c.yaml")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := parse("--config", file)
		require.ErrorContains(t, err, says, text)
	}
	_, err := parse("--config", "/nowhere.yaml")
	require.ErrorContains(t, err, "/nowhere.yaml")
	_, err = parse("--config")
	require.ErrorContains(t, err, "name a file")
}

func TestValidateNamesTheSettingAndTheWayOut(t *testing.T) {
	t.Parallel()
	good := []string{"--master-key", testKey}
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"default":          {nil, ""},
		"demo":             {[]string{"--demo"}, ""},
		"listen":           {[]string{"--listen", "8080"}, "--listen=8080"},
		"metrics":          {[]string{"--metrics-listen", "x"}, "--metrics-listen=x"},
		"public url":       {[]string{"--public-url", "cockpit.example"}, "https://cockpit.example.com"},
		"public path":      {[]string{"--public-url", "https://a/b"}, "scheme and host alone"},
		"body":             {[]string{"--max-body", "1"}, "--max-body"},
		"grace":            {[]string{"--shutdown-grace", "-1s"}, "--shutdown-grace"},
		"node timeout":     {[]string{"--node-timeout", "1s"}, "--node-timeout"},
		"factor zero":      {[]string{"--credits-factor", "0"}, "--credits-factor"},
		"factor text":      {[]string{"--credits-factor", "a"}, "--credits-factor"},
		"factor too exact": {[]string{"--credits-factor", "0.0000001"}, "at most 6 decimals"},
		"two keys":         {[]string{"--master-key-file", "k"}, "not by both"},
		"upstream":         {[]string{"--demo-upstream", "http://127.0.0.1:1"}, "--demo alone"},
		"mail":             {[]string{"--smtp-host", "mail.example.com", "--smtp-from", "Cockpit <c@example.com>", "--smtp-user", "u", "--smtp-password", "p"}, ""},
		"mail without":     {[]string{"--smtp-from", "c@example.com"}, "--smtp-host"},
		"mail sender":      {[]string{"--smtp-host", "h", "--smtp-from", "nobody"}, "--smtp-from=nobody"},
		"mail port":        {[]string{"--smtp-host", "h", "--smtp-from", "c@example.com", "--smtp-port", "0"}, "--smtp-port"},
		"mail way":         {[]string{"--smtp-host", "h", "--smtp-from", "c@example.com", "--smtp-tls", "ssl"}, "--smtp-tls"},
		"mail passwords":   {[]string{"--smtp-host", "h", "--smtp-from", "c@example.com", "--smtp-user", "u", "--smtp-password", "p", "--smtp-password-file", "f"}, "not by both"},
		"mail nameless":    {[]string{"--smtp-host", "h", "--smtp-from", "c@example.com", "--smtp-password", "p"}, "--smtp-user"},
		"mail unprotected": {[]string{"--smtp-host", "h", "--smtp-from", "c@example.com", "--smtp-user", "u", "--smtp-password", "p", "--smtp-tls", "none"}, "unprotected"},
	} {
		_, err := parse(append(c.args, good...)...)
		if c.says == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, c.says, name)
		}
	}
	_, err := parse()
	require.ErrorContains(t, err, "openssl rand -base64 32", "a master key is needed")
	require.Error(t, (&Config{}).Validate())
}

func TestFactor(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int64{"1000": 1_000_000_000, "1": 1_000_000, "0.000001": 1, "12.5": 12_500_000, "1000000": 1_000_000_000_000} {
		got, err := (&Config{CreditsFactor: in}).factorPPM()
		require.NoError(t, err)
		require.Equal(t, want, got, in)
	}
}

func TestCreditValue(t *testing.T) {
	t.Parallel()
	for want, c := range map[money.Nano]*Config{money.One: {}, 1_250_000: {Demo: true}, 2 * money.One: {Demo: true, CreditValue: "2"}, 1: {CreditValue: "0.000000001"}} {
		got, err := c.creditValue()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{"0", "-1", "1000001", "x", "0.0000000001"} {
		require.ErrorContains(t, second((&Config{CreditValue: bad}).creditValue()), "--credit-value="+bad)
	}
}

func TestMasterKeyOfADemoIsMadeOnceForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	c := &Config{Demo: true, Storage: Storage{Data: filepath.Join(t.TempDir(), "new")}}
	box, err := c.box()
	require.NoError(t, err)
	info, err := os.Stat(filepath.Join(c.Data, "master.key"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	again, err := c.box()
	require.NoError(t, err)
	plain, err := again.Open("place", box.Seal("place", "secret"))
	require.NoError(t, err)
	require.Equal(t, "secret", plain)

	_, err = (&Config{MasterKey: "short"}).box()
	require.ErrorContains(t, err, "openssl rand -base64 32")
	_, err = (&Config{MasterKeyFile: "/nowhere"}).box()
	require.ErrorContains(t, err, "/nowhere")
}

func TestDatabaseURLFromFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "url")
	require.NoError(t, os.WriteFile(file, []byte("postgres://u:p@h/d\n"), 0o600))
	o, err := (&Storage{DatabaseURLFile: file}).Options(nil)
	require.NoError(t, err)
	require.Equal(t, "postgres://u:p@h/d", o.URL)
	_, err = (&Storage{DatabaseURLFile: file, DatabaseURL: "postgres://x"}).Options(nil)
	require.ErrorContains(t, err, "not by both")
	_, err = (&Storage{DatabaseURL: "mysql://x"}).Options(nil)
	require.ErrorContains(t, err, "postgres://")
	require.NotContains(t, err.Error(), "mysql", "it may hold a password")
}

func TestCookiesAreSecureUnlessOnThisMachine(t *testing.T) {
	t.Parallel()
	for c, want := range map[[2]string]bool{
		{"127.0.0.1:8080", ""}: false, {"localhost:1", ""}: false, {"[::1]:1", ""}: false,
		{":8080", ""}: true, {"10.0.0.1:80", ""}: true, {"127.0.0.1:8080", "https://c.example"}: true, {":80", "http://c.example"}: false,
	} {
		require.Equal(t, want, (&Config{Listen: c[0], PublicURL: c[1]}).secureCookies(), c)
	}
}

func TestClientIPIsBelievedFromTrustedProxiesAlone(t *testing.T) {
	t.Parallel()
	s := &Server{cfg: &Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	for _, c := range []struct{ peer, forwarded, want string }{
		{"203.0.113.9:1", "", "203.0.113.9"},
		{"203.0.113.9:1", "1.1.1.1", "203.0.113.9"},
		{"10.0.0.1:1", "1.1.1.1", "1.1.1.1"},
		{"10.0.0.1:1", "6.6.6.6, 1.1.1.1", "1.1.1.1"},
		{"10.0.0.1:1", "6.6.6.6, 1.1.1.1, 10.2.2.2", "1.1.1.1"},
		{"10.0.0.1:1", "garbage", "10.0.0.1"},
		{"[2001:db8::1]:1", "1.1.1.1", "2001:db8::1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		require.Equal(t, c.want, s.clientIP(r), c)
	}
}
