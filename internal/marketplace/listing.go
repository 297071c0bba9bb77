// Package marketplace is where agents, connections and templates are offered, by
// the platform to accounts and by accounts inside themselves: listings with
// versions, reviews, installations and ratings. Its verbs run as the system,
// within what a policy has allowed; what they are given was read by the viewer.
package marketplace

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/agentversion"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/listingaccount"
	"github.com/alchemi/cockpit/ent/listingversion"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Text is what a listing says of itself; nil leaves a value as it is.
type Text struct {
	Name, Summary, Description, Icon *string
	Categories, Tags, Screenshots    []string
	Capabilities, Requirements       []string
	Featured, Verified               *bool // the platform's alone
}

func (t *Text) check() error {
	for _, f := range []struct {
		field string
		value *string
		most  int
	}{{"name", t.Name, 120}, {"summary", t.Summary, 300}, {"description", t.Description, 20_000}, {"icon", t.Icon, 40}} {
		if f.value == nil {
			continue
		}
		*f.value = strings.TrimSpace(*f.value)
		if len(*f.value) > f.most || f.field == "name" && *f.value == "" {
			return fault.At(f.field, "It has at most %d characters, a name 1 at least.", f.most)
		}
	}
	for field, list := range map[string][]string{"categories": t.Categories, "tags": t.Tags, "screenshots": t.Screenshots,
		"capabilities": t.Capabilities, "requirements": t.Requirements} {
		most, long := 12, 200
		if field == "screenshots" {
			most, long = 8, maxPicture
		}
		if len(list) > most {
			return fault.At(field, "Give at most %d.", most)
		}
		for _, s := range list {
			if strings.TrimSpace(s) == "" || len(s) > long {
				return fault.At(field, "Each has 1–%d characters.", long)
			}
			if field == "screenshots" && !pictured(s) {
				return fault.At(field, "A picture has an https:// address, or is a small one itself: data:image/png, jpeg or webp in base64.")
			}
		}
	}
	return nil
}

// maxPicture bounds a picture that is given itself, in bytes of base64.
const maxPicture = 300 << 10

// pictured tells whether an address shows a picture: of the web, or one that
// holds it. Nothing that a browser runs is among them.
func pictured(s string) bool {
	for _, kind := range []string{"png", "jpeg", "webp"} {
		if body, ok := strings.CutPrefix(s, "data:image/"+kind+";base64,"); ok {
			_, err := base64.StdEncoding.DecodeString(body)
			return err == nil
		}
	}
	return strings.HasPrefix(s, "https://") && len(s) <= 500
}

func (t *Text) fill(m *ent.ListingMutation) {
	for _, f := range []struct {
		value *string
		set   func(string)
	}{{t.Name, m.SetName}, {t.Summary, m.SetSummary}, {t.Description, m.SetDescription}, {t.Icon, m.SetIcon}} {
		if f.value != nil {
			f.set(*f.value)
		}
	}
	for _, f := range []struct {
		value []string
		set   func([]string)
	}{{t.Categories, m.SetCategories}, {t.Tags, m.SetTags}, {t.Screenshots, m.SetScreenshots},
		{t.Capabilities, m.SetCapabilities}, {t.Requirements, m.SetRequirements}} {
		if f.value != nil {
			f.set(f.value)
		}
	}
	if t.Featured != nil {
		m.SetFeatured(*t.Featured)
	}
	if t.Verified != nil {
		m.SetVerified(*t.Verified)
	}
}

func event(action string, l *ent.Listing, at *ent.Scope) audit.Event {
	return audit.Event{Action: action, AccountID: at.AccountID, Plane: tenancy.Plane(at.Plane), ScopeID: at.ID, ScopePath: at.Path,
		TargetID: l.ID, TargetName: l.Name}
}

func home(ctx context.Context, tx *store.Tx, l *ent.Listing) (*ent.Scope, error) {
	return tx.Scope.Get(ctx, l.ScopeID)
}

