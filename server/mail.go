package server

import (
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"os"
	"strings"

	"github.com/alchemi/cockpit/internal/mail"
)

// mailServer says where mails go out. Its fields are command-line flags.
type mailServer struct {
	Host         string `help:"Mail server that invitations and password links go out by. Without one, admins copy the links." placeholder:"NAME" group:"Mail"`
	Port         int    `help:"Its port: 587 for starttls, 465 for tls, 25 for a relay." default:"587" group:"Mail"`
	TLS          string `help:"How the connection is protected: starttls, tls, or none for a relay on a network of your own." enum:"starttls,tls,none" default:"starttls" group:"Mail"`
	User         string `help:"Name to sign in with; some relays need none." placeholder:"NAME" group:"Mail"`
	Password     string `help:"Password to sign in with. Set it in the environment; arguments can be read by others." placeholder:"TEXT" group:"Mail"`
	PasswordFile string `help:"File that holds the password." placeholder:"FILE" group:"Mail"`
	From         string `help:"Sender of all mails, such as Cockpit <cockpit@example.com>." placeholder:"ADDRESS" group:"Mail"`
}

func (m *mailServer) validate() error {
	if m.Host == "" {
		if m.User != "" || m.From != "" || m.Password != "" || m.PasswordFile != "" {
			return errors.New("--smtp-host: name the mail server, or leave out the other settings of --smtp")
		}
		return nil
	}
	switch _, err := netmail.ParseAddress(m.From); {
	case err != nil:
		return fmt.Errorf("--smtp-from=%s: give the sender's address, such as cockpit@example.com", m.From)
	case m.Port < 1 || m.Port > 65535:
		return errors.New("--smtp-port: give 1 to 65535")
	case m.Password != "" && m.PasswordFile != "":
		return errors.New("give the mail server's password by COCKPIT_SMTP_PASSWORD or by --smtp-password-file, not by both")
	case m.User == "" && (m.Password != "" || m.PasswordFile != ""):
		return errors.New("--smtp-user: a password needs the name that it belongs to")
	case m.User != "" && m.TLS == string(mail.NoTLS):
		return errors.New("--smtp-tls=none: a password isn't sent unprotected; use starttls or tls, or a relay without sign-in")
	}
	return nil
}

// newMailer is nil where no mail server is set.
func (m *mailServer) newMailer(log *slog.Logger) (*mail.Mailer, error) {
	password := m.Password
	if m.PasswordFile != "" {
		text, err := os.ReadFile(m.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("mail server's password: %w", err)
		}
		password = strings.TrimSpace(string(text))
	}
	return mail.New(mail.Options{Host: m.Host, Port: m.Port, TLS: mail.TLS(m.TLS), User: m.User, Password: password, From: m.From, Log: log})
}
