package grant

import (
	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/listingaccount"
)

// WithOffer reads with a catalogue model what Offered asks of it.
func WithOffer(q *ent.CatalogModelQuery, accountID string) *ent.CatalogModelQuery {
	return q.WithListings(func(q *ent.ListingQuery) {
		q.Select(listing.FieldStatus, listing.FieldEligibility).
			WithAccounts(func(q *ent.ListingAccountQuery) { q.Where(listingaccount.OfferedTo(accountID)) })
	})
}

// Offered tells whether the account that a catalogue model was read for may use
// it: it is active, and its listing is offered to all or to that account.
func Offered(m *ent.CatalogModel) bool {
	if m.Status != catalogmodel.StatusACTIVE {
		return false
	}
	for _, l := range m.Edges.Listings {
		if l.Status == listing.StatusPUBLISHED && (l.Eligibility == listing.EligibilityALL || len(l.Edges.Accounts) > 0) {
			return true
		}
	}
	return false
}
