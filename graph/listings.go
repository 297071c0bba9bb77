package graph

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/listingaccount"
	"github.com/alchemi/cockpit/ent/listingversion"
	"github.com/alchemi/cockpit/ent/rating"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/marketplace"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func filled(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func toListing(l *ent.Listing) *model.Listing {
	out := &model.Listing{ID: l.ID, Kind: model.ListingKind(l.Kind), Name: l.Name, Summary: l.Summary, Description: l.Description, Icon: l.Icon,
		Categories: filled(l.Categories), Tags: filled(l.Tags), Screenshots: filled(l.Screenshots), Capabilities: filled(l.Capabilities),
		Requirements: filled(l.Requirements), Status: model.ListingStatus(l.Status), ReviewNote: l.ReviewNote, Publisher: l.Publisher,
		OfPlatform: l.AccountID == id.PlatformID, Featured: l.Featured, Verified: l.Verified, PublishedVersion: l.PublishedVersion,
		RatingCount: int(l.RatingCount), InstallCount: int(l.InstallCount), Version: l.Version, CreatedAt: l.CreatedAt, Row: l}
	if l.SourceID != "" {
		out.SourceID = &l.SourceID
	}
	if l.RatingCount > 0 {
		stars := float64(l.RatingSum) / float64(l.RatingCount)
		out.Rating = &stars
	}
	return out
}

// listingByID finds a listing that the viewer sees: what their account lists or
// is offered, for platform staff what the platform lists.
func (r *Resolver) listingByID(ctx context.Context, listingID string) (*ent.Listing, error) {
	l, err := r.Store.Listing.Get(tenancy.Platform(ctx), listingID)
	v := tenancy.ViewerFrom(ctx)
	if ent.IsNotFound(err) || err == nil && (v == nil || l.AccountID != v.AccountID && l.AccountID != id.PlatformID) {
		return nil, fault.Missing("listing")
	}
	return l, err
}

// marketPage lists listings. Its orders aren't unique, and a marketplace is
// small: cursors count rows.
func (r *Resolver) marketPage(ctx context.Context, f *model.ListingFilter, order *model.ListingOrder, w window) (*model.ListingConnection, error) {
	n, backwards, err := w.size()
	if err != nil {
		return nil, err
	}
	if backwards || w.before != nil {
		return nil, fault.New(fault.BadInput, "The marketplace is read from its beginning, by first and after.")
	}
	after, err := cursor("after", w.after)
	if err != nil {
		return nil, err
	}
	skip := 0
	if after != "" {
		if skip, err = strconv.Atoi(after); err != nil || skip < 0 {
			return nil, fault.New(fault.BadInput, "after is no cursor of this list.")
		}
	}
	if f == nil {
		f = &model.ListingFilter{}
	}
	query, err := r.marketQuery(ctx, *f)
	if err != nil {
		return nil, err
	}
	by := listing.FieldID
	if order != nil && *order == model.ListingOrderInstalls {
		by = listing.FieldInstallCount
	}
	q := query().Order(ent.Desc(listing.FieldFeatured))
	if order != nil && *order == model.ListingOrderRating {
		q.Order(func(s *sql.Selector) {
			s.OrderExpr(sql.Expr("CASE WHEN " + s.C(listing.FieldRatingCount) + " = 0 THEN 0 ELSE " + s.C(listing.FieldRatingSum) + " * 1000 / " + s.C(listing.FieldRatingCount) + " END DESC"))
		})
	}
	rows, err := q.Order(ent.Desc(by), ent.Desc(listing.FieldID)).Offset(skip).Limit(n + 1).All(tenancy.Platform(ctx))
	if err != nil {
		return nil, err
	}
	info := &model.PageInfo{HasPreviousPage: skip > 0, HasNextPage: len(rows) > n}
	rows = rows[:min(n, len(rows))]
	out := &model.ListingConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(tenancy.Platform(ctx)) }, Edges: []*model.ListingEdge{}}
	for i, l := range rows {
		at := encode(strconv.Itoa(skip + i + 1))
		out.Edges = append(out.Edges, &model.ListingEdge{Node: toListing(l), Cursor: at})
		if i == 0 {
			info.StartCursor = &at
		}
		info.EndCursor = &at
	}
	return out, nil
}

