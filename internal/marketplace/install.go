package marketplace

import (
	"context"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/listingversion"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
)

// Installed is what an account made of a listing.
type Installed struct {
	ResourceID, Name, ScopeID string
	// Version is the listing's that it was made of; 0 for models.
	Version int
}

// Install makes a listing's model, agent or connection at a scope of an account:
// a model in the plane, an agent as a draft, a connection without a credential.
func (m *Market) Install(ctx context.Context, tx *store.Tx, l *ent.Listing, at *ent.Scope, name string) (Installed, error) {
	offered, err := Offered(ctx, tx, l, at.AccountID)
	if err != nil {
		return Installed{}, err
	}
	if !offered {
		return Installed{}, fault.Missing("listing")
	}
	if at.Plane != scope.PlaneCOPILOT || at.ArchivedAt != nil || at.Kind != scope.KindCOPILOT && at.Kind != scope.KindORGANIZATION && at.Kind != scope.KindTEAM {
		return Installed{}, fault.At("scopeId", "It is installed in Copilot, or in an organization or a team of it that isn't archived.")
	}
	if l.Kind == listing.KindMODEL {
		if at.Kind != scope.KindCOPILOT {
			return Installed{}, fault.At("scopeId", "A model is switched on for all of Copilot; grants say who may call it.")
		}
		made, err := m.Catalog.InstallModel(ctx, tx, at, *l.CatalogModelID)
		if err != nil {
			return Installed{}, err
		}
		return Installed{ResourceID: made.ID, Name: made.Name, ScopeID: at.ID}, counted(ctx, tx, l, 1)
	}
	v, err := Published(ctx, tx, l)
	if err != nil {
		return Installed{}, err
	}
	made := Installed{Name: strings.TrimSpace(name), ScopeID: at.ID, Version: v.Number}
	if l.Kind == listing.KindCONNECTION {
		made, err = m.installConnection(ctx, tx, l, v, at, made)
	} else {
		made, err = m.installAgent(ctx, tx, l, v, at, made)
	}
	if err != nil {
		return made, err
	}
	e := event("listing.install", l, at)
	e.Changes = map[string]audit.Change{"installed": {After: made.Name}}
	if err := tx.Audit(ctx, e); err != nil {
		return made, err
	}
	return made, counted(ctx, tx, l, 1)
}

func counted(ctx context.Context, tx *store.Tx, l *ent.Listing, by int) error {
	_, err := tx.Exec(ctx, "UPDATE listings SET install_count = CASE WHEN install_count + ? < 0 THEN 0 ELSE install_count + ? END WHERE id = ?", by, by, l.ID)
	return err
}

func (m *Market) installAgent(ctx context.Context, tx *store.Tx, l *ent.Listing, v *ent.ListingVersion, at *ent.Scope, made Installed) (Installed, error) {
	if made.Name == "" {
		made.Name = l.Name
	}
	p, d, err := agentOf(ctx, tx, v, at.AccountID)
	if err != nil {
		return made, err
	}
	row, s, err := m.Agents.Create(ctx, tx, at, agents.Settings{Name: &made.Name, Purpose: &p.Purpose, Icon: &p.Icon}, d)
	if err != nil {
		return made, err
	}
	made.ResourceID = s.ID
	return made, row.Update().SetListingID(l.ID).SetListingVersion(v.Number).Exec(ctx)
}

// agentOf reads an agent's payload, with the account's own model in its
// definition where the payload names one that is switched on there.
func agentOf(ctx context.Context, tx *store.Tx, v *ent.ListingVersion, accountID string) (AgentPayload, agents.Definition, error) {
	var p AgentPayload
	if err := read(v.Payload, &p); err != nil {
		return p, agents.Definition{}, err
	}
	d, err := agents.Parse(p.Definition)
	if err != nil || p.Model == "" {
		return p, d, err
	}
	own, err := tx.Model.Query().Where(model.AccountID(accountID), model.PlaneEQ(model.PlaneCOPILOT), model.Name(p.Model)).Only(ctx)
	if ent.IsNotFound(err) {
		return p, d, nil // whoever finishes the draft chooses another
	}
	if err != nil {
		return p, d, err
	}
	d.ModelID = own.ID
	return p, d, nil
}

func (m *Market) installConnection(ctx context.Context, tx *store.Tx, l *ent.Listing, v *ent.ListingVersion, at *ent.Scope, made Installed) (Installed, error) {
	var p ConnectionPayload
	if err := read(v.Payload, &p); err != nil {
		return made, err
	}
	if made.Name == "" {
		made.Name = callName(l.Name)
	}
	in := p.input()
	in.Name = &made.Name
	c, err := m.Connections.Create(ctx, tx, at, in)
	if err != nil {
		return made, err
	}
	made.ResourceID = c.ID
	return made, tx.Connection.UpdateOneID(c.ID).SetListingID(l.ID).SetListingVersion(v.Number).Exec(ctx)
}

// callName makes a connection's name, which stands before each tool's own, of
// what people call it.
func callName(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r < '0' || r > '9' && r < 'a' || r > 'z' })
	out := strings.Join(words, "-")
	if len(out) > 40 {
		out = strings.Trim(out[:40], "-")
	}
	if out == "" {
		return "connection"
	}
	return out
}

// found is something that was installed, with where it belongs.
type found struct {
	model      *ent.Model
	agent      *ent.Agent
	connection *ent.Connection
	at         *ent.Scope
	name       string
	listingID  string
	version    int
}

// Find looks an installed model, agent or connection of an account up, with the
// scope that it belongs to.
func Find(ctx context.Context, tx *store.Tx, accountID, resourceID string) (listingID string, at *ent.Scope, err error) {
	f, err := find(ctx, tx, accountID, resourceID)
	if err != nil {
		return "", nil, err
	}
	return f.listingID, f.at, nil
}

