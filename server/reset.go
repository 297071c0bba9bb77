package server

import (
	"context"
	"strings"

	"github.com/alchemi/cockpit/internal/mail"
)

// mailReset sends the link to choose a new password; nil where no mail server is
// set. The token is in the part of the address that browsers keep to themselves.
func (s *Server) mailReset() func(ctx context.Context, email, name, token string) {
	if !s.mailer.Configured() {
		return nil
	}
	return func(ctx context.Context, email, name, token string) {
		s.mailer.Queue(mail.Message{
			To: email, Subject: "Choose a new password for Cockpit",
			Lines:  []string{"Hello " + name + ",", "somebody, probably you, asked for a new password for this address."},
			Action: "Choose a new password", Link: strings.TrimRight(s.URL(), "/") + "/reset-password#" + token,
			Fine: []string{"The link works once, within an hour.", "If it wasn't you, do nothing: your password stays as it is."},
		}, func(err error) {
			if err != nil {
				s.log.WarnContext(ctx, "the mail of a password reset didn't go out", "cause", err)
			}
		})
	}
}
