package mcp_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
)

// answered is what the official client printed.
type answered struct {
	Tools   []string
	Results []struct {
		Refused string
		IsError bool
		Content []struct{ Type, Text string }
	}
}

type official struct {
	Name      string         `json:"name"`
	Arguments map[string]any `json:"arguments"`
}

// The servers that everybody has, started as the operator allows, called
// through the gateway by the client that everybody has.
func TestOfficialServersAndClient(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node here")
	}
	home, err := filepath.Abs("testdata/official")
	require.NoError(t, err)
	modules := filepath.Join(home, "node_modules", "@modelcontextprotocol")
	if _, err := os.Stat(modules); err != nil {
		t.Skip("run npm ci in internal/mcp/testdata/official first")
	}
	files, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(files, "note.txt"), []byte("The vault is in the attic."), 0o600))
	everything := connections.Command{Line: []string{node, filepath.Join(modules, "server-everything", "dist", "index.js"), "stdio"}}
	filesystem := connections.Command{Line: []string{node, filepath.Join(modules, "server-filesystem", "dist", "index.js"), files}}
	w := newWorld(t, storetest.Open(t), everything, filesystem)
	for name, c := range map[string]connections.Command{"everything": everything, "files": filesystem} {
		var row *ent.Connection
		w.write(func(ctx context.Context, tx *store.Tx) error {
			row, err = w.conns.Create(ctx, tx, w.A.Copilot.Root, connections.Input{Kind: connection.KindMCP_STDIO, Name: &name, Command: c.Line})
			return err
		})
		found, err := w.conns.Discover(t.Context(), row.ID, "", true)
		require.NoError(t, err)
		require.Greater(t, found.Approved, 5, name)
		w.grant(w.A.Copilot.Team, row.ID, grant.Allow)
	}
	stranger, _ := w.key(w.A.Copilot.SiblingTeam, 0)
	calls := []official{
		{"everything__echo", map[string]any{"message": "hello"}},
		{"files__read_text_file", map[string]any{"path": filepath.Join(files, "note.txt")}},
		{"files__read_text_file", map[string]any{"path": "/etc/passwd"}},
	}
	ask := func(token string) (out answered) {
		in, err := json.Marshal(map[string]any{"url": w.url, "token": token, "calls": calls})
		require.NoError(t, err)
		cmd := exec.CommandContext(t.Context(), node, "call.mjs", string(in))
		cmd.Dir = home
		text, err := cmd.Output()
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &out))
		return out
	}
	granted := ask(w.A.Copilot.Token)
	require.Subset(t, granted.Tools, []string{"everything__echo", "files__read_text_file"})
	require.Contains(t, granted.Results[0].Content[0].Text, "hello")
	require.Contains(t, granted.Results[1].Content[0].Text, "The vault is in the attic.")
	require.True(t, granted.Results[2].IsError)
	require.Len(t, w.events(), 3)

	other := ask(stranger)
	require.Empty(t, other.Tools)
	for _, r := range other.Results {
		require.Contains(t, r.Refused, "There is no tool")
	}
	require.Len(t, w.events(), 3)
}
