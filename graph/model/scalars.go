// Package model holds the Go types of the GraphQL schema: scalars by hand,
// the rest generated.
package model

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Amount, USD and Credits share one form on the wire: an exact decimal string.

// MarshalAmount writes the exact decimal string of an amount.
func MarshalAmount(n money.Nano) graphql.Marshaler { return graphql.MarshalString(n.String()) }

// UnmarshalAmount reads a decimal string, or a whole JSON number.
func UnmarshalAmount(v any) (money.Nano, error) {
	text := ""
	switch v := v.(type) {
	case string:
		text = v
	case json.Number:
		text = v.String()
	case int64:
		text = strconv.FormatInt(v, 10)
	case int:
		text = strconv.Itoa(v)
	}
	n, err := money.Parse(text)
	if err != nil {
		return 0, fault.New(fault.BadInput, "An amount is a decimal such as \"12.5\", of at most nine billion and nine decimals.")
	}
	return n, nil
}

// MarshalPercent writes a share with one decimal.
func MarshalPercent(f float64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64))
	})
}

// UnmarshalPercent reads a number.
func UnmarshalPercent(v any) (float64, error) { return graphql.UnmarshalFloat(v) }

// Node is anything with an id of its own.
type Node interface{ IsNode() }

// Ref is where a scope's node stands in the tree; resolvers read by it.
type Ref struct {
	ID        string
	AccountID string
	Plane     tenancy.Plane
	Kind      tenancy.Kind
	Path      string
	// OwnerID is the person who answers for an agent.
	OwnerID string
}

// Counter counts a whole list, asked only when totalCount is selected.
type Counter func(context.Context) (int, error)
