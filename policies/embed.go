// Package policies embeds the Rego rules and the data they decide by. Who may
// do what is written here and nowhere else.
package policies

import "embed"

// FS holds *.rego and *.json; tests of the rules are *_test.rego.
//
//go:embed *.rego *.json
var FS embed.FS
