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
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Tool is a tool as callers see it.
type Tool struct {
	ID string
	// Name is unique in the account: "connection__tool".
	Name       string
	Definition connections.Definition
	// Digest is of the definition that was approved.
	Digest string
	Price  money.Nano
	// Connection says what it is called and how it signs in, and nothing else.
	Connection *ent.Connection
}

// shelf has all tools of an account that could be called, whoever may; it is
// read once an epoch. Grants and the connection decide anew with every call.
type shelf struct {
	epoch  int64
	items  []*Tool // by name
	byName map[string]*Tool
}

// Shelves knows from memory which tools there are, and whose they are: the one
// answer for the gateway and for lists.
type Shelves struct {
	store  *store.Store
	epochs *store.Epochs
	grants *grant.Grants
	mu     sync.RWMutex
	of     map[string]*shelf
}

// maxShelves is when all are dropped from memory.
const maxShelves = 1000

// NewShelves makes the one Shelves of a server.
func NewShelves(st *store.Store, epochs *store.Epochs, grants *grant.Grants) *Shelves {
	return &Shelves{store: st, epochs: epochs, grants: grants, of: map[string]*shelf{}}
}

// Usable lists the tools that a scope of Copilot may use now, in the order of
// their names.
func (s *Shelves) Usable(ctx context.Context, accountID, path string) ([]*Tool, error) {
	all, err := s.shelf(ctx, accountID)
	if err != nil {
		return nil, err
	}
	table, err := s.grants.Table(ctx, accountID, tenancy.Copilot)
	if err != nil {
		return nil, err
	}
	now, out := s.store.Now(), []*Tool{}
	for _, t := range all.items {
		if table.Ask(t.ID, path, now).Allowed() {
			out = append(out, t)
		}
	}
	return out, nil
}

func (s *Shelves) shelf(ctx context.Context, accountID string) (*shelf, error) {
	epoch := s.epochs.Of(accountID) // before the rows that it vouches for
	s.mu.RLock()
	found := s.of[accountID]
	s.mu.RUnlock()
	if found != nil && found.epoch == epoch {
		return found, nil
	}
	found, err := s.stock(ctx, accountID)
	if err != nil {
		return nil, err
	}
	found.epoch = epoch
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.of) >= maxShelves {
		clear(s.of)
	}
	s.of[accountID] = found
	return found, nil
}

func (s *Shelves) stock(ctx context.Context, accountID string) (*shelf, error) {
	ctx = tenancy.System(ctx, "those who are granted a tool don't see its row; the grants are asked before it is shown")
	rows, err := s.store.Tool.Query().Where(tool.AccountID(accountID), tool.StateEQ(tool.StateAPPROVED), tool.Enabled(true),
		tool.HasConnectionWith(connection.StatusEQ(connection.StatusACTIVE))).
		WithConnection(func(q *ent.ConnectionQuery) {
			q.Select(connection.FieldAccountID, connection.FieldName, connection.FieldIcon, connection.FieldKind, connection.FieldURL,
				connection.FieldAuth, connection.FieldAuthName, connection.FieldCredential)
		}).
		Order(tool.ByID()).All(ctx)
	if err != nil {
		return nil, err
	}
	out := &shelf{byName: make(map[string]*Tool, len(rows))}
	for _, row := range rows {
		t := &Tool{ID: row.ID, Name: connections.CallName(row.Edges.Connection.Name, row.Name, row.ID), Digest: row.Digest,
			Price: money.Nano(row.Price), Connection: row.Edges.Connection}
		if err := json.Unmarshal(row.Definition, &t.Definition); err != nil {
			continue // approved before definitions had this form
		}
		if out.byName[t.Name] != nil {
			t.Name = connections.Marked(t.Name, row.ID)
		}
		out.byName[t.Name] = t
		out.items = append(out.items, t)
	}
	slices.SortFunc(out.items, func(a, b *Tool) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
