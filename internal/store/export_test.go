package store

import "database/sql"

// Tenant is the pool under row-level security, with no guard before it.
func (s *Store) Tenant() *sql.DB { return s.tenant }
