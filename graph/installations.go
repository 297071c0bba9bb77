package graph

import (
	"context"
	"slices"
	"strings"

	"github.com/vikstrous/dataloadgen"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/listing"
	entmodel "github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/marketplace"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// newInstallationLoader reads what the viewer's account made of listings, for a
// whole page of them at once.
func (r *Resolver) newInstallationLoader() *dataloadgen.Loader[string, []*model.Installation] {
	return loader(func(ctx context.Context, ids []string) (map[string][]*model.Installation, error) {
		v := tenancy.ViewerFrom(ctx)
		if v == nil || v.Platform {
			return map[string][]*model.Installation{}, nil
		}
		ctx = tenancy.System(ctx, "people know of what is installed around them, and are told whether they may use it")
		w := &installations{r: r, v: v, out: map[string][]*model.Installation{}}
		for _, read := range []func(context.Context, []string) error{w.prepare, w.models, w.agents, w.connections} {
			if err := read(ctx, ids); err != nil {
				return nil, err
			}
		}
		return w.out, w.place(ctx)
	})
}

type installations struct {
	r        *Resolver
	v        *tenancy.Viewer
	table    *grant.Table
	seats    []string // paths of the viewer's own
	listings map[string]*ent.Listing
	sources  map[string][]*ent.Listing
	root     *ent.Scope
	out      map[string][]*model.Installation
	owners   map[*model.Installation]string
}

func (w *installations) prepare(ctx context.Context, ids []string) (err error) {
	w.listings, w.sources, w.owners = map[string]*ent.Listing{}, map[string][]*ent.Listing{}, map[*model.Installation]string{}
	for _, held := range w.v.Roles {
		if held.Role == tenancy.Seatholder && held.Plane == tenancy.Copilot {
			w.seats = append(w.seats, held.Path)
		}
	}
	if w.table, err = w.r.Grants.Table(ctx, w.v.AccountID, tenancy.Copilot); err != nil {
		return err
	}
	if w.root, err = maybe(w.r.Store.Scope.Query().Where(scope.AccountID(w.v.AccountID), scope.KindEQ(scope.KindCOPILOT)).Only(ctx)); err != nil {
		return err
	}
	rows, err := w.r.Store.Listing.Query().Where(listing.IDIn(ids...), listing.AccountIDIn(id.PlatformID, w.v.AccountID)).All(ctx)
	for _, l := range rows {
		w.listings[l.ID] = l
		if l.SourceID != "" {
			w.sources[l.SourceID] = append(w.sources[l.SourceID], l)
		}
	}
	return err
}

func (w *installations) sourceIDs() (out []string) {
	for sourceID := range w.sources {
		out = append(out, sourceID)
	}
	return out
}

// add takes something in; a source besides what it was itself installed from.
func (w *installations) add(resourceID, name, owner, listingID string, version int) {
	for _, l := range w.sources[resourceID] {
		w.put(&model.Installation{ResourceID: resourceID, Name: name, ScopeID: owner, Original: true, Version: l.PublishedVersion}, owner, l.ID)
	}
	if l := w.listings[listingID]; l != nil {
		w.put(&model.Installation{ResourceID: resourceID, Name: name, ScopeID: owner, Version: version, Outdated: version < l.PublishedVersion}, owner, l.ID)
	}
}

func (w *installations) put(i *model.Installation, owner, listingID string) {
	w.owners[i] = owner
	w.out[listingID] = append(w.out[listingID], i)
}

func (w *installations) models(ctx context.Context, _ []string) error {
	by := map[string]string{}
	var ids []string
	for _, l := range w.listings {
		if l.CatalogModelID != nil {
			by[*l.CatalogModelID], ids = l.ID, append(ids, *l.CatalogModelID)
		}
	}
	if len(ids) == 0 || w.root == nil {
		return nil
	}
	rows, err := w.r.Store.Model.Query().Where(entmodel.AccountID(w.v.AccountID), entmodel.CatalogModelIDIn(ids...), entmodel.StatusEQ(entmodel.StatusACTIVE)).All(ctx)
	for _, m := range rows {
		w.put(&model.Installation{ResourceID: m.ID, Name: m.Name, ScopeID: w.root.ID}, w.root.ID, by[*m.CatalogModelID])
	}
	return err
}

func (w *installations) agents(ctx context.Context, ids []string) error {
	rows, err := w.r.Store.Agent.Query().Where(agent.AccountID(w.v.AccountID), agent.Or(agent.ListingIDIn(ids...), agent.IDIn(w.sourceIDs()...)), agent.AvailabilityNEQ(agent.AvailabilityRETIRED)).
		Order(ent.Asc(agent.FieldID)).Limit(1000).All(ctx)
	if err != nil {
		return err
	}
	scopes, err := w.r.Store.Scope.Query().Where(scope.IDIn(mapTo(rows, func(a *ent.Agent) string { return a.ID })...), scope.DeletedAtIsNil()).All(ctx)
	named, err := index(scopes, err, func(s *ent.Scope) string { return s.ID })
	for _, a := range rows {
		if s := named[a.ID]; s != nil {
			w.add(a.ID, s.Name, *s.ParentID, a.ListingID, a.ListingVersion)
		}
	}
	return err
}

func (w *installations) connections(ctx context.Context, ids []string) error {
	rows, err := w.r.Store.Connection.Query().Where(connection.AccountID(w.v.AccountID), connection.Or(connection.ListingIDIn(ids...), connection.IDIn(w.sourceIDs()...)), connection.StatusEQ(connection.StatusACTIVE)).
		Order(ent.Asc(connection.FieldID)).Limit(1000).All(ctx)
	for _, c := range rows {
		w.add(c.ID, c.Name, c.ScopeID, c.ListingID, c.ListingVersion)
	}
	return err
}

// place says where each belongs and whether the viewer may use it, and leaves
// out what they shall not know of.
func (w *installations) place(ctx context.Context) error {
	var ids []string
	for _, owner := range w.owners {
		ids = append(ids, owner)
	}
	scopes, err := w.r.Store.Scope.Query().Where(scope.IDIn(ids...)).All(ctx)
	at, err := index(scopes, err, func(s *ent.Scope) string { return s.ID })
	if err != nil {
		return err
	}
	for listingID, all := range w.out {
		w.out[listingID] = slices.DeleteFunc(all, func(i *model.Installation) bool {
			s := at[w.owners[i]]
			return s == nil || !w.known(i, s, w.listings[listingID])
		})
	}
	return nil
}

func (w *installations) known(i *model.Installation, s *ent.Scope, l *ent.Listing) bool {
	i.ScopeName, i.Ref = s.Name, ref(s)
	for _, seat := range w.seats {
		verdict := w.table.Ask(i.ResourceID, seat, w.r.Store.Now())
		if verdict.Allowed() {
			i.Usable, i.Reason = true, ""
			break
		}
		i.Reason = verdict.Reason()
	}
	return i.Usable || w.v.Reaches(s.Path) || marketplace.Around(w.v, s.Path) || i.Original && l.Status == listing.StatusPUBLISHED
}

func (r *Resolver) installationsOf(ctx context.Context, l *ent.Listing) ([]*model.Installation, error) {
	found, err := maybe(from(ctx).installations.Load(ctx, l.ID))
	if found == nil {
		found = []*model.Installation{}
	}
	return found, err
}

func (r *Resolver) canInstallation(ctx context.Context, i *model.Installation) ([]*model.ViewerPermission, error) {
	switch {
	case i.Original:
		return []*model.ViewerPermission{}, nil
	case strings.HasPrefix(i.ResourceID, string(id.Model)+"_"):
		return r.can(ctx, i.Ref, []access.Action{access.ModelUninstall})
	}
	return r.can(ctx, i.Ref, []access.Action{access.ListingInstall})
}

// reviewOf is what publishing the version that waits reaches, for whoever may
// review it.
func (r *Resolver) reviewOf(ctx context.Context, l *ent.Listing) (*model.ListingReview, error) {
	needs, err := r.leaveToReview(ctx, l)
	if err != nil || r.allowed(ctx, needs) != nil {
		return nil, nil //nolint:nilerr // shown to reviewers alone
	}
	return r.reachOf(ctx, l)
}

func (r *Resolver) reachOf(ctx context.Context, l *ent.Listing) (*model.ListingReview, error) {
	ctx = tenancy.System(ctx, "whoever reviews a listing is told what it reaches, in names and numbers")
	reach, err := marketplace.ReachOf(ctx, r.Store.Client, l)
	if reach == nil || err != nil {
		return nil, err
	}
	out := &model.ListingReview{Number: reach.Version.Number, Models: filled(reach.Models), Tools: filled(reach.Tools), Host: reach.Host, Changes: toChanges(reach.Changes)}
	if out.SubmittedBy, err = maybe(from(ctx).requests.userNames.Load(ctx, reach.Version.CreatedBy)); err != nil || l.AccountID == id.PlatformID {
		return out, err
	}
	count := func(kinds ...scope.Kind) (int, error) {
		return r.Store.Scope.Query().Where(scope.AccountID(l.AccountID), scope.PlaneEQ(scope.PlaneCOPILOT), scope.KindIn(kinds...), scope.DeletedAtIsNil(), scope.ArchivedAtIsNil()).Count(ctx)
	}
	if out.Scopes, err = count(scope.KindORGANIZATION, scope.KindTEAM); err != nil {
		return nil, err
	}
	out.People, err = count(scope.KindMEMBER)
	return out, err
}

// leaveToReview is what a review needs.
func (r *Resolver) leaveToReview(ctx context.Context, l *ent.Listing) ([]leave, error) {
	if l.AccountID == id.PlatformID {
		return r.leaveFor(ctx, l)
	}
	root, err := r.ownRoot(ctx, tenancy.Copilot)
	return []leave{need(access.ListingReview, root)}, err
}

// publishImpact is what publishing reaches, for who may decide on its request.
func (r *Resolver) publishImpact(ctx context.Context, row *ent.Request) (*model.ListingReview, error) {
	if !id.Is(row.ResourceID, id.Listing) {
		return nil, nil
	}
	if ok, err := r.decidableOpen(ctx, row); err != nil || !ok {
		return nil, err
	}
	l, err := maybe(r.Store.Listing.Query().Where(listing.ID(row.ResourceID), listing.AccountID(row.AccountID)).Only(tenancy.System(ctx, "the listing that a request is about")))
	if l == nil || err != nil {
		return nil, err
	}
	return r.reachOf(ctx, l)
}

// mayRate tells whether the viewer has used a listing.
func (r *Resolver) mayRate(ctx context.Context, l *ent.Listing) (bool, error) {
	v := tenancy.ViewerFrom(ctx)
	if v == nil || v.Kind != tenancy.UserViewer || v.Platform || v.SupportID != "" || l.Status != listing.StatusPUBLISHED {
		return false, nil
	}
	return marketplace.Used(tenancy.System(ctx, "whether somebody has used what they would rate"), r.Store.Client, l, v.AccountID, v.UserID)
}