// CreateFrom drafts a listing of an account's own agent or connection, which
// belongs to the given scope.
func (m *Market) CreateFrom(ctx context.Context, tx *store.Tx, at *ent.Scope, sourceID, by string, t Text) (*ent.Listing, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	s, err := sourceOf(ctx, tx, at.AccountID, sourceID)
	if err != nil {
		return nil, err
	}
	if s.scopeID != at.ID {
		return nil, fault.Missing("agent or connection")
	}
	if t.Name == nil {
		return nil, fault.At("name", "Give the listing a name.")
	}
	publisher, err := tx.Account.Get(ctx, at.AccountID)
	if err != nil {
		return nil, err
	}
	t.Featured, t.Verified = nil, nil
	create := tx.Listing.Create().SetAccountID(at.AccountID).SetPlane(listing.Plane(at.Plane)).SetScopeID(at.ID).SetKind(s.kind).
		SetSourceID(sourceID).SetCreatedBy(by).SetPublisher(publisher.Name)
	t.fill(create.Mutation())
	l, err := create.Save(ctx)
	if err != nil {
		return nil, err
	}
	return l, tx.Audit(ctx, event("listing.create", l, at))
}

// CreateOfPlatform drafts a listing of the platform, with its first version.
func (m *Market) CreateOfPlatform(ctx context.Context, tx *store.Tx, kind listing.Kind, payload []byte, by string, t Text) (*ent.Listing, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	if t.Name == nil {
		return nil, fault.At("name", "Give the listing a name.")
	}
	if _, err := m.checkPayload(id.PlatformID, kind, payload); err != nil {
		return nil, err
	}
	root, err := tx.Scope.Get(ctx, id.PlatformID)
	if err != nil {
		return nil, err
	}
	create := tx.Listing.Create().SetAccountID(id.PlatformID).SetPlane(listing.PlanePLATFORM).SetScopeID(root.ID).SetKind(kind).
		SetCreatedBy(by).SetPublisher("Alchemi")
	t.fill(create.Mutation())
	l, err := create.Save(ctx)
	if err != nil {
		return nil, err
	}
	if err := tx.Audit(ctx, event("listing.create", l, root)); err != nil {
		return nil, err
	}
	return l, m.propose(ctx, tx, l, payload, "", by)
}

var errStale = fault.New(fault.Conflict, "Somebody changed this since you opened it. Look at the newest state, then change it again.")

// Edit changes what a listing says of itself.
func Edit(ctx context.Context, tx *store.Tx, l *ent.Listing, t Text, expected *int) (*ent.Listing, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	if expected != nil && *expected != l.Version {
		return nil, errStale
	}
	if l.Kind == listing.KindMODEL && t.Name != nil {
		return nil, fault.At("name", "A model's listing has the model's name.")
	}
	if l.AccountID != id.PlatformID {
		t.Featured, t.Verified = nil, nil
	}
	at, err := home(ctx, tx, l)
	if err != nil {
		return nil, err
	}
	u := tx.Listing.UpdateOne(l).Where(listing.Version(l.Version))
	t.fill(u.Mutation())
	if l, err = u.Save(ctx); err != nil {
		if ent.IsNotFound(err) {
			return nil, errStale
		}
		return nil, err
	}
	return l, tx.Audit(ctx, event("listing.update", l, at))
}

