package mcp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// maxName is the longest name that models' providers take for a tool.
const maxName = 64

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
		i := &item{toolID: t.ID, name: nameOf(t.Edges.Connection.Name, t.Name, t.ID), price: money.Nano(t.Price)}
		if err := json.Unmarshal(t.Definition, &i.definition); err != nil {
			continue // approved before definitions had this form
		}
		if s.byName[i.name] != nil {
			i.name = marked(i.name, t.ID)
		}
		s.byName[i.name] = i
		s.items = append(s.items, i)
	}
	slices.SortFunc(s.items, func(a, b *item) int { return strings.Compare(a.name, b.name) })
	return s, nil
}

// nameOf is how callers name a tool. One whose own name has other letters, or is
// too long, is marked, so that it can't be taken for another.
func nameOf(connectionName, toolName, toolID string) string {
	plain := true
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		plain = false
		return '_'
	}, connectionName+"__"+toolName)
	if plain && len(name) <= maxName {
		return name
	}
	return marked(name, toolID)
}

// marked ends a name in what only this tool has.
func marked(name, toolID string) string {
	sum := sha256.Sum256([]byte(toolID))
	mark := "_" + hex.EncodeToString(sum[:4])
	return name[:min(len(name), maxName-len(mark))] + mark
}
