package agents

import (
	"context"
	"fmt"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agentversion"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const maxChangelog = 2000

// Publish freezes an agent's draft as the version that calls go through from now
// on. It is checked first, and refused where a call would be.
func (a *Agents) Publish(ctx context.Context, tx *store.Tx, s *ent.Scope, changelog string, expected *int) (*ent.Agent, error) {
	row, err := lock(ctx, tx, s, expected)
	if err != nil {
		return nil, err
	}
	d, err := Parse(row.Draft)
	if err != nil {
		return nil, err
	}
	if row.PublishedVersion != nil {
		live, err := version(ctx, tx, s.ID, *row.PublishedVersion)
		if err != nil {
			return nil, err
		}
		if old, err := Parse(live.Definition); err == nil && len(Diff(old, d)) == 0 {
			return nil, fault.New(fault.Invalid, "The draft is what version %d says already. Change it first.", live.Number)
		}
	}
	return publish(ctx, tx, row, s, d, changelog, 0, "agent.publish")
}

// Rollback publishes an older version's definition anew; the draft stays.
func (a *Agents) Rollback(ctx context.Context, tx *store.Tx, s *ent.Scope, number int, changelog string, expected *int) (*ent.Agent, error) {
	row, err := lock(ctx, tx, s, expected)
	if err != nil {
		return nil, err
	}
	v, err := version(ctx, tx, s.ID, number)
	if err != nil {
		return nil, err
	}
	switch {
	case row.PublishedVersion != nil && *row.PublishedVersion == number:
		return nil, fault.At("number", "Version %d is the one in use.", number)
	case v.RetiredAt != nil:
		return nil, fault.At("number", "Version %d was retired, and doesn't come back. Choose another one.", number)
	}
	d, err := Parse(v.Definition)
	if err != nil {
		return nil, err
	}
	if changelog == "" {
		changelog = fmt.Sprintf("Back to version %d.", number)
	}
	return publish(ctx, tx, row, s, d, changelog, number, "agent.rollback")
}

func publish(ctx context.Context, tx *store.Tx, row *ent.Agent, s *ent.Scope, d Definition, changelog string, restores int, action string) (*ent.Agent, error) {
	if changelog = strings.TrimSpace(changelog); len(changelog) > maxChangelog || !plain(changelog) {
		return nil, fault.At("changelog", "A changelog has at most %d characters.", maxChangelog)
	}
	problems, err := Validate(ctx, tx.Client, tx.Now(), s, d)
	if err != nil {
		return nil, err
	}
	for _, p := range problems {
		if p.Error {
			e := at(p.Field, "%s %s", p.Message, p.Fix).(*fault.Error) //nolint:errorlint,errcheck // made by at
			return nil, e.With("problem", p.Code)
		}
	}
	raw, err := d.encode()
	if err != nil {
		return nil, err
	}
	last, err := tx.AgentVersion.Query().Where(agentversion.AgentID(s.ID)).Order(ent.Desc(agentversion.FieldNumber)).First(ctx)
	number := 1
	switch {
	case err == nil:
		number = last.Number + 1
	case !ent.IsNotFound(err):
		return nil, err
	}
	by, name := "", "System"
	if v := tenancy.ViewerFrom(ctx); v != nil {
		by, name = v.UserID, v.Name
	}
	err = tx.AgentVersion.Create().SetAccountID(s.AccountID).SetPlane(agentversion.Plane(s.Plane)).SetAgentID(s.ID).SetNumber(number).
		SetDefinition(raw).SetChangelog(changelog).SetPublishedBy(by).SetPublishedByName(name).SetRestores(restores).Exec(ctx)
	if err != nil {
		return nil, err
	}
	before := row.PublishedVersion
	if row, err = row.Update().SetPublishedVersion(number).Save(ctx); err != nil {
		return nil, err
	}
	e := event(action, s)
	e.Changes = map[string]audit.Change{"published_version": {Before: before, After: number}}
	if restores > 0 {
		e.Changes["restores"] = audit.Change{After: restores}
	}
	return row, tx.Audit(ctx, e)
}

// RetireVersion keeps an older version from coming back.
func (a *Agents) RetireVersion(ctx context.Context, tx *store.Tx, s *ent.Scope, number int) (*ent.Agent, error) {
	row, err := lock(ctx, tx, s, nil)
	if err != nil {
		return nil, err
	}
	v, err := version(ctx, tx, s.ID, number)
	if err != nil {
		return nil, err
	}
	switch {
	case row.PublishedVersion != nil && *row.PublishedVersion == number:
		return nil, fault.At("number", "Version %d is the one in use. Publish another one first.", number)
	case v.RetiredAt != nil:
		return nil, fault.At("number", "Version %d was retired already.", number)
	}
	if err := v.Update().SetRetiredAt(tx.Now()).Exec(ctx); err != nil {
		return nil, err
	}
	e := event("agent.retireVersion", s)
	e.Changes = map[string]audit.Change{"retired_version": {After: number}}
	return row, tx.Audit(ctx, e)
}

func version(ctx context.Context, tx *store.Tx, agentID string, number int) (*ent.AgentVersion, error) {
	v, err := tx.AgentVersion.Query().Where(agentversion.AgentID(agentID), agentversion.Number(number)).Only(ctx)
	if ent.IsNotFound(err) {
		e := fault.Missing("version")
		e.Path = []string{"number"}
		return nil, e
	}
	return v, err
}
