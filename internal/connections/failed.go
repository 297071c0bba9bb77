package connections

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/composio"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/outbound"
)

// failed tells why a server couldn't be asked, without what the resolver, the
// network or the server say of their inside.
func failed(row *ent.Connection, err error) error {
	var told *fault.Error
	if errors.As(err, &told) {
		return told
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fault.New(TimedOut, "%s took too long to answer. Try again later, or ask an admin to look at the connection.", row.Name).Because(err)
	}
	return fault.New(Failed, "%s can't be used: %s. Try again later, or ask an admin to look at the connection.", row.Name, reason(err)).Because(err)
}

// errTexts are what libraries say, and what people are told of it; errors of
// the wire lose their types on the way.
var errTexts = []struct{ said, told string }{
	{outbound.ErrForbidden.Error(), "its address lies in a network that isn't allowed"},
	{errElsewhere.Error(), errElsewhere.Error()},
	{errTooLarge.Error(), "it answers more than is taken"},
	{"exceeded", "it answers more than is taken"},
	{"no such host", "there is no such host"},
	{"connection refused", "it refuses connections"},
	{"tls:", "its certificate isn't trusted, or it doesn't speak TLS"},
	{"x509:", "its certificate isn't trusted, or it doesn't speak TLS"},
	{"Unauthorized", "it doesn't accept the credential"},
	{"Forbidden", "it doesn't accept the credential"},
	{"Not Found", "there is nothing at its address"},
	{"Moved Permanently", "it redirects, which isn't followed; enter the final address"},
	{"Found", "it redirects, which isn't followed; enter the final address"},
	{"Redirect", "it redirects, which isn't followed; enter the final address"},
	{"more than", "it offers more tools than are taken"},
	{"doesn't let this command", "the operator doesn't let this command be started"},
}

func reason(err error) string {
	if errors.Is(err, exec.ErrNotFound) {
		return "there is no such program on the server"
	}
	var refused *composio.Refused
	switch {
	case errors.Is(err, composio.ErrTooLarge):
		return "it answers more than is taken"
	case errors.As(err, &refused) && (refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden):
		return "it doesn't accept the API key"
	case errors.As(err, &refused) && refused.Status == http.StatusTooManyRequests:
		return "it is asked too often"
	case errors.As(err, &refused):
		return fmt.Sprintf("it answers %d", refused.Status)
	}
	text := err.Error()
	for _, known := range errTexts {
		if strings.Contains(text, known.said) {
			return known.told
		}
	}
	return "it can't be reached, or doesn't speak its protocol"
}
