package marketplace

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/listingversion"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
)

// Submit hands the next version of a listing in for review: of an account's
// source as it is now, of the platform the given payload (empty: the version
// that waits already).
func (m *Market) Submit(ctx context.Context, tx *store.Tx, l *ent.Listing, payload []byte, changelog, by string) (*ent.Listing, error) {
	if l.Kind == listing.KindMODEL {
		return nil, fault.At("listingId", "A model's listing follows its catalogue model.")
	}
	if len(changelog) > 2000 {
		return nil, fault.At("changelog", "A changelog has at most 2,000 characters.")
	}
	l, err := hold(ctx, tx, l.ID)
	if err != nil {
		return nil, err
	}
	at, err := home(ctx, tx, l)
	if err != nil {
		return nil, err
	}
	var root *ent.Scope
	if l.AccountID != id.PlatformID {
		if root, err = rootOf(ctx, tx, l.AccountID); err != nil {
			return nil, err
		}
		s, err := sourceOf(ctx, tx, l.AccountID, l.SourceID)
		if err != nil {
			return nil, err
		}
		if payload, err = snapshot(s); err != nil {
			return nil, err
		}
	}
	if len(payload) > 0 {
		if err := m.propose(ctx, tx, l, payload, changelog, by); err != nil {
			return nil, err
		}
	} else if _, err := waiting(ctx, tx, l); err != nil {
		return nil, err
	}
	if l.Status != listing.StatusPUBLISHED { // what is published stays so while the next version waits
		if l, err = tx.Listing.UpdateOne(l).SetStatus(listing.StatusIN_REVIEW).SetReviewNote("").Save(ctx); err != nil {
			return nil, err
		}
	}
	if err := tx.Audit(ctx, event("listing.submit", l, at)); err != nil {
		return nil, err
	}
	return l, m.ask(ctx, tx, l, root, changelog, by)
}

// propose writes a version that waits for review; one that waited is passed over.
func (m *Market) propose(ctx context.Context, tx *store.Tx, l *ent.Listing, payload []byte, changelog, by string) error {
	checked, err := m.checkPayload(l.AccountID, l.Kind, payload)
	if err != nil {
		return err
	}
	newest, err := tx.ListingVersion.Query().Where(listingversion.ListingID(l.ID)).Order(ent.Desc(listingversion.FieldNumber)).First(ctx)
	number := 1
	switch {
	case err == nil:
		number = newest.Number + 1
	case !ent.IsNotFound(err):
		return err
	}
	if err := passOver(ctx, tx, l); err != nil {
		return err
	}
	return tx.ListingVersion.Create().SetAccountID(l.AccountID).SetPlane(listingversion.Plane(l.Plane)).SetListingID(l.ID).SetNumber(number).
		SetPayload(checked).SetChangelog(changelog).SetCreatedBy(by).Exec(ctx)
}

// waiting is the version of a listing that waits for review.
func waiting(ctx context.Context, tx *store.Tx, l *ent.Listing) (*ent.ListingVersion, error) {
	v, err := tx.ListingVersion.Query().Where(listingversion.ListingID(l.ID), listingversion.StatusEQ(listingversion.StatusIN_REVIEW)).
		Order(ent.Desc(listingversion.FieldNumber)).First(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.At("listingId", "No version of it waits for review. Submit one first.")
	}
	return v, err
}

