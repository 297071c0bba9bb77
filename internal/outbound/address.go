package outbound

import (
	"net/netip"
	"net/url"
	"slices"
)

// Takes tells whether an address that a tenant gives may be called at all:
// https, or http in a network that the operator has opened. Where it leads is
// looked at when it is connected to.
func Takes(address string, allowed []netip.Prefix) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && err == nil && slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}