// sourceOf finds an agent with its version in use, or a connection, of an account.
func sourceOf(ctx context.Context, tx *store.Tx, accountID, sourceID string) (*source, error) {
	switch prefix, _ := id.PrefixOf(sourceID); prefix {
	case id.Agent:
		a, err := tx.Agent.Query().Where(agent.ID(sourceID), agent.AccountID(accountID)).Only(ctx)
		if err != nil {
			return nil, hidden(err, "agent or connection")
		}
		if a.PublishedVersion == nil {
			return nil, fault.At("sourceId", "Publish a version of the agent first: that is what the listing offers.")
		}
		v, err := tx.AgentVersion.Query().Where(agentversion.AgentID(a.ID), agentversion.Number(*a.PublishedVersion)).Only(ctx)
		if err != nil {
			return nil, err
		}
		s, err := tx.Scope.Query().Where(scope.ID(a.ID)).Only(ctx)
		if err != nil {
			return nil, err
		}
		return &source{agent: a, version: v, scopeID: *s.ParentID, kind: listing.KindAGENT}, nil
	case id.Connection:
		c, err := tx.Connection.Query().Where(connection.ID(sourceID), connection.AccountID(accountID)).Only(ctx)
		if err != nil {
			return nil, hidden(err, "agent or connection")
		}
		return &source{connection: c, scopeID: c.ScopeID, kind: listing.KindCONNECTION}, nil
	}
	return nil, fault.Missing("agent or connection")
}

func hidden(err error, noun string) error {
	if ent.IsNotFound(err) {
		return fault.Missing(noun)
	}
	return err
}

// Offer sets to which accounts a listing of the platform is offered: to all, or
// to those named. What they installed stays theirs.
func Offer(ctx context.Context, tx *store.Tx, l *ent.Listing, all bool, accountIDs []string) (*ent.Listing, error) {
	switch {
	case l.AccountID != id.PlatformID:
		return nil, fault.At("listingId", "What an account lists is for all its people.")
	case l.Kind == listing.KindMODEL:
		return nil, fault.At("listingId", "Offer the catalogue model: that tells those who lose it.")
	case all && len(accountIDs) > 0 || len(accountIDs) > 1000:
		return nil, fault.At("accountIds", "Offer it to all accounts, or name at most 1,000.")
	}
	slices.Sort(accountIDs)
	accountIDs = slices.Compact(accountIDs)
	n, err := tx.Account.Query().Where(account.IDIn(accountIDs...), account.IDNEQ(id.PlatformID)).Count(ctx)
	if err != nil {
		return nil, err
	}
	if n != len(accountIDs) {
		return nil, fault.At("accountIds", "One of these accounts doesn't exist.")
	}
	at, err := home(ctx, tx, l)
	if err != nil {
		return nil, err
	}
	to := listing.EligibilityNAMED
	if all {
		to = listing.EligibilityALL
	}
	if l, err = tx.Listing.UpdateOne(l).SetEligibility(to).Save(ctx); err != nil {
		return nil, err
	}
	if _, err := tx.ListingAccount.Delete().Where(listingaccount.ListingID(l.ID)).Exec(ctx); err != nil {
		return nil, err
	}
	for _, a := range accountIDs {
		if err := tx.ListingAccount.Create().SetAccountID(id.PlatformID).SetPlane(listingaccount.PlanePLATFORM).SetListingID(l.ID).SetOfferedTo(a).Exec(ctx); err != nil {
			return nil, err
		}
	}
	return l, tx.Audit(ctx, event("listing.offer", l, at))
}

// Offered tells whether an account may install a listing.
func Offered(ctx context.Context, tx *store.Tx, l *ent.Listing, accountID string) (bool, error) {
	if l.Status != listing.StatusPUBLISHED {
		return false, nil
	}
	if l.AccountID == accountID || l.AccountID == id.PlatformID && l.Eligibility == listing.EligibilityALL {
		return true, nil
	}
	return tx.ListingAccount.Query().Where(listingaccount.ListingID(l.ID), listingaccount.OfferedTo(accountID)).Exist(ctx)
}

// Published is the newest published version of a listing; nil before the first.
func Published(ctx context.Context, tx *store.Tx, l *ent.Listing) (*ent.ListingVersion, error) {
	if l.PublishedVersion == 0 {
		return nil, nil
	}
	return tx.ListingVersion.Query().Where(listingversion.ListingID(l.ID), listingversion.Number(l.PublishedVersion)).Only(ctx)
}
