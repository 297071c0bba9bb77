// Command cockpit is the hub from which enterprises run their AI: the Console
// and Copilot planes, their GraphQL API, the model gateway, and the pages.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // accounts have time zones, wherever this runs

	"github.com/alecthomas/kong"

	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/demo"
	"github.com/alchemi/cockpit/internal/demo/upstream"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/server"
)

// version is set by the build.
var version = "dev"

type commands struct {
	server.ConfigFlag `embed:""`

	Serve   serve   `cmd:"" default:"withargs" help:"Serve the API, the gateway and the pages. Migrates the database first."`
	Migrate migrate `cmd:"" help:"Migrate the database and end. Replicas that start do it by themselves."`
	Create  struct {
		SuperAdmin createSuperAdmin `cmd:"" help:"Make a super admin and print their first password."`
		Account    createAccount    `cmd:"" help:"Make an account with its first admin and print their first password."`
	} `cmd:"" help:"Make the first people, whom nobody can invite."`
	Account struct {
		Suspend suspendAccount `cmd:"" help:"Refuse an account until it is resumed; its data is kept."`
		Resume  resumeAccount  `cmd:"" help:"Let a suspended account be used again."`
	} `cmd:"" help:"Act on an account without signing in."`
	Demo struct {
		Env      demoEnv      `cmd:"" help:"Print shell lines that export the demo's address, keys and sign-ins."`
		Upstream demoUpstream `cmd:"" help:"Run the demo's model provider by itself."`
	} `cmd:"" help:"Help for trying Cockpit out."`
	Verify struct {
		Ledger verifyLedger `cmd:"" help:"Recompute from the ledger what charges cost, budgets, statements and usage, and name what differs."`
		Audit  verifyAudit  `cmd:"" help:"Recompute the hash chain of audit logs, or of an export, check the signed checkpoints, and name the first event that isn't what was sealed. Ends with 2 where one isn't, with 1 where it can't be told."`
	} `cmd:"" help:"Check what is stored."`
	Health  health  `cmd:"" help:"Ask a running server whether it is ready; for container health checks."`
	Version release `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cockpit:", err)
		if errors.Is(err, audit.ErrBroken) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var cli commands
	command, err := server.Load(&cli, args, kong.Name("cockpit"), kong.UsageOnError(),
		kong.Description("The hub from which enterprises run their AI. Every flag can also be set in the environment, or in the file that --config names."))
	if err != nil {
		return err
	}
	command.BindTo(ctx, (*context.Context)(nil))
	command.BindTo(out, (*io.Writer)(nil))
	return command.Run()
}

type serve struct {
	server.Config `embed:""`
}

// Run serves until a signal.
func (s *serve) Run(ctx context.Context, out io.Writer) error {
	return server.Run(ctx, &s.Config, func(s *server.Server) { greet(out, s) })
}

// greet tells a person at a terminal where to go and what to try.
func greet(out io.Writer, s *server.Server) {
	fmt.Fprintf(out, "Cockpit is at %s\n", s.URL())
	env := s.Demo()
	if env == nil {
		return
	}
	fmt.Fprintf(out, `
Sign in with the password %s as
  %-32s account admin of Acme Corp
  %-32s member
  %-32s auditor of Acme Corp: sees everything, changes nothing
  %-32s super admin of the platform

Call a model with the demo's key:
  curl %s/v1/chat/completions -H 'Authorization: Bearer %s' \
    -H 'Content-Type: application/json' \
    -d '{"model":"%s","messages":[{"role":"user","content":"Hello"}]}'
Add "stream":true for a stream. More variables for scripts: cockpit demo env
`, env[demo.Password], env[demo.AdminEmail], env[demo.MemberEmail], env[demo.AuditorEmail], env[demo.SuperAdminEmail],
		env[demo.URL], env[demo.ConsoleKey], env[demo.ConsoleModel])
}

type migrate struct {
	server.Storage `embed:""`
}

// Run migrates.
func (m *migrate) Run(ctx context.Context, out io.Writer) error {
	st, err := open(&m.Storage)
	if err != nil {
		return err
	}
	applied, err := st.Migrate(ctx)
	for _, name := range applied {
		fmt.Fprintln(out, "applied", name)
	}
	if err == nil && len(applied) == 0 {
		fmt.Fprintln(out, "nothing to do")
	}
	return errors.Join(err, st.Close())
}

// person is whom a create command makes.
type person struct {
	Email string `required:"" help:"E-mail address to sign in with."`
	Name  string `required:"" help:"Name as shown to others."`
}

// create runs f on a migrated database, past the guard.
func create(ctx context.Context, s *server.Storage, f func(ctx context.Context, tx *store.Tx) error) error {
	st, err := open(s)
	if err != nil {
		return err
	}
	if _, err = st.Migrate(ctx); err == nil {
		err = identity.CreatePlatform(ctx, st)
	}
	if err == nil {
		err = st.InTx(tenancy.System(ctx, "the operator makes the first people"), f)
	}
	return errors.Join(err, st.Close())
}

func tellPassword(out io.Writer, email, password string) {
	if password == "" {
		fmt.Fprintf(out, "%s signs in with the password they have.\n", email)
		return
	}
	fmt.Fprintf(out, "%s signs in with the password %s\n", email, password)
}

type createSuperAdmin struct {
	server.Storage `embed:""`
	person         `embed:""`
}

// Run makes a super admin.
func (c *createSuperAdmin) Run(ctx context.Context, out io.Writer) error {
	password := ""
	err := create(ctx, &c.Storage, func(ctx context.Context, tx *store.Tx) error {
		root, err := tx.Scope.Get(ctx, id.PlatformID)
		if err != nil {
			return err
		}
		password, err = identity.CreateAdmin(ctx, tx, root, c.Email, c.Name)
		return err
	})
	if err != nil {
		return err
	}
	tellPassword(out, c.Email, password)
	return nil
}

type createAccount struct {
	server.Storage `embed:""`
	person         `embed:"" prefix:"admin-"`
	Name           string `required:"" help:"Name of the account."`
	Slug           string `required:"" help:"Its name in addresses: 3-40 characters of a-z, 0-9 and hyphens."`
	TimeZone       string `default:"UTC" help:"IANA time zone, at whose midnight budgets renew."`
}

// Run makes an account with both planes.
func (c *createAccount) Run(ctx context.Context, out io.Writer) error {
	password := ""
	err := create(ctx, &c.Storage, func(ctx context.Context, tx *store.Tx) error {
		a, err := identity.CreateAccount(ctx, tx, identity.AccountInput{Name: c.Name, Slug: c.Slug, TimeZone: c.TimeZone, Console: true, Copilot: true})
		if err != nil {
			return err
		}
		root, err := tx.Scope.Get(ctx, a.ID)
		if err != nil {
			return err
		}
		password, err = identity.CreateAdmin(ctx, tx, root, c.Email, c.person.Name)
		return err
	})
	if err != nil {
		return err
	}
	tellPassword(out, c.Email, password)
	return nil
}

func open(s *server.Storage) (*store.Store, error) {
	o, err := s.Options(slog.Default())
	if err != nil {
		return nil, err
	}
	return store.Open(o)
}

type demoEnv struct {
	Data string `help:"Data directory of the demo." default:"data"`
}

// Run prints the variables.
func (d *demoEnv) Run(out io.Writer) error {
	env, err := demo.Load(d.Data)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no demo was started with the data directory %s; start one with cockpit serve --demo, or name its directory with --data", d.Data)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(out, env)
	return err
}

type demoUpstream struct {
	Listen string `help:"Address to listen on." default:"127.0.0.1:8090"`
}

// Run serves the demo provider until a signal.
func (d *demoUpstream) Run(ctx context.Context, out io.Writer) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", d.Listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "http://%s\n", l.Addr())
	s := &http.Server{Handler: upstream.Handler(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = s.Close() }) // nobody needs the rest of an answer
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type verifyLedger struct {
	server.Storage `embed:""`
}

// Run fails when something differs.
func (v *verifyLedger) Run(ctx context.Context, out io.Writer) error {
	st, err := open(&v.Storage)
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }() // nothing was written
	engine := budget.New(st, budget.Options{})
	differences, err := engine.Verify(ctx)
	if err != nil {
		return err
	}
	for _, d := range differences {
		fmt.Fprintln(out, d)
	}
	if n := len(differences); n > 0 {
		return fmt.Errorf("%d differences from what the ledger says", n)
	}
	fmt.Fprintln(out, "what charges cost, budgets, statements and usage agree with the ledger")
	return nil
}

type health struct {
	Listen string `help:"Address that the server listens on." default:"127.0.0.1:8080"`
}

// Run fails when the server isn't ready.
func (h *health) Run(ctx context.Context) error {
	host, port, err := net.SplitHostPort(h.Listen)
	if err != nil {
		return err
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		return fmt.Errorf("not ready: %s", strings.TrimSpace(string(said)))
	}
	return nil
}

type release struct{}

// Run prints the version, and the commit where the build knows it.
func (release) Run(out io.Writer) error {
	commit := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = " " + s.Value
			}
		}
	}
	_, err := fmt.Fprintf(out, "cockpit %s%s\n", version, commit)
	return err
}
