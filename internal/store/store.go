// Package store opens the database, migrates it, and gives out the one guarded
// ent client. Nothing else makes ent clients.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/lib/pq"
	_ "modernc.org/sqlite" // the embedded database

	"github.com/alchemi/cockpit/ent"
	_ "github.com/alchemi/cockpit/ent/runtime" // defaults and validators
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Dialects by their ent names.
const (
	SQLite   = dialect.SQLite
	Postgres = dialect.Postgres
)

// Options of Open.
type Options struct {
	// URL of a PostgreSQL database; empty means SQLite in Dir.
	URL string
	// Dir holds SQLite's file, cockpit.db; made if it doesn't exist.
	Dir string
	// MaxConns bounds each of the two pools; 0 means 32.
	MaxConns int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	Log *slog.Logger
}

// Store is an open database. Its Client is confined to the viewer's reach.
type Store struct {
	*ent.Client
	Dialect string
	log     *slog.Logger
	now     func() time.Time
	// tenant connections act under row-level security, system ones past it;
	// on SQLite they are one pool.
	tenant, system *sql.DB
	// writer is a small pool for WriteTx, which no crowd of readers may hold up.
	writer *sql.DB
	// owner is set on PostgreSQL while migrating.
	ownerURL string
	// writing queues SQLite's writers, of whom there can be one at a time.
	writing chan struct{}
}

// maxWriters bounds the connections of WriteTx.
const maxWriters = 8

// Open prepares the pools; Migrate comes next, for on a new PostgreSQL the
// roles that they act as don't exist yet.
func Open(o Options) (*Store, error) {
	s := &Store{log: o.Log, now: o.Now}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if o.MaxConns == 0 {
		o.MaxConns = 32
	}
	var err error
	if o.URL == "" {
		err = s.openSQLite(o)
	} else {
		err = s.openPostgres(o)
	}
	if err != nil {
		return nil, err
	}
	for _, db := range []*sql.DB{s.tenant, s.system} {
		db.SetMaxOpenConns(o.MaxConns)
		db.SetMaxIdleConns(o.MaxConns)
	}
	s.writer.SetMaxOpenConns(maxWriters)
	s.writer.SetMaxIdleConns(maxWriters)
	s.Client = s.client(router{tenant: entsql.OpenDB(s.Dialect, s.tenant), system: entsql.OpenDB(s.Dialect, s.system)})
	return s, nil
}

func (s *Store) openSQLite(o Options) error {
	s.Dialect = SQLite
	keepPages()
	s.writing = make(chan struct{}, 1)
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("store: data directory: %w", err)
	}
	dsn := "file:" + filepath.Join(o.Dir, "cockpit.db") +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_txlock=immediate&_time_format=sqlite"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return err
	}
	if s.writer, err = sql.Open("sqlite", dsn); err != nil {
		return err
	}
	s.tenant, s.system = db, db
	return nil
}

func (s *Store) openPostgres(o Options) error {
	s.Dialect = Postgres
	s.ownerURL = o.URL
	system, err := as(o.URL, "cockpit_system")
	if err != nil {
		return err
	}
	tenant, err := as(o.URL, "cockpit_tenant")
	if err != nil {
		return err
	}
	s.system, s.writer = sql.OpenDB(system), sql.OpenDB(system)
	s.tenant = sql.OpenDB(confined{tenant})
	return nil
}

// as connects with the role that the second wall knows.
func as(url, role string) (*pq.Connector, error) {
	cfg, err := pq.NewConfig(url)
	if err != nil {
		return nil, fmt.Errorf("store: DATABASE_URL: %w", err)
	}
	if cfg.Runtime == nil {
		cfg.Runtime = map[string]string{}
	}
	cfg.Runtime["role"] = role
	cfg.Runtime["timezone"] = "UTC"
	return pq.NewConnectorConfig(cfg)
}

// Now is the store's clock, in UTC at the precision that both databases keep.
func (s *Store) Now() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// System is the pool that passes row-level security, for engines that speak
// SQL to tables of their own.
func (s *Store) System() *sql.DB { return s.system }

// Ping tells whether the database can be reached.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.system.PingContext(ctx); err != nil {
		return fmt.Errorf("store: the database can't be reached: %w", err)
	}
	return nil
}

// Close ends all connections.
func (s *Store) Close() error {
	err := errors.Join(s.writer.Close(), s.system.Close())
	if s.tenant != s.system {
		err = errors.Join(err, s.tenant.Close())
	}
	return err
}

// client makes an ent client over a driver, with guard and hooks.
func (s *Store) client(d dialect.Driver) *ent.Client {
	c := ent.NewClient(ent.Driver(d))
	c.Use(s.transactional, s.stamp)
	tenancy.Guard(c)
	return c
}

// router sends statements to the pool that fits the context.
type router struct{ tenant, system dialect.Driver }

func (r router) pick(ctx context.Context) dialect.Driver {
	if tenancy.Bypassed(ctx) {
		return r.system
	}
	return r.tenant
}

// Exec implements dialect.ExecQuerier.
func (r router) Exec(ctx context.Context, query string, args, v any) error {
	return r.pick(ctx).Exec(ctx, query, args, v)
}

// Query implements dialect.ExecQuerier.
func (r router) Query(ctx context.Context, query string, args, v any) error {
	return r.pick(ctx).Query(ctx, query, args, v)
}

// Tx is refused: transactions are begun by InTx alone.
func (r router) Tx(context.Context) (dialect.Tx, error) {
	return nil, errors.New("store: begin transactions with InTx")
}

// Close does nothing: the store owns the pools.
func (r router) Close() error { return nil }

// Dialect names the database.
func (r router) Dialect() string { return r.tenant.Dialect() }

// IsConflict tells whether an error is a broken unique constraint.
func IsConflict(err error) bool {
	if err == nil {
		return false
	}
	var p *pq.Error
	if errors.As(err, &p) {
		return p.Code == "23505"
	}
	return strings.Contains(err.Error(), "UNIQUE constraint failed")
}
