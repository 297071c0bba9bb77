// Package demo fills an empty database with a story: a platform, two accounts
// with their people, models, keys and budgets, and five weeks of usage.
package demo

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Env is what scripts need of a demo: the variables' values by name.
type Env map[string]string

// The variables of an Env.
const (
	URL             = "COCKPIT_URL"
	ConsoleKey      = "COCKPIT_CONSOLE_KEY"
	ConsoleModel    = "COCKPIT_CONSOLE_MODEL"
	CopilotKey      = "COCKPIT_COPILOT_KEY"
	CopilotModel    = "COCKPIT_COPILOT_MODEL"
	SuperAdminEmail = "COCKPIT_SUPER_ADMIN_EMAIL"
	AdminEmail      = "COCKPIT_ADMIN_EMAIL"
	MemberEmail     = "COCKPIT_MEMBER_EMAIL"
	AuditorEmail    = "COCKPIT_AUDITOR_EMAIL"
	Password        = "COCKPIT_DEMO_PASSWORD"
	// The programs alchemi-ai, with its secret, and alchemi-web; and the id of
	// the member whom MemberEmail names.
	ClientID     = "COCKPIT_CLIENT_ID"
	ClientSecret = "COCKPIT_CLIENT_SECRET"
	WebClientID  = "COCKPIT_WEB_CLIENT_ID"
	MemberID     = "COCKPIT_MEMBER_ID"
)

var variables = []string{URL, ConsoleKey, ConsoleModel, CopilotKey, CopilotModel, SuperAdminEmail, AdminEmail, MemberEmail, AuditorEmail, Password,
	ClientID, ClientSecret, WebClientID, MemberID}

// String is the shell's form, one export a line. No value needs more than
// plain quotes: all are ours.
func (e Env) String() string {
	var b strings.Builder
	for _, name := range variables {
		fmt.Fprintf(&b, "export %s='%s'\n", name, e[name])
	}
	return b.String()
}

func envFile(dir string) string { return filepath.Join(dir, "demo.env") }

// Save keeps the variables in the data directory, for its owner alone.
func (e Env) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	part, err := os.CreateTemp(dir, "demo.env.*") // mode 0600
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	_, err = part.WriteString(e.String())
	if closed := part.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(part.Name(), envFile(dir))
	}
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

// Load reads what Save kept; an error that is os.ErrNotExist means that no
// demo was seeded from this data directory.
func Load(dir string) (Env, error) {
	f, err := os.Open(envFile(dir))
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	defer func() { _ = f.Close() }()
	e := Env{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, value, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		if ok {
			e[name] = strings.Trim(value, "'")
		}
	}
	return e, lines.Err()
}
