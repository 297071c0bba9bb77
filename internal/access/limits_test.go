package access

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	rows := func(size string, inner string) string {
		return fmt.Sprintf(`books(first: %s) { edges { node { %s } } }`, size, inner)
	}
	chain := func(depth int) string {
		return strings.Repeat("author { best { ", depth/2) + "title" + strings.Repeat(" } }", depth/2)
	}
	var aliases strings.Builder
	for i := range 51 {
		fmt.Fprintf(&aliases, "a%d: title ", i)
	}
	var bomb strings.Builder
	for i := range 24 {
		fmt.Fprintf(&bomb, "fragment f%d on Book { ...f%d ...f%d }\n", i, i+1, i+1)
	}
	for name, c := range map[string]struct {
		query     string
		variables map[string]any
		code      string
		cost      int64
	}{
		"one object":              {query: `{ book { title note } }`, cost: 1},
		"a full page":             {query: `{ ` + rows("100", "title") + ` }`, cost: 101},
		"total only":              {query: `{ books(first: 100) { totalCount } }`, cost: 1},
		"page of 100 with 50":     {query: `{ ` + rows("100", rows("50", "title")) + ` }`, cost: 5201},
		"three full pages":        {query: `{ ` + rows("100", rows("100", rows("100", "title"))) + ` }`, code: "COMPLEXITY_LIMIT"},
		"three by variable":       {query: `query($n: Int) { ` + rows("$n", rows("$n", rows("$n", "title"))) + ` }`, variables: map[string]any{"n": 100}, code: "COMPLEXITY_LIMIT"},
		"small by variable":       {query: `query($n: Int) { ` + rows("$n", rows("$n", rows("$n", "title"))) + ` }`, variables: map[string]any{"n": 5}, cost: 5*(1+1+5*(1+1+5)) + 1},
		"variable's default":      {query: `query($n: Int = 7) { ` + rows("$n", "title") + ` }`, cost: 8},
		"rows in a fragment":      {query: `{ books(first: 10) { ...f } } fragment f on BookConnection { edges { ... on BookEdge { node { title } } } }`, cost: 11},
		"plain list":              {query: `{ book { related { related { title } } } }`, cost: 111},
		"same page twice":         {query: `{ a: ` + rows("100", "title") + ` b: ` + rows("100", "title") + ` }`, cost: 202},
		"no size":                 {query: `{ books { totalCount } }`, code: "BAD_INPUT"},
		"null size":               {query: `query($n: Int) { ` + rows("$n", "title") + ` }`, variables: map[string]any{"n": nil}, code: "BAD_INPUT"},
		"absent size":             {query: `query($n: Int) { ` + rows("$n", "title") + ` }`, code: "BAD_INPUT"},
		"size of zero":            {query: `{ ` + rows("0", "title") + ` }`, code: "BAD_INPUT"},
		"negative size":           {query: `{ ` + rows("-1", "title") + ` }`, code: "BAD_INPUT"},
		"size above the page":     {query: `{ ` + rows("101", "title") + ` }`, code: "BAD_INPUT"},
		"variable above the page": {query: `query($n: Int) { ` + rows("$n", "title") + ` }`, variables: map[string]any{"n": 101}, code: "BAD_INPUT"},
		"first and last":          {query: `{ books(first: 1, last: 1) { totalCount } }`, code: "BAD_INPUT"},
		"last alone":              {query: `{ books(last: 3) { edges { cursor } } }`, cost: 1},
		"skipped page counts":     {query: `{ open books @skip(if: true) { totalCount } }`, code: "BAD_INPUT"},
		"depth 12":                {query: `{ book { ` + chain(10) + ` } }`, cost: 11},
		"depth 14":                {query: `{ book { ` + chain(12) + ` } }`, code: "COMPLEXITY_LIMIT"},
		"depth 300":               {query: `{ book { ` + chain(300) + ` } }`, code: "COMPLEXITY_LIMIT"},
		"51 aliases":              {query: `{ book { ` + aliases.String() + ` } }`, code: "COMPLEXITY_LIMIT"},
		"fragments without end":   {query: "{ book { ...f0 } }\n" + bomb.String() + "fragment f24 on Book { title }", code: "COMPLEXITY_LIMIT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// gqlgen's own validation isn't in question here, and it takes long
			// over fragments without end.
			r := post(t, library(t).serving(), teamAdmin, c.query, c.variables)
			require.Equal(t, c.code, r.code(), r.text)
			if c.code != "" {
				require.Nil(t, r.Data)
				require.NotEmpty(t, r.Errors[0].Message)
				return
			}
			require.Equal(t, map[string]any{"requested": float64(c.cost), "limit": float64(20_000)}, r.Extensions["cost"])
		})
	}
}

// The cost is never below what a page really holds, and never overflows.
func TestCostNeverOverflows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64Range(0, endless).Draw(t, "a"), rapid.Int64Range(0, endless).Draw(t, "b")
		sum, product := plus(a, b), multiply(a, b)
		if sum < a || sum < b || sum > endless {
			t.Fatalf("%d + %d = %d", a, b, sum)
		}
		if product < 0 || product > endless || (a > 0 && b > 0 && product < max(a, b)) {
			t.Fatalf("%d × %d = %d", a, b, product)
		}
	})
}

func FuzzPlan(f *testing.F) {
	for _, q := range []string{
		`{ book { title } }`, `query($n: Int = 1) { books(first: $n, where: {not: {price: "1"}}) { edges { node { id } } } }`,
		`{ thing { ... on Book { price } } find { ... on Author { name } } }`, `{ __schema { types { name } } }`,
		`mutation { bookAdd(input: {title: "a"}) { book { id } } }`, `{ ...f } fragment f on Query { vault }`,
	} {
		f.Add(q)
	}
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: librarySDL})
	rev, err := compile(with(f, map[string]string{"coverage.json": libraryCoverage}), schema)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query string) {
		doc, errs := gqlparser.LoadQueryWithRules(schema, query, nil)
		if errs != nil {
			t.Skip()
		}
		for _, op := range doc.Operations {
			p := rev.planOf(schema, op)
			for _, touched := range p.touches {
				require.NotEmpty(t, rev.coverage.class(touched.bit).name)
				require.NotZero(t, p.classes&(1<<touched.bit))
			}
			cost, err := p.cost.of(nil, 100)
			require.True(t, err != nil || (cost >= 0 && cost <= endless))
		}
	})
}
