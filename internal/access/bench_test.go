package access

import (
	"context"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"

	"github.com/alchemi/cockpit/internal/tenancy"
)

const budgetsPage = `query Budgets($first: Int!, $filter: UsageFilter!) {
	viewer { account { id name } roles { role kind scopeId label } }
	console {
		budget { id limit state { spent held remaining status } }
		scopes(first: $first) { edges { node { id name kind parentId budget { id limit version state { spent held remaining usedPercent forecast status } } viewerCan { action allowed reason } } } pageInfo { hasNextPage endCursor } }
		usage(filter: $filter, groupBy: TEAM) { total { amount calls } rows { id name share totals { amount } } days { day amount } }
	}
}`

func benchmark(b *testing.B, v *tenancy.Viewer) {
	e, err := New(productSchema(b))
	require.NoError(b, err)
	doc, errs := gqlparser.LoadQueryWithRules(e.schema, budgetsPage, nil)
	require.Nil(b, errs)
	ctx := tenancy.WithViewer(context.Background(), v)
	oc := &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], Variables: map[string]any{
		"first": int64(100), "filter": map[string]any{"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"},
	}}
	b.ReportAllocs()
	for b.Loop() {
		if err := e.MutateOperationContext(ctx, oc); err != nil {
			b.Fatal(err)
		}
	}
}

// One operation of the UI's budgets page, plan and subject class known.
func BenchmarkOperation(b *testing.B) { benchmark(b, teamAdmin) }

// One action at a node, asked before.
func BenchmarkCheck(b *testing.B) {
	e, err := New(productSchema(b))
	require.NoError(b, err)
	ctx := person(role(tenancy.Admin, tenancy.KindOrganization, orgNode.Path), role(tenancy.Seatholder, tenancy.KindMember, seatNode.Path))
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Check(ctx, BudgetSet, teamNode); err != nil {
			b.Fatal(err)
		}
	}
}

// One action at a node for a set of roles never seen before.
func BenchmarkAskPolicies(b *testing.B) {
	e, err := New(productSchema(b))
	require.NoError(b, err)
	q := question{action: BudgetSet, kind: tenancy.UserViewer, level: "TEAM", plane: tenancy.Console, holds: "ADMIN ORGANIZATION ABOVE"}
	for b.Loop() {
		e.rev.Load().answers.Purge()
		if _, err := e.rev.Load().ask(context.Background(), q); err != nil {
			b.Fatal(err)
		}
	}
}

// Making an engine: compiling the policies and joining them with the schema.
func BenchmarkLoad(b *testing.B) {
	schema := productSchema(b)
	for b.Loop() {
		if _, err := New(schema); err != nil {
			b.Fatal(err)
		}
	}
}
