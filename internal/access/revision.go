package access

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/vektah/gqlparser/v2/ast"
)

// How many documents, subject classes and answers are kept. Subject classes
// are few; the bound is there for hostile variety.
const (
	planCache    = 1024
	subjectCache = 1024
	answerCache  = 16384
)

// revision is one state of the policies with everything that follows from it.
// It never changes, so swapping it swaps all caches at once.
type revision struct {
	id       string
	coverage *coverage

	graph   rego.PreparedEvalQuery
	roles   rego.PreparedEvalQuery
	gateway rego.PreparedEvalQuery

	plans   *lru.Cache[*ast.OperationDefinition, *plan]
	allowed *lru.Cache[Subject, classes]
	answers *lru.Cache[question, answer]
	doors   *lru.Cache[visitor, answer]
}

// visitor is a subject at one of the gateways, by the permission that it takes.
type visitor struct {
	subject    Subject
	permission string
}

// answer is what roles.rego and gateway.rego give.
type answer struct {
	Allow  bool   `json:"allow"`
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}

func compile(files fs.FS, schema *ast.Schema) (*revision, error) {
	modules, data, id, err := read(files)
	if err != nil {
		return nil, err
	}
	cover, err := newCoverage(data, schema)
	if err != nil {
		return nil, err
	}
	r := &revision{id: id, coverage: cover}
	options := []func(*rego.Rego){rego.Store(inmem.NewFromObject(data)), rego.StrictBuiltinErrors(true)}
	for name, text := range modules {
		options = append(options, rego.Module(name, text))
	}
	for query, into := range map[string]*rego.PreparedEvalQuery{
		"data.cockpit.graph.decisions":  &r.graph,
		"data.cockpit.roles.decision":   &r.roles,
		"data.cockpit.gateway.decision": &r.gateway,
	} {
		*into, err = rego.New(append(options[:len(options):len(options)], rego.Query(query))...).PrepareForEval(context.Background())
		if err != nil {
			return nil, fmt.Errorf("compile policies: %w", err)
		}
	}
	r.plans, _ = lru.New[*ast.OperationDefinition, *plan](planCache)
	r.allowed, _ = lru.New[Subject, classes](subjectCache)
	r.answers, _ = lru.New[question, answer](answerCache)
	r.doors, _ = lru.New[visitor, answer](subjectCache)
	return r, nil
}

// read returns the Rego of files without its tests, the data of all JSON
// files merged, and a hash of both.
func read(files fs.FS) (modules map[string]string, data map[string]any, id string, err error) {
	modules, data = map[string]string{}, map[string]any{}
	hash := sha256.New()
	names, err := fs.Glob(files, "*")
	if err != nil {
		return nil, nil, "", err
	}
	for _, name := range names {
		ext := path.Ext(name)
		if ext != ".json" && (ext != ".rego" || strings.HasSuffix(name, "_test.rego")) {
			continue
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, nil, "", err
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
		if ext == ".rego" {
			modules[name] = string(text)
			continue
		}
		var part map[string]any
		if err := json.Unmarshal(text, &part); err != nil {
			return nil, nil, "", fmt.Errorf("policy data %s: %w", name, err)
		}
		for key, value := range part {
			if _, twice := data[key]; twice {
				return nil, nil, "", fmt.Errorf("policy data %s: %q is in two files", name, key)
			}
			data[key] = value
		}
	}
	if len(modules) == 0 {
		return nil, nil, "", errors.New("no policies found")
	}
	return modules, data, hex.EncodeToString(hash.Sum(nil))[:12], nil
}

// evaluate asks a prepared query and decodes its one value; an undefined
// answer is an error, which callers treat as a refusal.
func evaluate(ctx context.Context, query rego.PreparedEvalQuery, input, into any) error {
	// A caller who goes away must not leave half an answer.
	set, err := query.Eval(context.WithoutCancel(ctx), rego.EvalInput(input))
	if err != nil {
		return fmt.Errorf("evaluate policy: %w", err)
	}
	if len(set) != 1 || len(set[0].Expressions) != 1 {
		return errors.New("evaluate policy: undefined")
	}
	text, err := json.Marshal(set[0].Expressions[0].Value)
	if err != nil {
		return fmt.Errorf("evaluate policy: %w", err)
	}
	return json.Unmarshal(text, into)
}
