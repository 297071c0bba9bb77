// Package server puts the parts together and serves them over HTTP:
// configuration, routes, middleware, start and graceful end.
package server

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
)

// Storage says where the state lies. Its fields are command-line flags.
type Storage struct {
	Data            string `help:"Directory for SQLite's database, and in demo mode for the generated keys." default:"data"`
	DatabaseURL     string `help:"PostgreSQL database (postgres://user:password@host/name). Without one, SQLite in the data directory is used." env:"DATABASE_URL" placeholder:"URL"`
	DatabaseURLFile string `help:"File that holds the database URL, for secrets mounted as files." placeholder:"FILE"`
}

// Config is how one server process runs. Its fields are command-line flags;
// each can be given by environment or file instead (see Load).
type Config struct {
	Storage `embed:""`

	Listen    string `help:"Address to listen on." default:"127.0.0.1:8080" group:"HTTP"`
	PublicURL string `help:"Address at which browsers and programs reach the server, when it isn't the one listened on. An https address makes cookies Secure." placeholder:"URL" group:"HTTP"`

	TrustedProxies []netip.Prefix `help:"Networks of reverse proxies whose X-Forwarded-For is believed." placeholder:"CIDR" group:"HTTP"`
	MaxBody        int64          `help:"Largest body of a model call, in bytes." default:"4194304" group:"HTTP"`
	ShutdownGrace  time.Duration  `help:"How long running calls and streams may go on after a signal to stop." default:"30s" group:"HTTP"`

	MasterKey     string `help:"Key that seals provider keys: 32 bytes in base64 (openssl rand -base64 32). Set it in the environment; arguments can be read by others." placeholder:"BASE64" group:"Secrets"`
	MasterKeyFile string `help:"File that holds the master key." placeholder:"FILE" group:"Secrets"`

	BreakGlass `embed:"" group:"Secrets"`

	CreditsFactor string         `help:"Credits that one US dollar of cost is worth, for accounts without a factor of their own." default:"1000" env:"CREDITS_FACTOR" group:"Models"`
	CreditValue   string         `help:"What a credit is sold for, in US dollars: the platform's value and margin go by it. Without one, 1; in the demo 0.00125." placeholder:"USD" env:"CREDIT_VALUE" group:"Models"`
	AllowNetworks []netip.Prefix `help:"Private networks that model and identity providers and webhooks may lie in, such as 10.0.0.0/8. Without this, only public addresses are called." placeholder:"CIDR" group:"Models"`
	StdioCommands []string       `help:"Programs that admins of Copilot may have started as MCP servers on this machine, each with all its arguments, parted by semicolons. Variables that a credential may set come first: GITHUB_TOKEN= /usr/bin/github-mcp stdio. None unless set." sep:";" placeholder:"COMMANDS" group:"Models"`
	ComposioURL   string         `help:"Address of Composio's API, when it isn't the public one." placeholder:"URL" env:"COCKPIT_COMPOSIO_URL" group:"Models"`
	DNSServer     string         `help:"Name server that is asked for the records which prove mail domains, as host and port. Without one, the system's." placeholder:"HOST:PORT" group:"Sign-in"`
	NodeTimeout   time.Duration  `help:"How long a replica may be silent before the others charge its open calls. PostgreSQL only." default:"1m" group:"Models"`

	Journal string `help:"Whether a model call is safe once it is written to a journal in the data directory (file), or once the database has it (none): slower, for data directories that don't outlast the process." enum:"file,none" default:"file" group:"Models"`

	SMTP mailServer `embed:"" prefix:"smtp-"`

	Introspection bool `help:"Answer GraphQL introspection and serve GraphiQL." default:"true" negatable:"" group:"Operation"`

	MetricsListen string `help:"Address to serve /metrics on, apart from the rest. Without one, /metrics answers only programs on this machine." placeholder:"HOST:PORT" group:"Operation"`
	LogLevel      string `help:"Least severe log entries to write: debug, info, warn or error." enum:"debug,info,warn,error" default:"info" group:"Operation"`
	LogFormat     string `help:"Log as text or as json." enum:"text,json" default:"text" group:"Operation"`

	Demo         bool   `help:"Load demo data into an empty database and run a demo model provider. Never in production." group:"Demo"`
	DemoUpstream string `help:"Use this demo provider (see cockpit demo upstream) instead of one inside the process." placeholder:"URL" group:"Demo"`
}

// journal is the directory in which calls are written down before the database
// has them; empty without one.
func (c *Config) journal() string {
	if c.Journal == "none" {
		return ""
	}
	return filepath.Join(c.Data, "journal")
}

// Validate refuses settings that can't work, each with a way out.
func (c *Config) Validate() error {
	return errors.Join(
		address("listen", c.Listen),
		c.validateURL("public-url", c.PublicURL),
		c.validateURL("demo-upstream", c.DemoUpstream),
		c.validateMetrics(),
		c.validateDNS(),
		c.validateBounds(),
		second(c.factorPPM()),
		second(c.creditValue()),
		c.validateMasterKey(),
		c.SMTP.validate(),
		c.BreakGlass.validate(),
	)
}

func address(name, s string) error {
	if _, _, err := net.SplitHostPort(s); err != nil {
		return fmt.Errorf("--%s=%s: give host and port, such as 127.0.0.1:8080 or :8080", name, s)
	}
	return nil
}