func (r *Resolver) marketQuery(ctx context.Context, f model.ListingFilter) (func() *ent.ListingQuery, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	search := strings.ToLower(strings.TrimSpace(orEmpty(f.Search)))
	if len(search) > 100 {
		return nil, fault.New(fault.BadInput, "search has at most 100 characters.")
	}
	like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(search) + "%"
	return func() *ent.ListingQuery {
		q := r.Store.Listing.Query().Where(listing.AccountIDIn(id.PlatformID, v.AccountID))
		switch own := isTrue(f.Own); {
		case f.Status != nil:
			q.Where(listing.StatusEQ(listing.Status(*f.Status)))
		case !v.Platform && !own:
			q.Where(listing.StatusEQ(listing.StatusPUBLISHED))
		}
		if isTrue(f.Own) && !v.Platform {
			q.Where(listing.AccountID(v.AccountID))
			q.WhereP(func(s *sql.Selector) {
				s.Where(onScope(s, listing.FieldScopeID, func(column string) *sql.Predicate { return anyPrefix(column, administered(v)) }))
			})
		}
		if len(f.Kinds) > 0 {
			q.Where(listing.KindIn(mapTo(f.Kinds, func(k model.ListingKind) listing.Kind { return listing.Kind(k) })...))
		}
		if f.Category != nil {
			q.Where(inJSON(listing.FieldCategories, `%"`+strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(*f.Category))+`"%`))
		}
		if search != "" {
			q.Where(listing.Or(listing.NameContainsFold(search), listing.SummaryContainsFold(search), inJSON(listing.FieldTags, like)))
		}
		return q
	}, nil
}

// administered are the places that a viewer administers.
func administered(v *tenancy.Viewer) (paths []string) {
	for _, held := range v.Roles {
		if held.Role == tenancy.Admin {
			paths = append(paths, held.Path)
		}
	}
	return paths
}

// marketCategories are what the listings that the viewer sees are filed under.
func (r *Resolver) marketCategories(ctx context.Context) ([]string, error) {
	query, err := r.marketQuery(ctx, model.ListingFilter{})
	if err != nil {
		return nil, err
	}
	rows, err := query().Select(listing.FieldCategories).Limit(1000).All(tenancy.Platform(ctx))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, l := range rows {
		out = append(out, l.Categories...)
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return filled(out[:min(50, len(out))]), nil
}

// inJSON looks for a pattern in the words of a list's column.
func inJSON(column, like string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.Where(sql.P(func(b *sql.Builder) {
			b.WriteString("LOWER(CAST(").Ident(s.C(column)).WriteString(" AS TEXT)) LIKE ").Arg(like).WriteString(` ESCAPE '\'`)
		}))
	}
}

func (r *Resolver) versionsOf(ctx context.Context, l *ent.Listing) ([]*model.ListingVersion, error) {
	rows, err := r.Store.ListingVersion.Query().Where(listingversion.ListingID(l.ID)).Order(ent.Desc(listingversion.FieldNumber)).Limit(50).All(tenancy.Platform(ctx))
	return mapTo(rows, func(v *ent.ListingVersion) *model.ListingVersion {
		return &model.ListingVersion{ID: v.ID, Number: v.Number, Changelog: v.Changelog, Status: model.ListingStatus(v.Status), Payload: string(v.Payload),
			CreatedAt: v.CreatedAt, ReviewedAt: v.ReviewedAt}
	}), err
}

