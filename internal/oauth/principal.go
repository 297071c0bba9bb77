package oauth

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// spends tells whether a viewer has a permission to spend: on models or tools.
func spends(v *tenancy.Viewer) bool {
	return slices.Contains(v.Permissions, "models.call") || slices.Contains(v.Permissions, "tools.call")
}

// seats reads which seats pay where a call names none.
func (b *Bearers) seats(ctx context.Context, out *bearer) error {
	if out.viewer.UserID == "" || !spends(out.viewer) {
		return nil
	}
	var err error
	out.defaults, err = b.store.Member.Query().Where(member.UserID(out.viewer.UserID), member.IsDefault(true)).IDs(ctx)
	if err != nil {
		return fmt.Errorf("oauth: default seats: %w", err)
	}
	return nil
}

// Principal tells which seat pays for a token's calls: the one in the
// named team; else the default one in Copilot, where the person has one and
// the program may act, else the default one in Console. For a token that may
// call nothing only the viewer is set, which the policies refuse.
func (b *Bearers) Principal(ctx context.Context, token, team string) (*identity.Principal, error) {
	found, err := b.look(ctx, token)
	if err != nil {
		return nil, err
	}
	v := found.viewer
	p := &identity.Principal{Viewer: v, Name: v.Name, UserID: v.UserID, TimeZone: found.timeZone}
	if v.UserID == "" || !spends(v) {
		return p, nil
	}
	seat, err := found.seat(team)
	if err != nil {
		return nil, err
	}
	p.Plane, p.Path, p.MemberID = seat.Plane, seat.Path, seat.ScopeID
	for scopeID := range strings.SplitSeq(strings.Trim(seat.Path, "/"), "/") {
		switch kind, _ := id.PrefixOf(scopeID); kind {
		case id.Organization:
			p.OrganizationID = scopeID
		case id.Team:
			p.TeamID = scopeID
		}
	}
	return p, nil
}

func (b *bearer) seat(team string) (tenancy.Role, error) {
	var chosen *tenancy.Role
	for i, r := range b.viewer.Roles {
		switch {
		case r.Role != tenancy.Seatholder || r.Kind != tenancy.KindMember:
		case team != "":
			if strings.HasSuffix(r.Path, "/"+team+"/"+r.ScopeID+"/") {
				return r, nil
			}
		case slices.Contains(b.defaults, r.ScopeID) && (chosen == nil || r.Plane == tenancy.Copilot):
			chosen = &b.viewer.Roles[i]
		}
	}
	switch {
	case team != "":
		e := fault.New(fault.Forbidden, "You have no seat in the team %.60q where this program may act, so it can't pay for the call. Leave X-Cockpit-Team out, or name a team of yours.", team)
		e.Path = []string{"X-Cockpit-Team"}
		return tenancy.Role{}, e
	case chosen == nil:
		return tenancy.Role{}, fault.New(fault.Forbidden, "You have no seat that could pay for model calls here. Ask an admin of your account for a seat in a team.")
	}
	return *chosen, nil
}