func second[T any](_ T, err error) error { return err }

func (c *Config) validateURL(name, s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("--%s=%s: give scheme and host alone, such as https://cockpit.example.com", name, s)
	}
	return nil
}

func (c *Config) validateMetrics() error {
	if c.MetricsListen == "" {
		return nil
	}
	return address("metrics-listen", c.MetricsListen)
}

func (c *Config) validateDNS() error {
	if c.DNSServer == "" {
		return nil
	}
	return address("dns-server", c.DNSServer)
}

func (c *Config) validateBounds() error {
	switch {
	case c.MaxBody < 1<<10 || c.MaxBody > 1<<30:
		return errors.New("--max-body: give 1,024 to 1,073,741,824 bytes")
	case c.ShutdownGrace < 0 || c.ShutdownGrace > time.Hour:
		return errors.New("--shutdown-grace: give 0s to 1h")
	case c.NodeTimeout < 5*time.Second || c.NodeTimeout > time.Hour:
		return errors.New("--node-timeout: give 5s to 1h")
	case c.DemoUpstream != "" && !c.Demo:
		return errors.New("--demo-upstream is of use with --demo alone")
	}
	return nil
}

func (c *Config) validateMasterKey() error {
	if c.MasterKey != "" && c.MasterKeyFile != "" {
		return errors.New("give the master key by COCKPIT_MASTER_KEY or by --master-key-file, not by both")
	}
	if c.MasterKey == "" && c.MasterKeyFile == "" && !c.Demo {
		return errors.New("a master key is needed, to seal provider keys: set COCKPIT_MASTER_KEY to the output of openssl rand -base64 32, or name a file with --master-key-file. Keep it: without it what was sealed is lost")
	}
	return nil
}

// factorPPM is CreditsFactor in parts per million.
func (c *Config) factorPPM() (int64, error) {
	n, err := money.Parse(c.CreditsFactor)
	const perPPM = int64(money.One) / money.FactorOne
	if err != nil || n <= 0 || int64(n)%perPPM != 0 || n > 1_000_000*money.One {
		return 0, fmt.Errorf("--credits-factor=%s: give a decimal above 0 and at most 1,000,000, with at most 6 decimals", c.CreditsFactor)
	}
	return int64(n) / perPPM, nil
}

// creditValue is CreditValue in nano-USD.
func (c *Config) creditValue() (money.Nano, error) {
	text := c.CreditValue
	switch {
	case text != "":
	case c.Demo:
		text = "0.00125" // at 1,000 credits per dollar of cost a fifth is margin
	default:
		text = "1"
	}
	n, err := money.Parse(text)
	if err != nil || n <= 0 || n > 1_000_000*money.One {
		return 0, fmt.Errorf("--credit-value=%s: give US dollars above 0 and at most 1,000,000, with at most 9 decimals", c.CreditValue)
	}
	return n, nil
}

// box opens what was sealed under the master key.
func (c *Config) box() (*secret.Box, error) {
	key, err := c.masterKey()
	if err != nil {
		return nil, err
	}
	return secret.NewBox(key)
}

// masterKey reads the master key; in demo mode one is made at the first start
// and kept in the data directory.
func (c *Config) masterKey() (string, error) {
	if c.MasterKey != "" {
		return c.MasterKey, nil
	}
	file := c.MasterKeyFile
	if file == "" && c.Demo {
		file = filepath.Join(c.Data, "master.key")
		if err := makeKey(file); err != nil {
			return "", err
		}
	}
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("master key: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

func makeKey(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	_, err = fmt.Fprintln(f, base64.StdEncoding.EncodeToString(key))
	return errors.Join(err, f.Close())
}

// Options are what the store needs to open.
func (s *Storage) Options(log *slog.Logger) (store.Options, error) {
	o := store.Options{URL: s.DatabaseURL, Dir: s.Data, Log: log}
	if s.DatabaseURLFile != "" {
		if s.DatabaseURL != "" {
			return o, errors.New("give the database by DATABASE_URL or by --database-url-file, not by both")
		}
		text, err := os.ReadFile(s.DatabaseURLFile)
		if err != nil {
			return o, fmt.Errorf("database URL: %w", err)
		}
		o.URL = strings.TrimSpace(string(text))
	}
	if o.URL != "" && !strings.HasPrefix(o.URL, "postgres://") && !strings.HasPrefix(o.URL, "postgresql://") {
		return o, errors.New("the database URL must begin with postgres://; leave it out for SQLite")
	}
	return o, nil
}

// Logger makes the process's logger, which writes to stderr.
func (c *Config) Logger() *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // one of four, checked by the flag
	o := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

// secureCookies is false only for plain HTTP on this machine itself.
func (c *Config) secureCookies() bool {
	if c.PublicURL != "" {
		return strings.HasPrefix(c.PublicURL, "https://")
	}
	host, _, _ := net.SplitHostPort(c.Listen) // validated
	ip, err := netip.ParseAddr(host)
	return host != "localhost" && (err != nil || !ip.IsLoopback())
}

// outbound are the networks that calls to providers may go to besides the
// public ones; the demo's provider runs on this machine.
func (c *Config) outbound() []netip.Prefix {
	if !c.Demo {
		return c.AllowNetworks
	}
	return append([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, c.AllowNetworks...)
}
