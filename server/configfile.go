package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// Load parses a command line into cli. Settings are looked for in flags, then
// in the environment (COCKPIT_ and the flag's name), then in the YAML file
// that --config or COCKPIT_CONFIG names, whose keys are the flags' names.
func Load(cli any, args []string, options ...kong.Option) (*kong.Context, error) {
	parser, err := kong.New(cli, append(options, kong.DefaultEnvars("COCKPIT"))...)
	if err != nil {
		return nil, err
	}
	file, args, err := configFile(args)
	if err != nil {
		return nil, err
	}
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("--config: %w", err)
		}
		defer func() { _ = f.Close() }()
		r, err := readSettings(f, parser.Model)
		if err != nil {
			return nil, fmt.Errorf("--config=%s: %w", file, err)
		}
		if err := kong.Resolvers(r).Apply(parser); err != nil {
			return nil, err
		}
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return nil, err
	}
	return ctx, nil
}

// ConfigFlag shows --config in the help; Load reads it before all others.
type ConfigFlag struct {
	Config string `help:"YAML file with settings; its keys are the names of the flags. Flags and environment win over it." placeholder:"FILE"`
}

// configFile takes --config out of the arguments, else looks into the
// environment.
func configFile(args []string) (string, []string, error) {
	file := os.Getenv("COCKPIT_CONFIG")
	for i, a := range args {
		if a == "--" {
			break
		}
		if value, ok := strings.CutPrefix(a, "--config="); ok {
			return value, slices.Delete(slices.Clone(args), i, i+1), nil
		}
		if a == "--config" {
			if i+1 == len(args) {
				return "", nil, errors.New("--config: name a file")
			}
			return args[i+1], slices.Delete(slices.Clone(args), i, i+2), nil
		}
	}
	return file, args, nil
}

// settings answers for flags that neither the command line nor the
// environment has set.
type settings map[string]any

func readSettings(r io.Reader, app *kong.Application) (settings, error) {
	s := settings{}
	if err := yaml.NewDecoder(r).Decode(&s); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("this isn't a YAML file of settings: %w", err)
	}
	known := map[string]bool{}
	for _, flags := range app.AllFlags(false) {
		for _, f := range flags {
			known[f.Name] = true
		}
	}
	for _, n := range app.Leaves(false) {
		for _, flags := range n.AllFlags(false) {
			for _, f := range flags {
				known[f.Name] = true
			}
		}
	}
	for name := range s {
		if !known[name] {
			return nil, fmt.Errorf("there is no setting %q; cockpit serve --help lists them all", name)
		}
	}
	return s, nil
}

// Validate implements kong.Resolver.
func (s settings) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver.
func (s settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil //nolint:nilnil // kong's way of saying: not mine
		}
	}
	return s[flag.Name], nil
}
