package connections

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// maxName is the longest name that models' providers take for a tool.
const maxName = 64

// CallName is how callers name a tool: "connection__tool". One whose own name
// has other letters than models' providers take, or is too long, is marked, so
// that it can't be taken for another.
func CallName(connectionName, toolName, toolID string) string {
	plain := true
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		plain = false
		return '_'
	}, connectionName+"__"+toolName)
	if plain && len(name) <= maxName {
		return name
	}
	return Marked(name, toolID)
}

// Marked ends a name in what only one tool has.
func Marked(name, toolID string) string {
	sum := sha256.Sum256([]byte(toolID))
	mark := "_" + hex.EncodeToString(sum[:4])
	return name[:min(len(name), maxName-len(mark))] + mark
}
