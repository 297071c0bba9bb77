package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// process is a server of the measurement, in a process of its own so that no
// garbage collector works for two.
type process struct {
	url, key string
	*os.Process
}

// start runs this program with other arguments, until its stdin ends: with stop, or
// with this process, however that dies. It prints where it listens, and with
// which key.
func start(ctx context.Context, arguments ...string) (p process, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return process{}, nil, err
	}
	role := arguments[1]
	cmd := exec.CommandContext(ctx, self, arguments...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return process{}, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return process{}, nil, err
	}
	if err := cmd.Start(); err != nil {
		return process{}, nil, err
	}
	stop = func() {
		_ = in.Close()                                                         // gone already when the process has died
		if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() >= 0 { // not killed
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", role, err)
		}
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return process{}, nil, fmt.Errorf("%s didn't start: %w", role, err)
	}
	url, key, _ := strings.Cut(strings.TrimSpace(line), " ")
	return process{url, key, cmd.Process}, stop, nil
}

// untilStdinEnds ends with ctx, or when nobody holds the other end any more.
func untilStdinEnds(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // an error ends it as well
		cancel()
	}()
	return ctx
}

// serve listens on a free port, prints address and key, and serves until the
// context ends.
func serve(ctx context.Context, h http.Handler, key string) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = s.Close() // the calls of a measurement that ended are nobody's
	}()
	fmt.Println("http://"+l.Addr().String(), key)
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
