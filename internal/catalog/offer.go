package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/listingaccount"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// listed is where a model's listing stands while the model has a status.
var listed = map[catalogmodel.Status]listing.Status{
	catalogmodel.StatusDRAFT: listing.StatusDRAFT, catalogmodel.StatusACTIVE: listing.StatusPUBLISHED, catalogmodel.StatusRETIRED: listing.StatusWITHDRAWN,
}

// list makes the one listing of a catalogue model, or brings it up to date.
func list(ctx context.Context, tx *store.Tx, m *ent.CatalogModel) error {
	summary := []rune(m.Description)
	summary = summary[:min(300, len(summary))]
	l, err := listingOf(ctx, tx, m.ID)
	if ent.IsNotFound(err) {
		_, suffix, _ := strings.Cut(m.ID, "_")
		return tx.Listing.Create().SetID(string(id.Listing) + "_" + suffix).SetAccountID(id.PlatformID).SetPlane(listing.PlanePLATFORM).
			SetScopeID(id.PlatformID).SetKind(listing.KindMODEL).SetName(m.Name).SetSummary(string(summary)).
			SetCatalogModelID(m.ID).SetStatus(listed[m.Status]).Exec(ctx)
	}
	if err != nil {
		return err
	}
	return l.Update().SetName(m.Name).SetSummary(string(summary)).SetStatus(listed[m.Status]).Exec(ctx)
}

func listingOf(ctx context.Context, tx *store.Tx, catalogModelID string) (*ent.Listing, error) {
	return tx.Listing.Query().Where(listing.CatalogModelID(catalogModelID)).WithAccounts().Only(ctx)
}

// Offer says to whom a catalogue model is offered: to all accounts, or to those
// named.
type Offer struct {
	CatalogModelID string
	ToAll          bool
	AccountIDs     []string
	// DryRun counts the impact and changes nothing.
	DryRun bool
}

// OfferCatalogModel sets to whom a model is offered. Who loses it is refused
// from now on, and told. For super admins.
func (c *Catalog) OfferCatalogModel(ctx context.Context, tx *store.Tx, in Offer) (*ent.CatalogModel, Impact, error) {
	named, err := in.accounts(ctx, tx)
	if err != nil {
		return nil, Impact{}, err
	}
	m, err := tx.CatalogModel.Get(ctx, in.CatalogModelID)
	if err != nil {
		return nil, Impact{}, hidden(err, "catalogue model")
	}
	l, err := listingOf(ctx, tx, m.ID)
	if err != nil {
		return nil, Impact{}, err
	}
	losing, err := c.users(ctx, tx, m.ID)
	if err != nil {
		return nil, Impact{}, err
	}
	if in.ToAll {
		losing = nil
	}
	losing = slices.DeleteFunc(losing, func(a string) bool { return named[a] != "" })
	impact, err := c.impact(ctx, tx, m.ID, losing)
	if err != nil || in.DryRun {
		return m, impact, err
	}
	before := offerText(l.Eligibility == listing.EligibilityALL, len(l.Edges.Accounts))
	eligibility := listing.EligibilityNAMED
	if in.ToAll {
		eligibility = listing.EligibilityALL
	}
	if err := l.Update().SetEligibility(eligibility).Exec(ctx); err != nil {
		return nil, impact, err
	}
	if _, err := tx.ListingAccount.Delete().Where(listingaccount.ListingID(l.ID)).Exec(ctx); err != nil {
		return nil, impact, err
	}
	var names []string
	for _, a := range in.AccountIDs {
		if slices.Contains(names, named[a]) {
			continue
		}
		names = append(names, named[a])
		if err := tx.ListingAccount.Create().SetAccountID(id.PlatformID).SetPlane(listingaccount.PlanePLATFORM).
			SetListingID(l.ID).SetOfferedTo(a).Exec(ctx); err != nil {
			return nil, impact, err
		}
	}
	tx.Touch(id.PlatformID) // routes and grants of every account are read anew
	e := platformEvent("catalogModel.offer", m.ID, m.Name)
	e.Changes = map[string]audit.Change{"offeredTo": {Before: before, After: offerText(in.ToAll, len(names))}}
	if len(names) > 0 {
		slices.Sort(names)
		e.Changes["accounts"] = audit.Change{After: strings.Join(names, ", ")}
	}
	if err := tx.Audit(ctx, e); err != nil {
		return nil, impact, err
	}
	return m, impact, c.withdraw(ctx, tx, m, losing)
}

func offerText(all bool, named int) string {
	if all {
		return "all accounts"
	}
	return fmt.Sprintf("%d accounts", named)
}

const maxNamed = 1000

// accounts are the names of those that an offer names, by id.
func (in Offer) accounts(ctx context.Context, tx *store.Tx) (map[string]string, error) {
	switch {
	case in.ToAll && len(in.AccountIDs) > 0:
		return nil, fault.At("accountIds", "Offer it to all accounts, or name some.")
	case len(in.AccountIDs) > maxNamed:
		return nil, fault.At("accountIds", "Name at most %d accounts.", maxNamed)
	}
	rows, err := tx.Account.Query().Where(account.IDIn(in.AccountIDs...), account.IDNEQ(id.PlatformID), account.StatusNEQ(account.StatusCLOSED)).All(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(rows))
	for _, a := range rows {
		names[a.ID] = a.Name
	}
	for _, a := range in.AccountIDs {
		if names[a] == "" {
			return nil, fault.At("accountIds", "There is no open account %.60q.", a)
		}
	}
	return names, nil
}

