package agents

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Agents has the verbs. They run in a transaction of the system's and check
// invariants, not permissions: whoever calls them has asked the policy.
type Agents struct {
	Store *store.Store
	// Notify tells admins of agents that lost their owner; nil tells nobody.
	Notify *notify.Notifier
}

// Settings are what is around a definition; nil keeps what is.
type Settings struct {
	Name, Purpose, Icon, Group *string
	Categories, Tags           *[]string
	SessionCredits             *money.Nano
	SessionTurns               *int
}

// maxPerOwner bounds the agents of one scope.
const maxPerOwner = 500

func (s Settings) check() error {
	for _, text := range []struct {
		field, noun string
		value       *string
		most        int
	}{{"purpose", "A purpose", s.Purpose, 500}, {"icon", "An icon's name", s.Icon, 40}, {"group", "A group's name", s.Group, 80}} {
		if text.value != nil && (len(*text.value) > text.most || !plain(*text.value)) {
			return fault.At(text.field, "%s has at most %d characters.", text.noun, text.most)
		}
	}
	for field, list := range map[string]*[]string{"categories": s.Categories, "tags": s.Tags} {
		if list == nil {
			continue
		}
		if len(*list) > 10 {
			return fault.At(field, "Choose at most 10.")
		}
		for _, one := range *list {
			if strings.TrimSpace(one) == "" || len(one) > 40 || !plain(one) {
				return fault.At(field, "Each has 1–40 characters.")
			}
		}
	}
	switch {
	case s.SessionCredits != nil && (*s.SessionCredits < 0 || *s.SessionCredits > budget.Largest):
		return fault.At("sessionCredits", "What a session may take lies between 0 (no cap) and one billion credits.")
	case s.SessionTurns != nil && (*s.SessionTurns < 0 || *s.SessionTurns > 100_000):
		return fault.At("sessionTurns", "The turns of a session lie between 0 (no cap) and 100,000.")
	}
	return nil
}

