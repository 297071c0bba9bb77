// Package outbound makes the client for calls to addresses that tenants give:
// providers, identity providers, webhooks. It can't be led into networks that
// the operator hasn't opened.
package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrForbidden says that an address given by a tenant leads into a
// network that the operator hasn't opened.
var ErrForbidden = errors.New("address lies in a network that isn't allowed")

// inner are networks that no tenant's address may lead into, besides those
// that netip itself knows as loopback, private, link-local or multicast.
var inner = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),    // shared by carriers, and a metadata service
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's host
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), // these carry IPv4 addresses inside
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// NewClient makes the client for calls to addresses that tenants give. It looks
// at the address it really connects to, after DNS; follows no redirects; uses
// no proxy; and never unpacks a body. The allowed networks are the operator's.
func NewClient(allowed []netip.Prefix) *http.Client { return newClient(allowed, nil) }

// newClient asks a DNS server of a test's own, or the system's where nil.
func newClient(allowed []netip.Prefix, dns *net.Resolver) *http.Client {
	dialer := &net.Dialer{
		Timeout:   10 * time.Second,
		KeepAlive: 30 * time.Second,
		Resolver:  dns,
		Control: func(_, address string, _ syscall.RawConn) error {
			return guard(address, allowed)
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			ForceAttemptHTTP2:      true,
			HTTP2:                  &http.HTTP2Config{SendPingTimeout: 30 * time.Second},
			TLSHandshakeTimeout:    10 * time.Second,
			MaxIdleConns:           1024,
			MaxIdleConnsPerHost:    256,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func guard(address string, allowed []netip.Prefix) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrForbidden, address)
	}
	ip := at.Addr().Unmap().WithZone("")
	for _, p := range allowed {
		if p.Contains(ip) {
			return nil
		}
	}
	closed := !ip.IsGlobalUnicast() || ip.IsPrivate()
	for _, p := range inner {
		closed = closed || p.Contains(ip)
	}
	if closed {
		return fmt.Errorf("%w: %s", ErrForbidden, ip)
	}
	return nil
}
