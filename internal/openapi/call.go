package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/internal/fault"
)

const (
	// MaxAnswer is the most bytes of an answer that are read.
	MaxAnswer = 1 << 20
	// MaxArguments is the most bytes that a call's arguments may have.
	MaxArguments = 1 << 20
)

// Result is what an API answered; its status is the caller's to judge.
type Result struct {
	Status      int
	ContentType string
	Body        []byte
	// Cut says that the answer went on beyond MaxAnswer.
	Cut bool
}

// Call calls one of the document's operations at a base address, signed in by
// auth (nil for nobody). Redirects are answers: what auth adds goes to the base
// alone. The client bounds time and networks, see outbound.NewClient.
func Call(ctx context.Context, client *http.Client, base string, d *Document, name string, args json.RawMessage, auth func(*http.Request) error) (Result, error) {
	o := d.byName[name]
	if o == nil {
		return Result{}, fault.New(fault.NotFound, "There is no operation %q.", clip(name, 80))
	}
	req, err := o.request(ctx, base, args)
	if err != nil {
		return Result{}, err
	}
	if auth != nil {
		if err := auth(req); err != nil {
			return Result{}, err
		}
	}
	stay := *client
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := stay.Do(req)
	if err != nil {
		return Result{}, unreachable(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, MaxAnswer+1))
	if err != nil {
		return Result{}, unreachable(ctx, err)
	}
	r := Result{Status: res.StatusCode, ContentType: res.Header.Get("Content-Type"), Body: answer}
	if len(answer) > MaxAnswer {
		r.Body, r.Cut = answer[:MaxAnswer], true
	}
	return r, nil
}

// unreachable tells of a call without an answer. The address stays out of it:
// its query may hold the key.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var about *url.Error
	if errors.As(err, &about) {
		err = about.Err
	}
	return fault.New(fault.Unavailable, "The API can't be reached, or didn't answer to the end. Try again later.").Because(err)
}

// request fills an operation's request with arguments.
func (o *operation) request(ctx context.Context, base string, args json.RawMessage) (*http.Request, error) {
	values, err := o.arguments(args)
	if err != nil {
		return nil, err
	}
	to, err := o.address(base, values)
	if err != nil {
		return nil, err
	}
	var content []byte
	if given, has := values[bodyArgument]; has && o.body != nil {
		if content, err = o.body.encode(given); err != nil {
			return nil, err
		}
	}
	// Not nil where a body may be: servers want its length.
	var reader io.Reader
	if o.body != nil && content != nil {
		reader = bytes.NewReader(content)
	}
	req, err := http.NewRequestWithContext(ctx, o.method, to, reader)
	if err != nil {
		return nil, badBase
	}
	req.Header.Set("Accept", "application/json, text/*;q=0.9, */*;q=0.5")
	req.Header.Set("User-Agent", "Cockpit")
	if content != nil {
		req.Header.Set("Content-Type", o.body.contentType)
	}
	for _, p := range o.parameters {
		if v, has := values[p.argument]; has && p.in == "header" {
			text, err := p.header(v)
			if err != nil {
				return nil, err
			}
			req.Header.Set(p.name, text)
		}
	}
	return req, nil
}

// arguments reads a call's arguments and refuses those that don't fit, all at
// once.
func (o *operation) arguments(args json.RawMessage) (map[string]any, error) {
	if len(args) > MaxArguments {
		return nil, fault.New(fault.Invalid, "The arguments have more than %d KB.", MaxArguments>>10)
	}
	values := map[string]any{}
	if len(bytes.TrimSpace(args)) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(args))
		decoder.UseNumber()
		var given any
		if err := decoder.Decode(&given); err != nil || decoder.More() {
			return nil, fault.New(fault.Invalid, "The arguments aren't JSON.")
		}
		var object bool
		if values, object = given.(map[string]any); !object && given != nil {
			return nil, fault.New(fault.Invalid, "The arguments must be a JSON object of %s.", o.known())
		}
	}
	for name, v := range values {
		if v == nil && name != bodyArgument {
			delete(values, name) // not given
		}
	}
	var missing, unknown []string
	names := map[string]bool{}
	for _, p := range o.parameters {
		names[p.argument] = true
		if _, has := values[p.argument]; !has && p.required {
			missing = append(missing, p.argument)
		}
	}
	if o.body != nil {
		names[bodyArgument] = true
		if _, has := values[bodyArgument]; !has && o.body.required {
			missing = append(missing, bodyArgument)
		}
	}
	for name := range values {
		if !names[name] {
			unknown = append(unknown, clip(name, 64))
		}
	}
	slices.Sort(unknown)
	switch {
	case len(missing) > 0:
		e := fault.New(fault.Invalid, "%s needs %s. It takes %s.", o.Name, strings.Join(missing, ", "), o.known())
		e.Path = []string{missing[0]}
		return nil, e
	case len(unknown) > 0:
		e := fault.New(fault.Invalid, "%s doesn't take %s. It takes %s.", o.Name, clip(strings.Join(unknown, ", "), 300), o.known())
		e.Path = []string{unknown[0]}
		return nil, e
	}
	return values, nil
}

// known lists the arguments for messages.
func (o *operation) known() string {
	var out []string
	for _, p := range o.parameters {
		out = append(out, p.argument)
	}
	if o.body != nil {
		out = append(out, bodyArgument)
	}
	if len(out) == 0 {
		return "no arguments"
	}
	return clip(strings.Join(out, ", "), 500)
}

var badBase = fault.New(fault.Invalid, "The connection's address must look like https://api.example.com/v1, without user, query or fragment.")

// address joins base, path and query. Arguments can't lead out of their place:
// all that means something in an address is escaped, and dots alone are refused.
func (o *operation) address(base string, values map[string]any) (string, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" {
		return "", badBase
	}
	byName := map[string]*parameter{}
	var query []string
	for _, p := range o.parameters {
		v, has := values[p.argument]
		if !has {
			continue
		}
		switch p.in {
		case "path":
			byName[p.name] = p
		case "query":
			pairs, err := p.query(v)
			if err != nil {
				return "", err
			}
			query = append(query, pairs...)
		}
	}
	var path strings.Builder
	path.WriteString(strings.TrimRight(u.EscapedPath(), "/"))
	for i, part := range o.path {
		if i%2 == 0 {
			path.WriteString(part)
			continue
		}
		p := byName[part]
		filled, err := p.path(values[p.argument])
		if err != nil {
			return "", err
		}
		path.WriteString(filled)
	}
	for segment := range strings.SplitSeq(path.String(), "/") {
		if plain, err := url.PathUnescape(segment); err != nil || dots(plain) {
			return "", fault.New(fault.Invalid, "The arguments of %s make a path that leads elsewhere: . and .. can't be parts of it.", o.Name)
		}
	}
	out := u.Scheme + "://" + u.Host + path.String()
	if len(query) > 0 {
		out += "?" + strings.Join(query, "&")
	}
	if len(out) > 16<<10 {
		return "", fault.New(fault.Invalid, "The arguments of %s make an address of more than 16 KB.", o.Name)
	}
	return out, nil
}
