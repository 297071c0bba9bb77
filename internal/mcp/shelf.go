package mcp

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// item is a tool as callers see it.
type item struct {
	toolID string
	// name is unique in the account: "connection__tool".
	name       string
	definition connections.Definition
	price      money.Nano
}

// shelf has all tools of an account that could be called, whoever may; it is
// read once an epoch. Grants and the connection decide anew with every call.
type shelf struct {
	epoch  int64
	items  []*item // by name
	byName map[string]*item
}

type shelves struct {
	mu sync.RWMutex
	of map[string]*shelf
}

// maxShelves is when all are dropped from memory.
const maxShelves = 1000

func (g *Gateway) shelf(ctx context.Context, accountID string) (*shelf, error) {
	epoch := g.Epochs.Of(accountID) // before the rows that it vouches for
	g.shelves.mu.RLock()
	s := g.shelves.of[accountID]
	g.shelves.mu.RUnlock()
	if s != nil && s.epoch == epoch {
		return s, nil
	}
	s, err := g.stock(ctx, accountID)
	if err != nil {
		return nil, err
	}
	s.epoch = epoch
	g.shelves.mu.Lock()
	defer g.shelves.mu.Unlock()
	if len(g.shelves.of) >= maxShelves {
		clear(g.shelves.of)
	}
	g.shelves.of[accountID] = s
	return s, nil
}

func (g *Gateway) stock(ctx context.Context, accountID string) (*shelf, error) {
	ctx = tenancy.System(ctx, "those who are granted a tool don't see its row; the grants are asked before it is shown")
	rows, err := g.Store.Tool.Query().Where(tool.AccountID(accountID), tool.StateEQ(tool.StateAPPROVED), tool.Enabled(true),
		tool.HasConnectionWith(connection.StatusEQ(connection.StatusACTIVE))).
		WithConnection(func(q *ent.ConnectionQuery) { q.Select(connection.FieldName) }).
		Order(tool.ByID()).All(ctx)
	if err != nil {
		return nil, err
	}
	s := &shelf{byName: make(map[string]*item, len(rows))}
	for _, t := range rows {
		i := &item{toolID: t.ID, name: connections.CallName(t.Edges.Connection.Name, t.Name, t.ID), price: money.Nano(t.Price)}
		if err := json.Unmarshal(t.Definition, &i.definition); err != nil {
			continue // approved before definitions had this form
		}
		if s.byName[i.name] != nil {
			i.name = connections.Marked(i.name, t.ID)
		}
		s.byName[i.name] = i
		s.items = append(s.items, i)
	}
	slices.SortFunc(s.items, func(a, b *item) int { return strings.Compare(a.name, b.name) })
	return s, nil
}
