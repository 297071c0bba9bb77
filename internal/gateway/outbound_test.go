package gateway

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGuardClosesInnerNetworks(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"127.0.0.1:80", "10.1.2.3:443", "172.16.0.1:1", "192.168.1.1:80", "169.254.169.254:80", "100.100.100.200:80", "168.63.129.16:80",
		"0.0.0.0:80", "255.255.255.255:80", "224.0.0.1:80", "198.18.0.1:80", "[::1]:80", "[::]:80", "[fe80::1%eth0]:80", "[fd00:ec2::254]:80",
		"[::ffff:127.0.0.1]:80", "[::ffff:169.254.169.254]:80", "[64:ff9b::a9fe:a9fe]:80", "[2002:7f00:1::]:80", "[ff02::1]:80", "localhost:80", "nonsense",
	} {
		require.ErrorIs(t, guard(address, nil), ErrForbiddenNetwork, address)
	}
	for _, address := range []string{"1.1.1.1:443", "[2606:4700::1111]:443", "8.8.8.8:80"} {
		require.NoError(t, guard(address, nil), address)
	}
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	require.NoError(t, guard("127.0.0.1:80", loopback))
	require.NoError(t, guard("[::ffff:127.0.0.1]:80", loopback))
	require.ErrorIs(t, guard("10.0.0.1:80", loopback), ErrForbiddenNetwork)
}

func TestClientGuardsRealConnectionsAndRedirects(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data", http.StatusFound))
	t.Cleanup(s.Close)
	get := func(allowed ...netip.Prefix) (*http.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		require.NoError(t, err)
		return NewClient(allowed).Do(req)
	}
	_, err := get() //nolint:bodyclose // there is none
	require.ErrorIs(t, err, ErrForbiddenNetwork)
	res, err := get(netip.MustParsePrefix("127.0.0.0/8"))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusFound, res.StatusCode, "redirects aren't followed")
}