func find(ctx context.Context, tx *store.Tx, accountID, resourceID string) (*found, error) {
	f := &found{}
	var owner string
	switch prefix, _ := id.PrefixOf(resourceID); prefix {
	case id.Model:
		m, err := tx.Model.Query().Where(model.ID(resourceID), model.AccountID(accountID), model.PlaneEQ(model.PlaneCOPILOT), model.CatalogModelIDNotNil()).Only(ctx)
		if err != nil {
			return nil, hidden(err, "installation")
		}
		l, err := tx.Listing.Query().Where(listing.CatalogModelID(*m.CatalogModelID)).Only(ctx)
		if err != nil {
			return nil, hidden(err, "installation")
		}
		f.model, f.name, f.listingID = m, m.Name, l.ID
		f.at, err = rootOf(ctx, tx, accountID)
		return f, err
	case id.Agent:
		a, err := tx.Agent.Query().Where(agent.ID(resourceID), agent.AccountID(accountID), agent.ListingIDNEQ("")).Only(ctx)
		if err != nil {
			return nil, hidden(err, "installation")
		}
		s, err := tx.Scope.Get(ctx, a.ID)
		if err != nil {
			return nil, hidden(err, "installation")
		}
		f.agent, f.name, f.listingID, f.version, owner = a, s.Name, a.ListingID, a.ListingVersion, *s.ParentID
	case id.Connection:
		c, err := tx.Connection.Query().Where(connection.ID(resourceID), connection.AccountID(accountID), connection.ListingIDNEQ("")).Only(ctx)
		if err != nil {
			return nil, hidden(err, "installation")
		}
		f.connection, f.name, f.listingID, f.version, owner = c, c.Name, c.ListingID, c.ListingVersion, c.ScopeID
	default:
		return nil, fault.Missing("installation")
	}
	var err error
	f.at, err = tx.Scope.Get(ctx, owner)
	return f, err
}

// Update brings an installed agent's draft or a connection to the listing's
// published version, and tells what differs between the two versions. An
// agent's version in use stays until its admins publish the draft.
func (m *Market) Update(ctx context.Context, tx *store.Tx, accountID, resourceID string) (Installed, []Change, error) {
	f, err := find(ctx, tx, accountID, resourceID)
	if err != nil {
		return Installed{}, nil, err
	}
	l, err := tx.Listing.Get(ctx, f.listingID)
	if err != nil {
		return Installed{}, nil, hidden(err, "listing")
	}
	offered, err := Offered(ctx, tx, l, accountID)
	if err != nil {
		return Installed{}, nil, err
	}
	if !offered {
		return Installed{}, nil, fault.At("resourceId", "The listing is offered no more; what is installed stays as it is.")
	}
	if f.model != nil {
		return Installed{}, nil, fault.At("resourceId", "A model has no versions here: it is the catalogue's.")
	}
	if f.version >= l.PublishedVersion {
		return Installed{}, nil, fault.At("resourceId", "The newest version is installed already.")
	}
	to, err := Published(ctx, tx, l)
	if err != nil {
		return Installed{}, nil, err
	}
	from, err := tx.ListingVersion.Query().Where(listingversion.ListingID(l.ID), listingversion.Number(f.version)).Only(ctx)
	if err != nil {
		return Installed{}, nil, err
	}
	changes, err := Diff(from.Payload, to.Payload)
	if err != nil {
		return Installed{}, nil, err
	}
	if err := m.bring(ctx, tx, f, to); err != nil {
		return Installed{}, nil, err
	}
	return Installed{resourceID, f.name, f.at.ID, to.Number}, changes, tx.Audit(ctx, event("listing.upgrade", l, f.at))
}

// keepOwn leaves an installed agent what the account itself has chosen: its
// guardrails, and its model where the version names none that is there.
func keepOwn(d *agents.Definition, installed *ent.Agent) error {
	own, err := agents.Parse(installed.Draft)
	if err != nil {
		return err
	}
	for _, presetID := range own.GuardrailPresetIDs {
		if !slices.Contains(d.GuardrailPresetIDs, presetID) {
			d.GuardrailPresetIDs = append(d.GuardrailPresetIDs, presetID)
		}
	}
	if d.ModelID == "" {
		d.ModelID = own.ModelID
	}
	return nil
}

// bring makes what was installed what a version says.
func (m *Market) bring(ctx context.Context, tx *store.Tx, f *found, to *ent.ListingVersion) error {
	if f.agent != nil {
		p, d, err := agentOf(ctx, tx, to, f.at.AccountID)
		if err != nil {
			return err
		}
		s, err := tx.Scope.Get(ctx, f.agent.ID)
		if err != nil {
			return err
		}
		if err := keepOwn(&d, f.agent); err != nil {
			return err
		}
		row, err := m.Agents.Update(ctx, tx, s, agents.Settings{Purpose: &p.Purpose, Icon: &p.Icon}, &d, nil)
		if err != nil {
			return err
		}
		return row.Update().SetListingVersion(to.Number).Exec(ctx)
	}
	var p ConnectionPayload
	if err := read(to.Payload, &p); err != nil {
		return err
	}
	if p.Kind != f.connection.Kind {
		return fault.At("resourceId", "The newest version is another kind of connection. Install it beside this one, then uninstall this one.")
	}
	row, err := m.Connections.Update(ctx, tx, f.connection.ID, p.input())
	if err != nil {
		return err
	}
	return tx.Connection.UpdateOneID(row.ID).SetListingVersion(to.Number).Exec(ctx)
}