// clean trims the entries of a list and drops those that are there twice.
func clean(list []string) []string {
	out := []string{}
	for _, s := range list {
		if s = strings.TrimSpace(s); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (s Settings) fill(m *ent.AgentMutation) {
	if s.Purpose != nil {
		m.SetPurpose(strings.TrimSpace(*s.Purpose))
	}
	if s.Icon != nil {
		m.SetIcon(*s.Icon)
	}
	if s.Group != nil {
		m.SetGroupName(strings.TrimSpace(*s.Group))
	}
	if s.Categories != nil {
		m.SetCategories(clean(*s.Categories))
	}
	if s.Tags != nil {
		m.SetTags(clean(*s.Tags))
	}
	if s.SessionCredits != nil {
		m.SetSessionCredits(int64(*s.SessionCredits))
	}
	if s.SessionTurns != nil {
		m.SetSessionTurns(*s.SessionTurns)
	}
}

// mayCreate refuses agents that their owner can't have, whoever asks.
func mayCreate(ctx context.Context, tx *store.Tx, owner *ent.Scope) error {
	n, err := tx.Scope.Query().Where(scope.ParentID(owner.ID), scope.KindEQ(scope.KindAGENT), scope.DeletedAtIsNil()).Count(ctx)
	if err == nil && n >= maxPerOwner {
		err = fault.At("ownerId", "%s has %d agents already, and no more fit. Delete some that nobody uses.", owner.Name, n)
	}
	return err
}

// Create makes an agent with a draft under the scope that owns it. The person
// who made it answers for it.
func (a *Agents) Create(ctx context.Context, tx *store.Tx, owner *ent.Scope, set Settings, d Definition) (*ent.Agent, *ent.Scope, error) {
	if set.Name == nil {
		return nil, nil, fault.At("name", "Give the agent a name.")
	}
	if err := set.check(); err != nil {
		return nil, nil, err
	}
	if err := d.Check(); err != nil {
		return nil, nil, err
	}
	raw, err := d.encode()
	if err != nil {
		return nil, nil, err
	}
	s, err := identity.CreateAgentScope(ctx, tx, owner, *set.Name)
	if err != nil {
		return nil, nil, err
	}
	if err := mayCreate(ctx, tx, owner); err != nil {
		return nil, nil, err
	}
	by := ""
	if v := tenancy.ViewerFrom(ctx); v != nil && v.AccountID == owner.AccountID && v.SupportID == "" {
		by = v.UserID
	}
	create := tx.Agent.Create().SetID(s.ID).SetAccountID(s.AccountID).SetPlane(agent.Plane(s.Plane)).SetDraft(raw).SetOwnerUserID(by).SetCreatedBy(by)
	set.fill(create.Mutation())
	row, err := create.Save(ctx)
	if err != nil {
		return nil, nil, err
	}
	return row, s, tx.Audit(ctx, event("agent.create", s))
}

// lock keeps an agent's scope where it is, and reads its row for a change.
func lock(ctx context.Context, tx *store.Tx, s *ent.Scope, expected *int) (*ent.Agent, error) {
	if _, err := identity.Hold(ctx, tx, s); err != nil {
		return nil, err
	}
	if err := tx.Rows(ctx, "SELECT id FROM agents WHERE id = ? FOR NO KEY UPDATE", []any{s.ID}, func(*sql.Rows) error { return nil }); err != nil {
		return nil, err
	}
	row, err := tx.Agent.Get(ctx, s.ID)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("agent")
	}
	if err == nil && expected != nil && *expected != row.Version {
		e := fault.New(fault.Conflict, "Somebody else has changed this agent. Look at it again, then change it.").
			With("expectedVersion", *expected).With("currentVersion", row.Version)
		e.Path = []string{"expectedVersion"}
		return nil, e
	}
	return row, err
}

// Update changes an agent's settings and its draft; what calls go through stays
// as it was published, but for the name and the session's caps.
func (a *Agents) Update(ctx context.Context, tx *store.Tx, s *ent.Scope, set Settings, draft *Definition, expected *int) (*ent.Agent, error) {
	if err := set.check(); err != nil {
		return nil, err
	}
	row, err := lock(ctx, tx, s, expected)
	if err != nil {
		return nil, err
	}
	change := row.Update()
	set.fill(change.Mutation())
	var changed []string
	if draft != nil {
		if err := draft.Check(); err != nil {
			return nil, err
		}
		raw, err := draft.encode()
		if err != nil {
			return nil, err
		}
		change.SetDraft(raw)
		if old, err := Parse(row.Draft); err == nil {
			changed = names(Diff(old, *draft))
		} else {
			changed = []string{"definition"}
		}
	}
	e := event("agent.update", s)
	if set.Name != nil && *set.Name != s.Name {
		e.Changes = map[string]audit.Change{"name": {Before: s.Name, After: *set.Name}}
		if s, err = identity.RenameAgent(ctx, tx, s, *set.Name); err != nil {
			return nil, err
		}
		e.TargetName = s.Name
	}
	if len(changed) > 0 {
		if e.Changes == nil {
			e.Changes = map[string]audit.Change{}
		}
		e.Changes["draft_fields"] = audit.Change{After: changed}
	}
	if row, err = change.Save(ctx); err != nil {
		return nil, err
	}
	return row, tx.Audit(ctx, e)
}

// SetAvailability pauses, resumes or retires an agent.
func (a *Agents) SetAvailability(ctx context.Context, tx *store.Tx, s *ent.Scope, to agent.Availability, expected *int) (*ent.Agent, error) {
	row, err := lock(ctx, tx, s, expected)
	if err != nil {
		return nil, err
	}
	if row.Availability == to {
		return row, fault.At("availability", "%s is %s already.", s.Name, strings.ToLower(string(to)))
	}
	action := map[agent.Availability]string{agent.AvailabilityACTIVE: "agent.resume", agent.AvailabilityPAUSED: "agent.pause", agent.AvailabilityRETIRED: "agent.retire"}[to]
	if row, err = row.Update().SetAvailability(to).Save(ctx); err != nil {
		return nil, err
	}
	return row, tx.Audit(ctx, event(action, s))
}

// Transfer makes another person of the account answer for an agent. They need a
// seat or a role in Copilot.
func (a *Agents) Transfer(ctx context.Context, tx *store.Tx, s *ent.Scope, userID string, expected *int) (*ent.Agent, error) {
	row, err := lock(ctx, tx, s, expected)
	if err != nil {
		return nil, err
	}
	u, err := tx.User.Query().Where(user.ID(userID), user.AccountID(s.AccountID), user.StatusEQ(user.StatusACTIVE)).Only(ctx)
	if ent.IsNotFound(err) {
		e := fault.Missing("person")
		e.Path = []string{"userId"}
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	stays, err := answers(ctx, tx, u.ID)
	if err != nil {
		return nil, err
	}
	if !stays {
		return nil, fault.At("userId", "%s has neither a seat nor a role in Copilot, so they can't answer for an agent. Give them a seat first.", u.Name)
	}
	before := row.OwnerUserID
	if row, err = row.Update().SetOwnerUserID(u.ID).Save(ctx); err != nil {
		return nil, err
	}
	e := event("agent.transfer", s)
	e.Changes = map[string]audit.Change{"owner_user_id": {Before: before, After: u.ID}}
	return row, tx.Audit(ctx, e)
}

// answers tells whether somebody has a seat in Copilot, or a role that reaches
// it.
func answers(ctx context.Context, tx *store.Tx, userID string) (bool, error) {
	sits, err := tx.Member.Query().Where(member.UserID(userID), member.PlaneEQ(member.PlaneCOPILOT)).Exist(ctx)
	if err != nil || sits {
		return sits, err
	}
	return tx.RoleBinding.Query().Where(rolebinding.UserID(userID), rolebinding.RoleEQ(rolebinding.RoleADMIN),
		rolebinding.HasScopeWith(scope.KindNEQ(scope.KindCONSOLE), scope.PlaneNEQ(scope.PlaneCONSOLE))).Exist(ctx)
}

// Duplicate makes a new agent of another one's draft, under an owner of its own:
// neither its versions, nor its grants, nor its budget come along.
func (a *Agents) Duplicate(ctx context.Context, tx *store.Tx, from, owner *ent.Scope, name string) (*ent.Agent, *ent.Scope, error) {
	row, err := tx.Agent.Get(ctx, from.ID)
	if err != nil {
		return nil, nil, err
	}
	d, err := Parse(row.Draft)
	if err != nil {
		return nil, nil, err
	}
	credits := money.Nano(row.SessionCredits)
	return a.Create(ctx, tx, owner, Settings{Name: &name, Purpose: &row.Purpose, Icon: &row.Icon, Group: &row.GroupName,
		Categories: &row.Categories, Tags: &row.Tags, SessionCredits: &credits, SessionTurns: &row.SessionTurns}, d)
}

// Draft is an agent's draft as it stands.
func Draft(row *ent.Agent) (Definition, error) { return Parse(row.Draft) }

func event(action string, s *ent.Scope) audit.Event {
	return audit.Event{Action: action, AccountID: s.AccountID, Plane: tenancy.Plane(s.Plane),
		ScopeID: s.ID, ScopePath: s.Path, TargetID: s.ID, TargetName: s.Name}
}
