package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/alchemi/cockpit/internal/identity"
)

// BreakGlass is the operator's own way in, for when every admin of the platform
// is locked out. Its fields are command-line flags.
type BreakGlass struct {
	BreakGlassEmail        string `help:"E-mail address that signs in to the platform with the break-glass password, whatever became of its admins. Unset it once the emergency is over." placeholder:"EMAIL" group:"Secrets"`
	BreakGlassPassword     string `help:"Break-glass password, at least 20 characters. Set it in the environment; arguments can be read by others." placeholder:"PASSWORD" group:"Secrets"`
	BreakGlassPasswordFile string `help:"File that holds the break-glass password." placeholder:"FILE" group:"Secrets"`
}

func (b *BreakGlass) validate() error {
	_, err := b.password()
	return err
}

// password is empty where break-glass isn't set up.
func (b *BreakGlass) password() (string, error) {
	password := b.BreakGlassPassword
	if b.BreakGlassPasswordFile != "" {
		if password != "" {
			return "", errors.New("give the break-glass password by COCKPIT_BREAK_GLASS_PASSWORD or by --break-glass-password-file, not by both")
		}
		text, err := os.ReadFile(b.BreakGlassPasswordFile)
		if err != nil {
			return "", fmt.Errorf("break-glass password: %w", err)
		}
		password = strings.TrimSpace(string(text))
		if password == "" {
			return "", errors.New("the file of --break-glass-password-file is empty")
		}
	}
	switch {
	case password == "" && b.BreakGlassEmail == "":
		return "", nil
	case password == "" || b.BreakGlassEmail == "":
		return "", errors.New("break-glass needs an e-mail address and a password: set COCKPIT_BREAK_GLASS_EMAIL and COCKPIT_BREAK_GLASS_PASSWORD, or neither")
	case len(password) < identity.MinBreakGlass:
		return "", fmt.Errorf("the break-glass password needs at least %d characters", identity.MinBreakGlass)
	}
	if _, err := identity.Email(b.BreakGlassEmail); err != nil {
		return "", fmt.Errorf("--break-glass-email=%s: give an e-mail address", b.BreakGlassEmail)
	}
	return password, nil
}

// allow lets the operator in by it, if it is set up.
func (b *BreakGlass) allow(ctx context.Context, s *identity.Sessions, log *slog.Logger) error {
	password, err := b.password()
	if err != nil || password == "" {
		return err
	}
	log.WarnContext(ctx, "break-glass sign-in is set up: whoever has its password runs the platform", "email", b.BreakGlassEmail)
	return s.AllowBreakGlass(ctx, b.BreakGlassEmail, password, log)
}
