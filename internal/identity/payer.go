package identity

import (
	"context"
	"fmt"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// PayerOf is the person at the cockpit as one who calls models: their default
// seat in a plane pays.
func PayerOf(ctx context.Context, st *store.Store, v *tenancy.Viewer, plane tenancy.Plane) (*Principal, error) {
	noSeat := fault.New(fault.Forbidden, "You have no seat in %s that could pay for this. Ask an admin of your account for a seat in a team.", strings.ToLower(string(plane)))
	if v.SupportID != "" || v.Platform || v.UserID == "" {
		return nil, noSeat
	}
	ctx = tenancy.System(ctx, "whose seat pays is read for the person themselves")
	m, err := st.Member.Query().Where(member.UserID(v.UserID), member.AccountID(v.AccountID), member.PlaneEQ(member.Plane(plane)), member.IsDefault(true)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, noSeat
	}
	if err != nil {
		return nil, fmt.Errorf("identity: payer: %w", err)
	}
	a, err := st.Account.Query().Where(account.ID(v.AccountID)).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: payer's account: %w", err)
	}
	for _, r := range v.Roles { // roles that don't stand aren't among them
		if r.Role != tenancy.Seatholder || r.ScopeID != m.ID {
			continue
		}
		p := &Principal{Viewer: v, Name: v.Name, Plane: plane, Path: r.Path, MemberID: m.ID, TeamID: m.TeamID, UserID: v.UserID, TimeZone: a.TimeZone}
		for scopeID := range strings.SplitSeq(strings.Trim(r.Path, "/"), "/") {
			if kind, _ := id.PrefixOf(scopeID); kind == id.Organization {
				p.OrganizationID = scopeID
			}
		}
		return p, nil
	}
	return nil, noSeat
}
