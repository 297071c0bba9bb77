package outbound

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

func TestGuardClosesInnerNetworks(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"127.0.0.1:80", "10.1.2.3:443", "172.16.0.1:1", "192.168.1.1:80", "169.254.169.254:80", "100.100.100.200:80", "168.63.129.16:80",
		"0.0.0.0:80", "255.255.255.255:80", "224.0.0.1:80", "198.18.0.1:80", "[::1]:80", "[::]:80", "[fe80::1%eth0]:80", "[fd00:ec2::254]:80",
		"[::ffff:127.0.0.1]:80", "[::ffff:169.254.169.254]:80", "[64:ff9b::a9fe:a9fe]:80", "[2002:7f00:1::]:80", "[ff02::1]:80", "localhost:80", "nonsense",
	} {
		require.ErrorIs(t, guard(address, nil), ErrForbidden, address)
	}
	for _, address := range []string{"1.1.1.1:443", "[2606:4700::1111]:443", "8.8.8.8:80"} {
		require.NoError(t, guard(address, nil), address)
	}
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	require.NoError(t, guard("127.0.0.1:80", loopback))
	require.NoError(t, guard("[::ffff:127.0.0.1]:80", loopback))
	require.ErrorIs(t, guard("10.0.0.1:80", loopback), ErrForbidden)
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
	require.ErrorIs(t, err, ErrForbidden)
	res, err := get(netip.MustParsePrefix("127.0.0.0/8"))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusFound, res.StatusCode, "redirects aren't followed")
}

// A name that leads outside when it is looked at and inside when it is called
// gains nothing: the address that is really connected to decides, each time.
func TestRebindingGainsNothing(t *testing.T) {
	t.Parallel()
	var called atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	t.Cleanup(inside.Close)
	_, port, err := net.SplitHostPort(inside.Listener.Addr().String())
	require.NoError(t, err)

	var asked atomic.Int32
	socket, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &dns.Server{PacketConn: socket, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			address := "127.0.0.1"
			if asked.Add(1) == 1 {
				address = "192.0.2.1" // reserved for documentation: nobody answers there
			}
			m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.ParseIP(address)}}
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = server.Shutdown() })
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", socket.LocalAddr().String())
	}}

	looked, err := resolver.LookupHost(t.Context(), "hook.example.")
	require.NoError(t, err)
	require.Equal(t, []string{"192.0.2.1"}, looked)
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://hook.example.:"+port, nil)
		require.NoError(t, err)
		_, err = newClient(nil, resolver).Do(req) //nolint:bodyclose // there is none
		require.ErrorIs(t, err, ErrForbidden)
	}
	require.Zero(t, called.Load())
}