func (r *Resolver) ratingsOf(ctx context.Context, l *ent.Listing) ([]*model.Rating, error) {
	v, err := viewerOf(ctx)
	if err != nil || v.Platform {
		return []*model.Rating{}, err
	}
	rows, err := r.Store.Rating.Query().Where(rating.ListingID(l.ID)).Order(ent.Desc(rating.FieldUpdatedAt)).Limit(50).All(tenancy.InPlane(ctx, tenancy.Copilot))
	if err != nil {
		return nil, err
	}
	ids := mapTo(rows, func(r *ent.Rating) string { return r.UserID })
	people, err := r.Store.User.Query().Where(user.IDIn(ids...), user.AccountID(v.AccountID)).All(tenancy.System(ctx, "names of colleagues who rated"))
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, u := range people {
		names[u.ID] = u.Name
	}
	return mapTo(rows, func(row *ent.Rating) *model.Rating {
		return &model.Rating{ID: row.ID, Stars: row.Stars, Text: row.Text, Mine: row.UserID == v.UserID, Author: names[row.UserID], UpdatedAt: row.UpdatedAt}
	}), nil
}

func (r *Resolver) offerOfListing(ctx context.Context, l *ent.Listing) (*model.CatalogOffer, error) {
	if l.AccountID != id.PlatformID {
		return nil, nil
	}
	ctx = tenancy.Platform(ctx)
	out := &model.CatalogOffer{To: model.Eligibility(l.Eligibility), Accounts: []*model.Account{}}
	if l.Eligibility == listing.EligibilityALL {
		return out, nil
	}
	named, err := r.Store.ListingAccount.Query().Where(listingaccount.ListingID(l.ID)).All(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, a := range named {
		ids = append(ids, a.OfferedTo)
	}
	rows, err := r.Store.Account.Query().Where(account.IDIn(ids...)).Order(account.ByName()).All(ctx)
	out.Accounts = mapTo(rows, toAccount)
	return out, err
}

// canListing asks where the listing is at home, and for installing in Copilot.
func (r *Resolver) canListing(ctx context.Context, l *ent.Listing) ([]*model.ViewerPermission, error) {
	if v := tenancy.ViewerFrom(ctx); v != nil && v.Platform {
		return r.can(ctx, platformRef, []access.Action{access.PlatformListingManage})
	}
	out := []*model.ViewerPermission{}
	if l.AccountID != id.PlatformID {
		at, err := r.homeOfListing(ctx, l)
		if err != nil {
			return nil, err
		}
		if out, err = r.can(ctx, ref(at), []access.Action{access.ListingManage, access.ListingCreate}); err != nil {
			return nil, err
		}
	}
	more, err := r.canAtPlane(ctx, tenancy.Copilot, access.ListingReview)
	if err != nil {
		return nil, err
	}
	return append(append(out, more...), r.canSomewhere(ctx, tenancy.Copilot, access.ListingInstall)...), nil
}

func (r *Resolver) homeOfListing(ctx context.Context, l *ent.Listing) (*ent.Scope, error) {
	return r.Store.Scope.Get(tenancy.System(ctx, "the scope that a listing is at home at"), l.ScopeID)
}

// leaveFor is what a change of a listing needs.
func (r *Resolver) leaveFor(ctx context.Context, l *ent.Listing) ([]leave, error) {
	if l.AccountID == id.PlatformID {
		return []leave{needOfPlatform(access.PlatformListingManage)}, nil
	}
	at, err := r.homeOfListing(ctx, l)
	return []leave{need(access.ListingManage, at)}, err
}

// leaveToSubmit is what handing a listing in needs.
func (r *Resolver) leaveToSubmit(ctx context.Context, l *ent.Listing) ([]leave, error) {
	if l.AccountID == id.PlatformID {
		return r.leaveFor(ctx, l)
	}
	at, err := r.homeOfListing(ctx, l)
	return []leave{need(access.ListingCreate, at)}, err
}

// market has the marketplace's verbs.
func (r *Resolver) market() *marketplace.Market {
	return &marketplace.Market{Catalog: r.Catalog, Agents: r.Agents, Connections: r.Connections, Requests: r.Requests}
}

// changeListing runs a verb on a listing that the viewer sees and may change.
func (r *Resolver) changeListing(ctx context.Context, listingID string, verb func(ctx context.Context, tx *store.Tx, l *ent.Listing, by string) (*ent.Listing, error)) (*model.ListingPayload, error) {
	return r.onListing(ctx, listingID, false, r.leaveFor, verb)
}

// takingListing runs a verb that takes a listing from accounts, and tells what
// that does: to all that have it, or to all but those named.
func (r *Resolver) takingListing(ctx context.Context, listingID string, rehearse bool, but func() ([]string, bool), verb func(ctx context.Context, tx *store.Tx, l *ent.Listing) (*ent.Listing, error)) (*model.ListingPayload, error) {
	taken := marketplace.Taken{Accounts: []string{}}
	payload, err := r.onListing(ctx, listingID, rehearse, r.leaveFor, func(ctx context.Context, tx *store.Tx, l *ent.Listing, _ string) (_ *ent.Listing, err error) {
		if named, some := but(); some {
			if taken, err = marketplace.TakenFrom(ctx, tx, l, named); err != nil {
				return nil, err
			}
		}
		return verb(ctx, tx, l)
	})
	if err == nil && payload.Listing != nil {
		payload.Impact = &model.ListingImpact{Accounts: taken.Accounts, Installations: taken.Installations, Calls: taken.Calls, Credits: taken.Credits}
	}
	return payload, err
}

func (r *Resolver) onListing(ctx context.Context, listingID string, rehearse bool, needs func(context.Context, *ent.Listing) ([]leave, error), verb func(ctx context.Context, tx *store.Tx, l *ent.Listing, by string) (*ent.Listing, error)) (*model.ListingPayload, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	var out *ent.Listing
	err = func() error {
		l, err := r.listingByID(ctx, listingID)
		if err != nil {
			return err
		}
		leaves, err := needs(ctx, l)
		if err != nil {
			return err
		}
		return r.change(ctx, leaves, rehearse, func(ctx context.Context, tx *store.Tx) error {
			l, err := tx.Listing.Get(ctx, l.ID) // as it is now
			if err != nil {
				return err
			}
			if out, err = verb(ctx, tx, l, v.UserID); err != nil {
				return err
			}
			out, err = tx.Listing.Get(ctx, l.ID)
			return err
		})
	}()
	return listingPayload(out, err)
}

func listingPayload(l *ent.Listing, err error) (*model.ListingPayload, error) {
	payload := &model.ListingPayload{}
	if payload.Errors, err = refused(err); err != nil || len(payload.Errors) > 0 {
		return payload, err
	}
	payload.Listing = toListing(l)
	return payload, nil
}

func (r *Resolver) listingCreate(ctx context.Context, in model.ListingCreateInput) (*ent.Listing, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	home := ""
	ctx = tenancy.InPlane(ctx, tenancy.Copilot)
	switch prefix, _ := id.PrefixOf(in.SourceID); prefix {
	case id.Agent:
		s, err := r.Store.Scope.Query().Where(scope.ID(in.SourceID), scope.KindEQ(scope.KindAGENT)).Only(ctx)
		if err != nil {
			return nil, missing(err, "agent or connection")
		}
		home = *s.ParentID
	case id.Connection:
		c, err := r.Store.Connection.Get(ctx, in.SourceID)
		if err != nil {
			return nil, missing(err, "agent or connection")
		}
		home = c.ScopeID
	default:
		return nil, fault.Missing("agent or connection")
	}
	at, err := r.Store.Scope.Get(ctx, home)
	if err != nil {
		return nil, missing(err, "agent or connection")
	}
	var l *ent.Listing
	err = r.change(ctx, []leave{need(access.ListingCreate, at)}, false, func(ctx context.Context, tx *store.Tx) (err error) {
		l, err = r.market().CreateFrom(ctx, tx, at, in.SourceID, v.UserID, marketplace.Text{Name: &in.Name, Summary: in.Summary, Description: in.Description, Icon: in.Icon,
			Categories: in.Categories, Tags: in.Tags, Screenshots: in.Screenshots, Capabilities: in.Capabilities, Requirements: in.Requirements})
		return err
	})
	return l, err
}

// preparedPayload is what a next version of the platform's brings, completed by
// what it names.
func (r *Resolver) preparedPayload(ctx context.Context, in model.ListingSubmitInput) ([]byte, error) {
	if in.Payload == nil {
		return nil, nil
	}
	l, err := r.listingByID(ctx, in.ListingID)
	if err != nil || l.AccountID != id.PlatformID {
		return nil, err
	}
	needs, err := r.leaveFor(ctx, l)
	if err != nil {
		return nil, err
	}
	if err := r.allowed(ctx, needs); err != nil {
		return nil, err
	}
	return r.market().Prepare(ctx, l.Kind, []byte(*in.Payload))
}

func (r *Resolver) scopeNameOf(ctx context.Context, l *ent.Listing) (string, error) {
	if l.AccountID == id.PlatformID {
		return "", nil
	}
	s, err := from(ctx).requests.places.Load(ctx, l.ScopeID)
	if err != nil {
		return "", err
	}
	return s.Name, nil
}

func missing(err error, noun string) error {
	if ent.IsNotFound(err) {
		return fault.Missing(noun)
	}
	return err
}

func (r *Resolver) platformListingCreate(ctx context.Context, in model.PlatformListingCreateInput) (*ent.Listing, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	needs := []leave{needOfPlatform(access.PlatformListingManage)}
	if err := r.allowed(ctx, needs); err != nil {
		return nil, err
	}
	payload, err := r.market().Prepare(ctx, listing.Kind(in.Kind), []byte(in.Payload))
	if err != nil {
		return nil, err
	}
	var l *ent.Listing
	err = r.change(ctx, needs, false, func(ctx context.Context, tx *store.Tx) (err error) {
		l, err = r.market().CreateOfPlatform(ctx, tx, listing.Kind(in.Kind), payload, v.UserID, marketplace.Text{Name: &in.Name, Summary: in.Summary,
			Description: in.Description, Icon: in.Icon, Categories: in.Categories, Tags: in.Tags, Screenshots: in.Screenshots, Capabilities: in.Capabilities, Requirements: in.Requirements})
		return err
	})
	return l, err
}

// installed is the outcome of a change of what an account installed.
type installed struct {
	made    marketplace.Installed
	changes []marketplace.Change
	lacks   []marketplace.Lack
	impact  *marketplace.Impact
	at      *ent.Scope
}

func toChanges(in []marketplace.Change) []*model.ListingChange {
	return mapTo(in, func(c marketplace.Change) *model.ListingChange {
		return &model.ListingChange{Path: c.Path, Before: c.Before, After: c.After}
	})
}

func (i installed) payload(err error) (*model.InstallationPayload, error) {
	payload := &model.InstallationPayload{}
	if payload.Errors, err = refused(err); err != nil || len(payload.Errors) > 0 {
		return payload, err
	}
	if i.made.ResourceID != "" && i.at != nil {
		payload.Installation = &model.Installation{ResourceID: i.made.ResourceID, Name: i.made.Name, Version: i.made.Version, ScopeID: i.at.ID, ScopeName: i.at.Name, Ref: ref(i.at)}
	}
	payload.Changes = toChanges(i.changes)
	payload.Lacks = mapTo(i.lacks, func(l marketplace.Lack) *model.ListingLack {
		return &model.ListingLack{Code: l.Code, Message: l.Message, Fix: l.Fix}
	})
	if i.impact != nil {
		payload.Impact = &model.UninstallImpact{Grants: i.impact.Grants, Tools: i.impact.Tools, Keys: i.impact.Keys, Agents: i.impact.Agents, Defaults: i.impact.Defaults,
			Calls: i.impact.Calls, Credits: i.impact.Credits}
	}
	return payload, nil
}

func (r *Resolver) listingInstall(ctx context.Context, in model.ListingInstallInput) (out installed, err error) {
	l, err := r.listingByID(ctx, in.ListingID)
	if err != nil {
		return out, err
	}
	at, err := r.ownRoot(ctx, tenancy.Copilot)
	if err == nil && in.ScopeID != nil {
		at, err = r.Store.Scope.Get(tenancy.InPlane(ctx, tenancy.Copilot), *in.ScopeID)
	}
	if err != nil {
		return out, missing(err, "scope")
	}
	action := access.ListingInstall
	if l.Kind == listing.KindMODEL {
		action = access.ModelInstall
		if in.ScopeID != nil && at.Kind != scope.KindCOPILOT {
			return out, fault.At("scopeId", "A model is switched on for all of Copilot; grants say who may call it.")
		}
	}
	needs := []leave{need(action, at)}
	if l.Kind == listing.KindAGENT || l.Kind == listing.KindTEMPLATE {
		needs = append(needs, need(access.AgentCreate, at)) // a new agent like any other
	}
	out.at = at
	err = r.change(ctx, needs, isTrue(in.DryRun), func(ctx context.Context, tx *store.Tx) (err error) {
		tx.AfterCommit(func() { r.Grants.Changed(at.AccountID, tenancy.Copilot) })
		if out.made, err = r.market().Install(ctx, tx, l, at, orEmpty(in.Name)); err != nil {
			return err
		}
		out.lacks, err = r.market().Lacks(ctx, tx, l, out.made, at)
		return err
	})
	return out, err
}

// ofInstalled runs a verb on what the account installed, with leave at its scope.
func (r *Resolver) ofInstalled(ctx context.Context, resourceID string, rehearse bool, verb func(ctx context.Context, tx *store.Tx, at *ent.Scope) error) error {
	v, err := viewerOf(ctx)
	if err != nil {
		return err
	}
	var at *ent.Scope
	err = r.Store.InTx(tenancy.System(ctx, "where an installation belongs, to ask the policy there"), func(ctx context.Context, tx *store.Tx) (err error) {
		_, at, err = marketplace.Find(ctx, tx, v.AccountID, resourceID)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := r.Store.Scope.Get(tenancy.InPlane(ctx, tenancy.Copilot), at.ID); err != nil {
		return missing(err, "installation") // beyond the viewer's reach
	}
	action := access.ListingInstall
	if id.Is(resourceID, id.Model) {
		action = access.ModelUninstall
	}
	return r.change(ctx, []leave{need(action, at)}, rehearse, func(ctx context.Context, tx *store.Tx) error {
		tx.AfterCommit(func() { r.Grants.Changed(v.AccountID, tenancy.Copilot) })
		return verb(ctx, tx, at)
	})
}

func (r *Resolver) listingUpgrade(ctx context.Context, in model.ListingUpgradeInput) (out installed, err error) {
	err = r.ofInstalled(ctx, in.ResourceID, isTrue(in.DryRun), func(ctx context.Context, tx *store.Tx, at *ent.Scope) (err error) {
		out.at = at
		out.made, out.changes, err = r.market().Update(ctx, tx, at.AccountID, in.ResourceID)
		return err
	})
	return out, err
}

func (r *Resolver) listingUninstall(ctx context.Context, in model.ListingUninstallInput) (out installed, err error) {
	err = r.ofInstalled(ctx, in.ResourceID, isTrue(in.DryRun), func(ctx context.Context, tx *store.Tx, at *ent.Scope) error {
		impact, err := r.market().Uninstall(ctx, tx, at.AccountID, in.ResourceID)
		out.impact = &impact
		return err
	})
	return out, err
}
