package server

import (
	"os"
	"runtime/debug"
)

// TuneMemory lets the heap grow to five times what is in use before it is
// collected, for what is in use is a few dozen MB, and each collection costs the
// calls of its moment their time. GOGC in the environment decides otherwise;
// GOMEMLIMIT bounds it all.
func TuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}