// Review publishes the version that waits, or rejects it with a note. Nobody
// reviews what they submitted themselves. The request about it is closed by it.
func (m *Market) Review(ctx context.Context, tx *store.Tx, l *ent.Listing, publish bool, note, by string) (*ent.Listing, error) {
	if len(note) > 1000 || !publish && note == "" {
		return nil, fault.At("note", "Say in at most 1,000 characters what is to be changed.")
	}
	l, err := hold(ctx, tx, l.ID)
	if err != nil {
		return nil, err
	}
	if l.Status != listing.StatusIN_REVIEW && l.Status != listing.StatusPUBLISHED {
		return nil, fault.At("listingId", "It wasn't handed in for review.")
	}
	v, err := waiting(ctx, tx, l)
	if err != nil {
		return nil, err
	}
	if l.AccountID != id.PlatformID && (v.CreatedBy == by || l.CreatedBy == by) {
		return nil, fault.New(fault.Forbidden, "Nobody reviews their own listing. Ask another admin of Copilot.")
	}
	at, err := home(ctx, tx, l)
	if err != nil {
		return nil, err
	}
	outcome := listingversion.StatusREJECTED
	u := tx.Listing.UpdateOne(l).SetReviewNote(note)
	if publish {
		outcome = listingversion.StatusPUBLISHED
		u.SetStatus(listing.StatusPUBLISHED).SetPublishedVersion(v.Number)
	} else if l.Status == listing.StatusIN_REVIEW {
		u.SetStatus(listing.StatusREJECTED)
	}
	if err := v.Update().SetStatus(outcome).SetReviewedBy(by).SetReviewedAt(tx.Now()).Exec(ctx); err != nil {
		return nil, err
	}
	if l, err = u.Save(ctx); err != nil {
		return nil, err
	}
	e := event("listing.review", l, at)
	e.Changes = map[string]audit.Change{"version": {After: string(outcome)}}
	if err := tx.Audit(ctx, e); err != nil {
		return nil, err
	}
	decided := entrequest.StatusDECLINED
	if publish {
		decided = entrequest.StatusAPPROVED
	}
	return l, m.Requests.Settle(ctx, tx, entrequest.KindPUBLISH, l.ID, decided, by, note)
}

// takeBack lets the version that waits be reviewed no more: who handed it in
// took their request back.
func takeBack(ctx context.Context, tx *store.Tx, l *ent.Listing) error {
	at, err := home(ctx, tx, l)
	if err != nil {
		return err
	}
	if err := passOver(ctx, tx, l); err != nil {
		return err
	}
	if l.Status == listing.StatusIN_REVIEW {
		if l, err = tx.Listing.UpdateOne(l).SetStatus(listing.StatusDRAFT).Save(ctx); err != nil {
			return err
		}
	}
	return tx.Audit(ctx, event("listing.takeBack", l, at))
}

// passOver rejects the version that waits, if any.
func passOver(ctx context.Context, tx *store.Tx, l *ent.Listing) error {
	return tx.ListingVersion.Update().Where(listingversion.ListingID(l.ID), listingversion.StatusEQ(listingversion.StatusIN_REVIEW)).
		SetStatus(listingversion.StatusREJECTED).Exec(ctx)
}

// Withdraw takes a listing off the marketplace, and its request out of the
// inbox. What was installed stays.
func (m *Market) Withdraw(ctx context.Context, tx *store.Tx, l *ent.Listing) (*ent.Listing, error) {
	if l.Kind == listing.KindMODEL {
		return nil, fault.At("listingId", "Retire the catalogue model: that tells those who lose it.")
	}
	l, err := hold(ctx, tx, l.ID)
	if err != nil {
		return nil, err
	}
	if l.Status == listing.StatusWITHDRAWN {
		return nil, fault.At("listingId", "It was withdrawn already. Submit it to bring it back.")
	}
	at, err := home(ctx, tx, l)
	if err != nil {
		return nil, err
	}
	if l.AccountID != id.PlatformID {
		if err := passOver(ctx, tx, l); err != nil {
			return nil, err
		}
	}
	if l, err = tx.Listing.UpdateOne(l).SetStatus(listing.StatusWITHDRAWN).Save(ctx); err != nil {
		return nil, err
	}
	if err := tx.Audit(ctx, event("listing.withdraw", l, at)); err != nil {
		return nil, err
	}
	return l, m.Requests.Settle(ctx, tx, entrequest.KindPUBLISH, l.ID, entrequest.StatusWITHDRAWN, "", "")
}
