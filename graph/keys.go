package graph

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func keyState(k *ent.Key, now time.Time) model.KeyState {
	switch {
	case k.RevokedAt != nil:
		return model.KeyStateRevoked
	case k.ExpiresAt != nil && !now.Before(*k.ExpiresAt):
		return model.KeyStateExpired
	}
	return model.KeyStateActive
}

func keyModels(k *ent.Key) []*model.Model {
	out := []*model.Model{}
	for _, m := range k.Edges.Models {
		if m.Edges.Model != nil {
			out = append(out, toModel(m.Edges.Model))
		}
	}
	slices.SortFunc(out, func(a, b *model.Model) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (r *Resolver) ownerOf(ctx context.Context, k *model.Key) (model.Scope, error) {
	s, err := from(ctx).scopes.Load(ctx, *k.ParentID)
	if err != nil {
		return nil, err
	}
	return toScope(s)
}

// limitsOf lists the budgets on a path that the viewer sees, leaf first.
func limitsOf(ctx context.Context, path string) ([]*model.Budget, error) {
	ids := strings.Split(strings.Trim(path, "/"), "/")
	slices.Reverse(ids)
	out := []*model.Budget{}
	for _, scopeID := range ids[:len(ids)-1] {
		b, err := budgetOf(ctx, scopeID)
		if err != nil {
			return nil, err
		}
		if b != nil {
			out = append(out, b)
		}
	}
	return out, nil
}

func (r *Resolver) keyCreate(ctx context.Context, in model.KeyCreateInput) (*model.Key, string, error) {
	owner, err := r.Store.Scope.Get(ctx, in.OwnerID)
	if ent.IsNotFound(err) {
		e := fault.Missing("owner")
		e.Path = []string{"ownerId"}
		return nil, "", e
	}
	if err != nil {
		return nil, "", err
	}
	rpm := 0
	if in.RequestsPerMinute != nil {
		rpm = *in.RequestsPerMinute
	}
	var made *ent.Scope
	var secret string
	err = r.underLeave(tenancy.InPlane(ctx, tenancy.Plane(owner.Plane)), []leave{need(access.KeyCreate, owner)}, func(ctx context.Context, tx *store.Tx) error {
		_, s, token, err := identity.CreateKey(ctx, tx, r.Store.Now(), identity.KeyInput{Name: in.Name, Owner: owner,
			ModelIDs: in.ModelIds, RequestsPerMinute: rpm, ExpiresAt: in.ExpiresAt})
		if err != nil {
			return err
		}
		made, secret = s, token
		e := event("key.create", s)
		if in.Limit != nil {
			if _, err := r.Budgets.Set(ctx, tx, s.ID, budget.Spec{Limit: *in.Limit}); err != nil {
				return err
			}
			e.Changes = map[string]audit.Change{"limit": {After: in.Limit.String()}}
		}
		return tx.Audit(ctx, e)
	})
	if err != nil {
		return nil, "", err
	}
	return toKey(made), secret, nil
}

func (r *Resolver) keyRevoke(ctx context.Context, in model.KeyRevokeInput) (*model.Key, error) {
	s, err := r.Store.Scope.Get(ctx, in.KeyID)
	if ent.IsNotFound(err) || (err == nil && tenancy.Kind(s.Kind) != tenancy.KindKey) {
		return nil, fault.Missing("key")
	}
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx, access.KeyRevoke, ref(s)); err != nil {
		return nil, err
	}
	err = r.Store.InTx(tenancy.InPlane(ctx, tenancy.Plane(s.Plane)), func(ctx context.Context, tx *store.Tx) error {
		k, err := tx.Key.Get(ctx, s.ID)
		if err != nil {
			return err
		}
		if k.RevokedAt != nil {
			return fault.At("keyId", "The key was revoked already.")
		}
		if err := k.Update().SetRevokedAt(r.Store.Now()).Exec(ctx); err != nil {
			return err
		}
		return tx.Audit(ctx, event("key.revoke", s))
	})
	if err != nil {
		return nil, err
	}
	return toKey(s), nil
}

// event is an act on a scope itself.
func event(action string, s *ent.Scope) audit.Event {
	return audit.Event{Action: action, AccountID: s.AccountID, Plane: tenancy.Plane(s.Plane),
		ScopeID: s.ID, ScopePath: s.Path, TargetID: s.ID, TargetName: s.Name}
}

func chargeLocation(ctx context.Context, c *model.Charge) (string, error) {
	path := c.Ref.Path
	for _, leaf := range []string{c.KeyID, c.MemberID} {
		if leaf != "" {
			path = strings.TrimSuffix(path, leaf+"/")
		}
	}
	return label(ctx, path)
}
