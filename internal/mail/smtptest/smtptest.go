// Package smtptest runs a real mail server for tests, in Node.
package smtptest

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/mail"
)

//go:embed server.cjs
var script string

// Settings of a server.
type Settings struct {
	TLS            mail.TLS
	User, Password string
	// Port is chosen unless set.
	Port int
}

// Server takes mails until the test ends. It refuses nobody@… with 550, and
// later@… with 451 the first time.
type Server struct {
	t       testing.TB
	o       mail.Options
	letters chan Letter
}

// Letter is a mail as the server was given it.
type Letter struct {
	From   string
	To     []string
	Secure bool
	// User who signed in, if any.
	User string
	Data string
}

// Start runs a server; it skips the test where Node's package isn't installed.
func Start(t testing.TB, s Settings) *Server {
	t.Helper()
	ui := "ui" // tests run in their package's folder, somewhere below
	for range 4 {
		if _, err := os.Stat(filepath.Join(ui, "package.json")); err == nil {
			break
		}
		ui = filepath.Join("..", ui)
	}
	if _, err := os.Stat(filepath.Join(ui, "node_modules/smtp-server")); err != nil {
		t.Skip("smtp-server isn't installed: run npm ci in ui")
	}
	if s.TLS == "" {
		s.TLS = mail.NoTLS
	}
	key, cert, roots := certificate(t)
	settings, err := json.Marshal(map[string]any{"tls": s.TLS, "user": s.User, "password": s.Password, "port": s.Port, "key": key, "cert": cert})
	require.NoError(t, err)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "node", "-e", script, "--", string(settings))
	cmd.Dir = ui
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	srv := &Server{t: t, letters: make(chan Letter, 1000)}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewReader(out)
	var listening struct{ Port int }
	require.NoError(t, json.NewDecoder(strings.NewReader(line(t, lines))).Decode(&listening))
	srv.o = mail.Options{Host: "127.0.0.1", Port: listening.Port, TLS: s.TLS, User: s.User, Password: s.Password,
		From: "Cockpit <cockpit@example.com>", Roots: roots, Log: slog.New(slog.DiscardHandler)}
	go func() {
		for {
			text, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			var l Letter
			if json.Unmarshal([]byte(text), &l) == nil {
				srv.letters <- l
			}
		}
	}()
	return srv
}

func line(t testing.TB, r *bufio.Reader) string {
	t.Helper()
	text, err := r.ReadString('\n')
	require.NoError(t, err, "the mail server didn't start")
	return text
}

// Options of a mailer that sends to this server.
func (s *Server) Options() mail.Options { return s.o }

// Mailer sends to this server until the test ends.
func (s *Server) Mailer() *mail.Mailer {
	s.t.Helper()
	m, err := mail.New(s.o)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, m.Close(s.t.Context())) })
	return m
}

// Next waits for a mail.
func (s *Server) Next() Letter {
	s.t.Helper()
	select {
	case l := <-s.letters:
		return l
	case <-time.After(time.Minute):
		require.Fail(s.t, "no mail came")
		return Letter{}
	}
}

// Header reads a header field, decoded.
func (l Letter) Header(t testing.TB, name string) string {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(l.Data))
	require.NoError(t, err)
	value, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get(name))
	require.NoError(t, err)
	return value
}

// Bodies are the plain text and the HTML.
func (l Letter) Bodies(t testing.TB) (text, html string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(l.Data))
	require.NoError(t, err)
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	parts := multipart.NewReader(m.Body, params["boundary"])
	var out []string
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		b, err := io.ReadAll(quotedprintable.NewReader(p))
		require.NoError(t, err)
		out = append(out, strings.ReplaceAll(string(b), "\r\n", "\n"))
	}
	require.Len(t, out, 2)
	return out[0], out[1]
}

// Link is the one link of the plain text.
func (l Letter) Link(t testing.TB) string {
	t.Helper()
	text, _ := l.Bodies(t)
	for s := range strings.FieldsSeq(text) {
		if strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") {
			return s
		}
	}
	require.Fail(t, "no link", text)
	return ""
}

func certificate(t testing.TB) (key, cert string, roots *x509.CertPool) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &k.PublicKey, k)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	made, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots = x509.NewCertPool()
	roots.AddCert(made)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), roots
}
