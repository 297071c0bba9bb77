package store

import (
	"context"
	"database/sql"
	"io/fs"
)

// Tenant is the pool under row-level security, with no guard before it.
func (s *Store) Tenant() *sql.DB { return s.tenant }

// MigrateFrom applies other migrations than those built in.
func (s *Store) MigrateFrom(ctx context.Context, files fs.FS) ([]string, error) {
	return s.migrate(ctx, files)
}
