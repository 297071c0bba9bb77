package catalog

import (
	"context"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Default is the model of calls that name none, and the scope that says so.
type Default struct{ ModelID, ScopeID string }

// DefaultOf is the default of a scope, given by its path: its own or that of the
// nearest scope above; false where none is set.
func (c *Catalog) DefaultOf(ctx context.Context, accountID string, plane tenancy.Plane, path string) (Default, bool, error) {
	s, err := c.snapshot(ctx, accountID, plane)
	if err != nil {
		return Default{}, false, err
	}
	d, ok := s.defaultAt(path)
	return d, ok, nil
}

// DefaultRoute is where calls go that name no model; false where no default is
// set, or the one that is set can't be called.
func (c *Catalog) DefaultRoute(ctx context.Context, accountID string, plane tenancy.Plane, path string) (Route, bool, error) {
	s, err := c.snapshot(ctx, accountID, plane)
	if err != nil {
		return Route{}, false, err
	}
	if d, ok := s.defaultAt(path); ok {
		for _, r := range s.routes {
			if r.ModelID == d.ModelID {
				return c.at(r, plane), true, nil
			}
		}
	}
	return Route{}, false, nil
}

// defaultAt walks a path from its end up.
func (s *snapshot) defaultAt(path string) (Default, bool) {
	for rest := strings.TrimSuffix(path, "/"); len(s.defaults) > 0 && rest != ""; {
		cut := strings.LastIndexByte(rest, '/')
		if m := s.defaults[rest[cut+1:]]; m != "" {
			return Default{m, rest[cut+1:]}, true
		}
		if cut < 0 {
			break
		}
		rest = rest[:cut]
	}
	return Default{}, false
}

func (c *Catalog) defaults(ctx context.Context, accountID string, plane tenancy.Plane) (map[string]string, error) {
	rows, err := c.store.Scope.Query().Where(scope.AccountID(accountID), scope.PlaneEQ(scope.Plane(plane)),
		scope.DefaultModelIDNotNil(), scope.DeletedAtIsNil()).Select(scope.FieldID, scope.FieldDefaultModelID).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(rows))
	for _, s := range rows {
		out[s.ID] = *s.DefaultModelID
	}
	return out, nil
}

// SetDefaultModel sets which model calls from a scope and below it use that name
// none; "" lets the scope inherit again. The caller has checked that the viewer
// may. Grants decide as for any model.
func (c *Catalog) SetDefaultModel(ctx context.Context, tx *store.Tx, at *ent.Scope, modelID string) (*ent.Scope, error) {
	switch at.Kind {
	case scope.KindCONSOLE, scope.KindCOPILOT, scope.KindORGANIZATION, scope.KindTEAM, scope.KindMEMBER, scope.KindKEY:
	default:
		return nil, fault.At("scopeId", "A default model is set at a plane, an organization, a team, a member or a key.")
	}
	u, name := tx.Scope.UpdateOneID(at.ID).ClearDefaultModelID(), ""
	if modelID != "" {
		m, err := tx.Model.Get(ctx, modelID)
		if err != nil || m.AccountID != at.AccountID || string(m.Plane) != string(at.Plane) {
			return nil, hiddenOr(err, "model")
		}
		u, name = tx.Scope.UpdateOneID(at.ID).SetDefaultModelID(m.ID), m.Name
	}
	s, err := u.Save(ctx)
	if err != nil {
		return nil, hidden(err, "scope")
	}
	e := event("defaultModel.set", at, at.ID, at.Name)
	e.Changes = map[string]audit.Change{"defaultModel": {After: name}}
	return s, tx.Audit(ctx, e)
}

// hiddenOr is hidden, and Missing where there was no error but the wrong row.
func hiddenOr(err error, noun string) error {
	if err != nil {
		return hidden(err, noun)
	}
	return fault.Missing(noun)
}

// DefaultIn is DefaultOf as a transaction sees it; empty where none is set.
func DefaultIn(ctx context.Context, tx *store.Tx, at *ent.Scope) (Default, error) {
	path := strings.Split(strings.Trim(at.Path, "/"), "/")
	rows, err := tx.Scope.Query().Where(scope.IDIn(path...), scope.DefaultModelIDNotNil()).
		All(tenancy.System(ctx, "the defaults of the scopes above"))
	if err != nil {
		return Default{}, err
	}
	s := snapshot{defaults: map[string]string{}}
	for _, row := range rows {
		s.defaults[row.ID] = *row.DefaultModelID
	}
	d, _ := s.defaultAt(at.Path)
	return d, nil
}
