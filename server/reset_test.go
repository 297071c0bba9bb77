package server

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/mail/smtptest"
)

// The link of the mail leads to a new password, by a real mail server.
func TestPasswordResetGoesByMail(t *testing.T) {
	t.Parallel()
	post := smtptest.Start(t, smtptest.Settings{})
	s, url := start(t)
	s.mailer = post.Mailer()
	s.sessions.MailReset = s.mailReset()
	ask := func(query string, variables map[string]any) string {
		_, body := send(t, http.MethodPost, url+"/graphql", operation(t, query, variables))
		return body
	}
	require.Contains(t,
		ask(`mutation($e: String!) { passwordResetRequest(input: {email: $e}) { errors { message } } }`, map[string]any{"e": somebody}), `"errors":[]`)
	letter := post.Next()
	require.Equal(t, []string{somebody}, letter.To)
	address, token, found := strings.Cut(letter.Link(t), "#")
	require.True(t, found)
	require.Equal(t, s.URL()+"/reset-password", address)
	reset := `mutation($t: String!, $p: String!) { passwordReset(input: {token: $t, newPassword: $p}) { errors { message } } }`
	require.Contains(t, ask(reset, map[string]any{"t": token, "p": "another horse battery"}), `"errors":[]`)
	_, err := s.sessions.SignIn(context.Background(), somebody, "another horse battery", "", s.client(&http.Request{RemoteAddr: "203.0.113.1:1"}))
	require.NoError(t, err)
}