// users are the accounts that have a model switched on and may use it.
func (c *Catalog) users(ctx context.Context, tx *store.Tx, catalogModelID string) ([]string, error) {
	ctx = tenancy.System(ctx, "which accounts have a catalogue model switched on")
	l, err := listingOf(ctx, tx, catalogModelID)
	if ent.IsNotFound(err) || err == nil && l.Status != listing.StatusPUBLISHED {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	where := tx.Model.Query().Where(model.CatalogModelID(catalogModelID), model.StatusEQ(model.StatusACTIVE))
	if l.Eligibility == listing.EligibilityNAMED {
		var to []string
		for _, a := range l.Edges.Accounts {
			to = append(to, a.OfferedTo)
		}
		where.Where(model.AccountIDIn(to...))
	}
	return where.Order(ent.Asc(model.FieldAccountID)).Select(model.FieldAccountID).Strings(ctx)
}

// withdraw tells accounts that they have lost a model: in their audit log, and
// their admins.
func (c *Catalog) withdraw(ctx context.Context, tx *store.Tx, m *ent.CatalogModel, accountIDs []string) error {
	ctx = tenancy.System(ctx, "accounts are told that the platform offers them a model no more")
	way := "Choose another one in the catalogue."
	if m.SuccessorID != nil {
		next, err := tx.CatalogModel.Get(ctx, *m.SuccessorID)
		if err != nil {
			return err
		}
		way = next.Name + " succeeds it."
	}
	for _, a := range accountIDs {
		root, err := tx.Scope.Query().Where(scope.AccountID(a), scope.KindEQ(scope.KindCOPILOT)).Only(ctx)
		if err != nil {
			return err
		}
		if err := tx.Audit(ctx, event("model.withdrawn", root, m.ID, m.Name)); err != nil {
			return err
		}
		if c.Tell == nil {
			continue
		}
		admins, _, err := notify.Responsible(ctx, tx, root)
		if err != nil {
			return err
		}
		if err := c.Tell(ctx, tx, notify.Notice{Topic: notify.ModelWithdrawn, AccountID: a, Plane: tenancy.Copilot, ScopeID: root.ID,
			Title: m.Name + " is offered no more", Body: "Calls of it are refused from now on. " + way,
			Link: "/copilot/models", Cause: m.ID + ":" + strconv.FormatInt(tx.Now().UnixMicro(), 10), To: admins}); err != nil {
			return err
		}
	}
	return nil
}

// Impact is what taking a model away does, counted before it is done.
type Impact struct {
	// Accounts that have it on and lose it, with their admins' names for it.
	Accounts []string
	// Grants that allow it, keys that list it, agents in use that call it, and
	// scopes that have it as their default.
	Grants, Keys, Agents, Defaults int
	// Of the last 30 days.
	Calls   int64
	Credits money.Nano
}

// RetireImpact is what retiring a model would do. For super admins.
func (c *Catalog) RetireImpact(ctx context.Context, tx *store.Tx, catalogModelID string) (Impact, error) {
	losing, err := c.users(ctx, tx, catalogModelID)
	if err != nil {
		return Impact{}, err
	}
	return c.impact(ctx, tx, catalogModelID, losing)
}

// UninstallImpact is what switching a model off would do in its account.
func (c *Catalog) UninstallImpact(ctx context.Context, tx *store.Tx, m *ent.Model) (Impact, error) {
	return c.impact(ctx, tx, *m.CatalogModelID, []string{m.AccountID})
}

// lookback is how far usage is looked back at, in days.
const lookback = 30

func (c *Catalog) impact(ctx context.Context, tx *store.Tx, catalogModelID string, accountIDs []string) (Impact, error) {
	var out Impact
	if len(accountIDs) == 0 {
		return out, nil
	}
	rows, err := tx.Account.Query().Where(account.IDIn(accountIDs...)).Order(account.ByName()).All(ctx)
	if err != nil {
		return out, err
	}
	args := []any{catalogModelID}
	for _, a := range rows {
		out.Accounts = append(out.Accounts, a.Name)
		args = append(args, a.ID)
	}
	mine := " m.catalog_model_id = ? AND m.account_id IN (" + store.In(len(rows)) + ")"
	for _, count := range []struct {
		into  *int
		query string
	}{
		{&out.Grants, "SELECT count(*) FROM grants g JOIN models m ON m.id = g.model_id WHERE g.effect = 'ALLOW' AND" + mine},
		{&out.Keys, "SELECT count(DISTINCT k.id) FROM keys k JOIN key_models l ON l.key_id = k.id JOIN models m ON m.id = l.model_id WHERE k.revoked_at IS NULL AND" + mine},
		{&out.Defaults, "SELECT count(*) FROM scopes s JOIN models m ON m.id = s.default_model_id WHERE s.deleted_at IS NULL AND" + mine},
		{&out.Agents, `SELECT count(*) FROM agents a JOIN agent_versions v ON v.agent_id = a.id AND v.number = a.published_version
			JOIN models m ON m.account_id = a.account_id AND CAST(v.definition AS TEXT) LIKE '%' || m.id || '%' WHERE a.availability = 'ACTIVE' AND` + mine},
	} {
		if err := tx.Rows(ctx, count.query, args, func(r *sql.Rows) error { return r.Scan(count.into) }); err != nil {
			return out, err
		}
	}
	err = tx.Rows(ctx, `SELECT CAST(coalesce(sum(t.calls), 0) AS BIGINT), CAST(coalesce(sum(t.credits), 0) AS BIGINT)
		FROM usage_totals t JOIN models m ON m.id = t.model_id WHERE`+mine+" AND t.day > ?",
		append(args, c.firstDay()), func(r *sql.Rows) error { return r.Scan(&out.Calls, &out.Credits) })
	return out, err
}

// firstDay is the day before the last 30, counted since 1970.
func (c *Catalog) firstDay() int { return int(c.store.Now().Unix()/86400) - lookback }
