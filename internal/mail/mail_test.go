package mail_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/mail"
	"github.com/alchemi/cockpit/internal/mail/smtptest"
)

var quiet = slog.New(slog.DiscardHandler)

func message(to string) mail.Message {
	return mail.Message{To: to, Subject: "You are invited", Lines: []string{"Grace invites you."}, Action: "Accept the invitation",
		Link: "https://cockpit.example/invitation#tok_1", Fine: []string{"It works for seven days."}}
}

// send queues a mail and waits for its outcome.
func send(t *testing.T, m *mail.Mailer, msg mail.Message) error {
	t.Helper()
	told := make(chan error, 2)
	m.Queue(msg, func(err error) { told <- err })
	select {
	case err := <-told:
		return err
	case <-time.After(time.Minute):
		require.Fail(t, "nobody told")
		return nil
	}
}

func TestMailsArrive(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]smtptest.Settings{
		"plain":               {TLS: mail.NoTLS},
		"starttls":            {TLS: mail.StartTLS},
		"tls":                 {TLS: mail.FromTLS},
		"starttls, signed in": {TLS: mail.StartTLS, User: "cockpit", Password: "s3cret"},
		"tls, signed in":      {TLS: mail.FromTLS, User: "cockpit", Password: "s3cret"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := smtptest.Start(t, s)
			require.NoError(t, send(t, srv.Mailer(), message("ada@example.com")))
			l := srv.Next()
			require.Equal(t, "cockpit@example.com", l.From)
			require.Equal(t, []string{"ada@example.com"}, l.To)
			require.Equal(t, s.TLS != mail.NoTLS, l.Secure)
			require.Equal(t, s.User, l.User)
			require.Equal(t, "You are invited", l.Header(t, "Subject"))
			require.Equal(t, `"Cockpit" <cockpit@example.com>`, l.Header(t, "From"))
			text, html := l.Bodies(t)
			require.Equal(t, "Grace invites you.\n\nAccept the invitation:\nhttps://cockpit.example/invitation#tok_1\n\nIt works for seven days.\n", text)
			require.Contains(t, html, `<a href="https://cockpit.example/invitation#tok_1"`)
			require.Equal(t, "https://cockpit.example/invitation#tok_1", l.Link(t))
		})
	}
}

func TestNamesAddNeitherHeadersNorMarkup(t *testing.T) {
	t.Parallel()
	srv := smtptest.Start(t, smtptest.Settings{})
	msg := message("ada@example.com")
	evil := "Eve\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script>\u202e{{.To}}"
	msg.Subject, msg.Lines[0], msg.Action, msg.Link = evil, evil+" invites you.", evil, "javascript:alert(1)"
	require.NoError(t, send(t, srv.Mailer(), msg))
	l := srv.Next()
	require.Equal(t, []string{"ada@example.com"}, l.To)
	require.Empty(t, l.Header(t, "Bcc"))
	require.Equal(t, "Eve Bcc: all@example.com <script>alert(1)</script> {{.To}}", l.Header(t, "Subject"))
	text, html := l.Bodies(t)
	require.NotContains(t, html, "<script>")
	require.NotContains(t, html, `href="javascript`)
	require.Contains(t, text, "{{.To}}")
	require.NotContains(t, text, "\u202e")
}

func TestAddressesAreAddressesAlone(t *testing.T) {
	t.Parallel()
	srv := smtptest.Start(t, smtptest.Settings{})
	m := srv.Mailer()
	for _, to := range []string{"", "ada", "Ada <ada@example.com>", "ada@example.com, eve@example.com", "ada@example.com\r\nBcc: eve@example.com", "ada@example.com\nRCPT TO:<eve@example.com>"} {
		require.True(t, fault.Is(send(t, m, message(to)), fault.Invalid), to)
	}
	require.NoError(t, send(t, m, message("ada@example.com")))
	require.Equal(t, []string{"ada@example.com"}, srv.Next().To)
}

func TestRefusalsAreToldInTheServersWords(t *testing.T) {
	t.Parallel()
	srv := smtptest.Start(t, smtptest.Settings{TLS: mail.StartTLS, User: "cockpit", Password: "s3cret"})
	m := srv.Mailer()
	err := send(t, m, message("nobody@example.com"))
	require.ErrorContains(t, err, "550 5.1.1 No such user here")
	require.NotContains(t, err.Error(), "s3cret")
	require.NoError(t, send(t, m, message("ada@example.com")), "one refusal doesn't stop the others")

	o := srv.Options()
	o.Password = "wr0ng-one"
	wrong, err := mail.New(o)
	require.NoError(t, err)
	err = send(t, wrong, message("ada@example.com"))
	require.ErrorContains(t, err, "535")
	require.NotContains(t, err.Error(), "wr0ng-one")
	require.NoError(t, wrong.Close(t.Context()))
}

