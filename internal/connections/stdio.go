package connections

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Command is a stdio server that the operator lets be started, exactly so.
type Command struct {
	// Line is program and arguments.
	Line []string
	// Variables are those that a credential may set; any other could turn the
	// program into another one.
	Variables []string
}

// ParseCommands reads commands as the operator writes them: words with blanks
// between, first the variables that a credential may set, each with a "=" at
// its end: "GITHUB_TOKEN= /usr/bin/github-mcp stdio".
func ParseCommands(lines []string) ([]Command, error) {
	var out []Command
	for _, line := range lines {
		var c Command
		for _, word := range strings.Fields(line) {
			if name, is := strings.CutSuffix(word, "="); is && name != "" && len(c.Line) == 0 {
				c.Variables = append(c.Variables, name)
				continue
			}
			c.Line = append(c.Line, word)
		}
		if len(c.Line) == 0 {
			return nil, fmt.Errorf("a stdio command names no program: %q", line)
		}
		out = append(out, c)
	}
	return out, nil
}

// allowedCommand finds a command among the operator's; false for any other.
func (c *Connections) allowedCommand(line []string) (Command, bool) {
	i := slices.IndexFunc(c.Commands, func(a Command) bool { return slices.Equal(a.Line, line) })
	if i < 0 {
		return Command{}, false
	}
	return c.Commands[i], true
}

// process is a stdio server that runs for one session.
type process struct {
	cmd *exec.Cmd
	dir string
}

// start runs a stdio server with nothing in its environment but what the
// credential sets, in a folder and a process group of its own.
func (c *Connections) start(_ context.Context, line []string, secrets map[string]string) (*process, mcp.Transport, error) {
	command, allowed := c.allowedCommand(line)
	if !allowed {
		return nil, nil, errors.New("the operator doesn't let this command be started")
	}
	dir, err := os.MkdirTemp("", "cockpit-stdio-")
	if err != nil {
		return nil, nil, err
	}
	// It lives as long as its session, longer than the request that began it.
	cmd := exec.Command(line[0], line[1:]...) //nolint:noctx // killed by stop
	cmd.Dir = dir
	cmd.Env = []string{}
	for _, name := range command.Variables {
		if value, set := secrets[name]; set && !strings.Contains(value, "\x00") {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	in, err := cmd.StdinPipe()
	var out io.ReadCloser
	if err == nil {
		out, err = cmd.StdoutPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, nil, err
	}
	return &process{cmd, dir}, &mcp.IOTransport{Reader: out, Writer: in, MaxLineLength: maxReply}, nil
}

// stop kills the program with all that it started.
func (p *process) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // it may have ended already
	_ = p.cmd.Wait()
	_ = os.RemoveAll(p.dir)
}
