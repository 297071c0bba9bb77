// Package storetest gives tests a migrated database of their own: SQLite
// always, PostgreSQL where COCKPIT_TEST_DATABASE_URL names a server.
package storetest

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"testing"

	_ "github.com/lib/pq" // the PostgreSQL driver
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
)

// Variable names the environment variable with the test server's URL; its user
// needs CREATEDB and CREATEROLE.
const Variable = "COCKPIT_TEST_DATABASE_URL"

// Each runs the test on every database there is.
func Each(t *testing.T, test func(t *testing.T, st *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, Open(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, OpenPostgres(t))
	})
}

// EachOwned runs the test on every database there is, with a connection of
// somebody who may do everything to it: the file's owner, the schema's owner.
func EachOwned(t *testing.T, test func(t *testing.T, st *store.Store, owner *sql.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		st := Open(t)
		test(t, st, st.System())
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := PostgresURL(t)
		owner, err := sql.Open("postgres", url)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, owner.Close()) })
		owner.SetMaxOpenConns(1) // settings of a session hold
		test(t, open(t, store.Options{URL: url}), owner)
	})
}

// Open gives a migrated SQLite database in a folder of the test's own.
func Open(t testing.TB) *store.Store {
	t.Helper()
	return open(t, store.Options{Dir: t.TempDir()})
}

// OpenPostgres gives a migrated PostgreSQL database of the test's own, and
// skips the test where there is no server.
func OpenPostgres(t testing.TB) *store.Store {
	t.Helper()
	return open(t, store.Options{URL: PostgresURL(t)})
}

// PostgresURL makes an empty PostgreSQL database and returns its URL.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Variable)
	if server == "" {
		t.Skip(Variable + " is not set")
	}
	name := "cockpit_test_" + id.New(id.Node)[4:]
	admin, err := sql.Open("postgres", server)
	require.NoError(t, err)
	_, err = admin.ExecContext(t.Context(), `CREATE DATABASE "`+name+`"`)
	require.NoError(t, err)
	t.Cleanup(func() {
		// Without FORCE: that one may not end the server's own vacuum.
		_, err := admin.ExecContext(context.Background(), `DROP DATABASE "`+name+`"`)
		require.NoError(t, err)
		require.NoError(t, admin.Close())
	})
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

func open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	ctx := context.Background()
	st, err := store.Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	_, err = st.Migrate(ctx)
	require.NoError(t, err)
	return st
}