func TestTemporaryRefusalsAreTriedAgain(t *testing.T) {
	t.Parallel()
	srv := smtptest.Start(t, smtptest.Settings{})
	m := srv.Mailer()
	told := make(chan error, 1)
	m.Queue(message("later@example.com"), func(err error) { told <- err })
	require.NoError(t, send(t, m, message("ada@example.com")), "others don't wait for it")
	require.Equal(t, []string{"ada@example.com"}, srv.Next().To)
	require.NoError(t, <-told)
	require.Equal(t, []string{"later@example.com"}, srv.Next().To)
}

// freePort is one that nothing listens on, as far as anybody can tell.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func TestMailsWaitForAServerThatIsDown(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	m, err := mail.New(mail.Options{Host: "127.0.0.1", Port: port, From: "cockpit@example.com", TLS: mail.NoTLS, Log: quiet})
	require.NoError(t, err)
	var sent atomic.Int32
	for range 3 {
		m.Queue(message("ada@example.com"), func(err error) {
			if err == nil {
				sent.Add(1)
			}
		})
	}
	srv := smtptest.Start(t, smtptest.Settings{Port: port})
	for range 3 {
		srv.Next()
	}
	require.NoError(t, m.Close(t.Context()))
	require.EqualValues(t, 3, sent.Load())
}

func TestAServerThatStaysDownIsGivenUp(t *testing.T) {
	t.Parallel()
	m, err := mail.New(mail.Options{Host: "127.0.0.1", Port: freePort(t), From: "cockpit@example.com", TLS: mail.NoTLS, GiveUp: time.Millisecond, Log: quiet})
	require.NoError(t, err)
	require.True(t, fault.Is(send(t, m, message("ada@example.com")), fault.Unavailable))
	require.NoError(t, m.Close(t.Context()))
	require.True(t, fault.Is(send(t, m, message("ada@example.com")), fault.Unavailable), "after the end too")
}

func TestAServerThatCantProveItselfGetsNothing(t *testing.T) {
	t.Parallel()
	srv := smtptest.Start(t, smtptest.Settings{TLS: mail.StartTLS, User: "cockpit", Password: "s3cret"})
	o := srv.Options()
	o.Roots, o.GiveUp = nil, time.Millisecond
	m, err := mail.New(o)
	require.NoError(t, err)
	require.True(t, fault.Is(send(t, m, message("ada@example.com")), fault.Unavailable))
	require.NoError(t, m.Close(t.Context()))

	plain := smtptest.Start(t, smtptest.Settings{TLS: mail.NoTLS})
	o = plain.Options()
	o.TLS, o.GiveUp = mail.StartTLS, time.Millisecond
	m, err = mail.New(o)
	require.NoError(t, err)
	require.True(t, fault.Is(send(t, m, message("ada@example.com")), fault.Unavailable), "no mail goes unprotected where protection is asked for")
	require.NoError(t, m.Close(t.Context()))
}

// Every mail that was queued is told of exactly once, also of those that the
// end cuts off, and of those that found no place.
func TestEveryMailIsToldOfOnce(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	m, err := mail.New(mail.Options{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, From: "cockpit@example.com", TLS: mail.NoTLS, Log: quiet})
	require.NoError(t, err)
	const all = 1500
	counts := make([]atomic.Int32, all)
	var full atomic.Int32
	for i := range all {
		m.Queue(message("ada@example.com"), func(err error) {
			counts[i].Add(1)
			if strings.Contains(err.Error(), "Too many") {
				full.Add(1)
			}
		})
	}
	require.GreaterOrEqual(t, full.Load(), int32(all-1002), "the queue is bounded")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_ = l.Close() // the connection in hand hangs until its own timeout
	require.NoError(t, m.Close(ctx))
	for i := range counts {
		require.EqualValues(t, 1, counts[i].Load(), i)
	}
}

func TestWithoutAServerThereIsNoMailer(t *testing.T) {
	t.Parallel()
	m, err := mail.New(mail.Options{})
	require.NoError(t, err)
	require.False(t, m.Configured())
	require.NoError(t, m.Close(t.Context()))
	for _, o := range []mail.Options{{Host: "h", Port: 25, From: "nobody"}, {Host: "h", Port: 25, From: "a@b.c", TLS: "ssl3"}, {Host: "h", Port: 99999, From: "a@b.c"}} {
		_, err := mail.New(o)
		require.Error(t, err)
	}
}
