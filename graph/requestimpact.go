package graph

import (
	"context"
	"net/url"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	entmodel "github.com/alchemi/cockpit/ent/model"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/ent/usageday"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// measuredDays are those that the average cost of a seat is of.
const measuredDays = 30

// accessImpact is what giving access would mean, for who may decide on it.
func (r *Resolver) accessImpact(ctx context.Context, row *ent.Request) (*model.AccessImpact, error) {
	if ok, err := r.decidableOpen(ctx, row); err != nil || !ok || row.Kind != entrequest.KindACCESS {
		return nil, err
	}
	s, err := from(ctx).requests.places.Load(ctx, row.ScopeID)
	if err != nil {
		return nil, err
	}
	t, err := r.Grants.Table(ctx, row.AccountID, tenancy.Plane(row.Plane))
	if err != nil {
		return nil, err
	}
	out := &model.AccessImpact{}
	v := t.Holds(row.ResourceID, grant.AuthorityOf(tenancy.ViewerFrom(ctx), s.Path), r.Store.Now())
	if out.Holds = v.Allowed(); !out.Holds {
		out.Reason = v.Reason()
	}
	ctx = tenancy.System(ctx, "whoever decides on a request is told what it means, in numbers")
	below := r.Store.Scope.Query().Where(scope.AccountID(s.AccountID), scope.KindEQ(scope.KindMEMBER), scope.DeletedAtIsNil())
	below.WhereP(func(q *sql.Selector) { q.Where(startsWith(q.C(scope.FieldPath), s.Path)) })
	if out.People, err = below.Count(ctx); err != nil {
		return nil, err
	}
	switch k, _ := grant.KindOf(row.ResourceID); k {
	case grant.Model:
		err = r.modelImpact(ctx, row, out)
	case grant.Connection:
		err = r.connectionImpact(ctx, row.ResourceID, tool.ConnectionID(row.ResourceID), out)
	case grant.Tool:
		var of *ent.Tool
		if of, err = r.Store.Tool.Get(ctx, row.ResourceID); err == nil {
			err = r.connectionImpact(ctx, of.ConnectionID, tool.ID(of.ID), out)
		}
	case grant.Agent:
	}
	if ent.IsNotFound(err) {
		err = nil // gone by now, which the decision will be told
	}
	return out, err
}

// modelImpact tells how dear a model is, and what seats spent on it.
func (r *Resolver) modelImpact(ctx context.Context, row *ent.Request, out *model.AccessImpact) error {
	m, err := r.Store.Model.Query().Where(entmodel.ID(row.ResourceID)).WithCatalogModel().Only(ctx)
	if err != nil {
		return err
	}
	if cm := m.Edges.CatalogModel; cm != nil {
		class := string(cm.Capability)
		out.PriceClass = &class
	}
	amount := usageday.FieldCost
	if row.Plane == entrequest.PlaneCOPILOT {
		amount = usageday.FieldCredits
	}
	var spent []struct {
		MemberID string `json:"member_id"`
		Sum      int64  `json:"sum"`
	}
	since := int(r.Store.Now().Add(-measuredDays*24*time.Hour).Unix() / 86_400)
	if err := r.Store.UsageDay.Query().Where(usageday.AccountID(row.AccountID), usageday.PlaneEQ(usageday.Plane(row.Plane)), usageday.ModelID(row.ResourceID),
		usageday.DayGT(since), usageday.MemberIDNEQ("")).GroupBy(usageday.FieldMemberID).Aggregate(ent.As(ent.Sum(amount), "sum")).Scan(ctx, &spent); err != nil {
		return err
	}
	total := money.Nano(0)
	for _, s := range spent {
		if total, err = money.Add(total, money.Nano(s.Sum)); err != nil {
			return err
		}
	}
	if out.SeatsMeasured = len(spent); len(spent) > 0 {
		average := total / money.Nano(len(spent))
		out.AverageCost = &average
	}
	return nil
}

// connectionImpact tells where data goes, and what the tools may do there.
func (r *Resolver) connectionImpact(ctx context.Context, connectionID string, which func(*sql.Selector), out *model.AccessImpact) error {
	c, err := r.Store.Connection.Query().Where(connection.ID(connectionID)).Only(ctx)
	if err != nil {
		return err
	}
	kind := string(c.Kind)
	out.ConnectionKind = &kind
	if u, err := url.Parse(c.URL); err == nil && u.Hostname() != "" {
		host := u.Hostname()
		out.Host = &host
	}
	q := r.Store.Tool.Query()
	q.WhereP(which)
	tools, err := q.All(ctx)
	if err != nil {
		return err
	}
	for _, t := range tools {
		out.Tools++
		if writes(t.Definition) {
			out.WritingTools++
		}
	}
	return nil
}
