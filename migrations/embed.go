// Package migrations holds the versioned SQL of both databases. Files are
// written by generate.go (or by hand, for what ent can't say) and never edited
// once released.
package migrations

import "embed"

// FS has one folder a dialect: sqlite and postgres.
//
//go:embed sqlite/*.sql postgres/*.sql
var FS embed.FS
