package server_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var example = regexp.MustCompile("(?ms)^```sh\n(.*?)^```")

// The guide's examples run, one after the other, against the demo.
func TestExamplesOfTheProgramsGuide(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s isn't installed", tool)
		}
	}
	guide, err := os.ReadFile("../docs/programs.md")
	require.NoError(t, err)
	script := "set -euxo pipefail\n"
	found := example.FindAllStringSubmatch(string(guide), -1)
	require.Greater(t, len(found), 5)
	for _, e := range found {
		script += e[1]
	}
	c := serve(t, t.TempDir(), nil, "--log-level", "error")
	cmd := exec.Command("bash", "-c", script)
	cmd.Env = os.Environ()
	for name, value := range c.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	c.stop(t)
}
