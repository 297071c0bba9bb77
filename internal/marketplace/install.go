package marketplace

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/listingversion"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
)

// Market installs listings; models by the catalogue's own verbs.
type Market struct{ Catalog *catalog.Catalog }

// Installed is what an account made of a listing.
type Installed struct {
	ResourceID, Name, ScopeID string
	// Version is the listing's that it was made of; 0 for models.
	Version int
}

// Install makes a listing's model, agent or connection at a scope of an account:
// a model in the plane, an agent as a draft, a connection without a credential.
func (m *Market) Install(ctx context.Context, tx *store.Tx, l *ent.Listing, at *ent.Scope, name, by string) (Installed, error) {
	offered, err := Offered(ctx, tx, l, at.AccountID)
	if err != nil {
		return Installed{}, err
	}
	if !offered {
		return Installed{}, fault.Missing("listing")
	}
	if at.Plane != scope.PlaneCOPILOT || at.ArchivedAt != nil {
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
		return Installed{made.ID, made.Name, at.ID, 0}, counted(ctx, tx, l, 1)
	}
	v, err := Published(ctx, tx, l)
	if err != nil {
		return Installed{}, err
	}
	if name = strings.TrimSpace(name); name == "" {
		name = l.Name
	}
	made := Installed{Name: name, ScopeID: at.ID, Version: v.Number}
	if l.Kind == listing.KindCONNECTION {
		made, err = installConnection(ctx, tx, l, v, at, made, by)
	} else {
		made, err = installAgent(ctx, tx, l, v, at, made, by)
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

func installAgent(ctx context.Context, tx *store.Tx, l *ent.Listing, v *ent.ListingVersion, at *ent.Scope, made Installed, by string) (Installed, error) {
	if len(made.Name) > 200 {
		return made, fault.At("name", "A name has at most 200 characters.")
	}
	p, draft, err := agentOf(ctx, tx, v, at.AccountID)
	if err != nil {
		return made, err
	}
	s, err := identity.CreateAgentScope(ctx, tx, at, made.Name)
	if err != nil {
		return made, err
	}
	made.ResourceID = s.ID
	return made, tx.Agent.Create().SetID(s.ID).SetAccountID(at.AccountID).SetPlane(agent.PlaneCOPILOT).SetPurpose(p.Purpose).SetIcon(p.Icon).
		SetOwnerUserID(by).SetCreatedBy(by).SetDraft(draft).SetListingID(l.ID).SetListingVersion(v.Number).Exec(ctx)
}

// agentOf reads an agent's payload, with the account's own model in its
// definition where the payload names one that is switched on there.
func agentOf(ctx context.Context, tx *store.Tx, v *ent.ListingVersion, accountID string) (AgentPayload, json.RawMessage, error) {
	var p AgentPayload
	if err := read(v.Payload, &p); err != nil {
		return p, nil, err
	}
	if p.Model == "" {
		return p, p.Definition, nil
	}
	own, err := tx.Model.Query().Where(model.AccountID(accountID), model.PlaneEQ(model.PlaneCOPILOT), model.Name(p.Model)).Only(ctx)
	if ent.IsNotFound(err) {
		return p, p.Definition, nil // whoever finishes the draft chooses another
	}
	if err != nil {
		return p, nil, err
	}
	var d map[string]json.RawMessage
	if err := json.Unmarshal(p.Definition, &d); err != nil {
		return p, nil, err
	}
	if d["modelId"], err = json.Marshal(own.ID); err != nil {
		return p, nil, err
	}
	draft, err := json.Marshal(d)
	return p, draft, err
}

func installConnection(ctx context.Context, tx *store.Tx, l *ent.Listing, v *ent.ListingVersion, at *ent.Scope, made Installed, by string) (Installed, error) {
	var p ConnectionPayload
	if err := read(v.Payload, &p); err != nil {
		return made, err
	}
	if len(made.Name) > 60 {
		return made, fault.At("name", "A connection's name has at most 60 characters.")
	}
	c, err := tx.Connection.Create().SetAccountID(at.AccountID).SetPlane(connection.PlaneCOPILOT).SetScopeID(at.ID).SetName(made.Name).
		SetKind(p.Kind).SetDescription(p.Description).SetIcon(p.Icon).SetURL(p.URL).SetCommand(p.Command).SetDocument(p.Document).
		SetDocumentURL(p.DocumentURL).SetAuth(p.Auth).SetCredential(p.Credential).SetAuthName(p.AuthName).SetOauth(p.OAuth).
		SetListingID(l.ID).SetListingVersion(v.Number).SetCreatedBy(by).Save(ctx)
	if store.IsConflict(err) {
		e := fault.At("name", "There is a connection named %q already; choose another name.", made.Name)
		e.Code = fault.Exists
		return made, e
	}
	if err != nil {
		return made, err
	}
	made.ResourceID = c.ID
	return made, nil
}

// found is something that was installed, with where it belongs.
type found struct {
	agent      *ent.Agent
	connection *ent.Connection
	at         *ent.Scope
	name       string
	listingID  string
	version    int
}

// Find looks an installed agent or connection of an account up, with the scope
// that it belongs to.
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
func Update(ctx context.Context, tx *store.Tx, accountID, resourceID string) (Installed, []Change, error) {
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
	if f.agent != nil {
		p, draft, err := agentOf(ctx, tx, to, accountID)
		if err != nil {
			return Installed{}, nil, err
		}
		err = f.agent.Update().SetDraft(draft).SetPurpose(p.Purpose).SetIcon(p.Icon).SetListingVersion(to.Number).Exec(ctx)
		if err != nil {
			return Installed{}, nil, err
		}
	} else {
		var p ConnectionPayload
		if err := read(to.Payload, &p); err != nil {
			return Installed{}, nil, err
		}
		if p.URL != f.connection.URL || p.Auth != f.connection.Auth {
			// What people signed in with isn't the new server's to see.
			if err := forget(ctx, tx, f.connection.ID); err != nil {
				return Installed{}, nil, err
			}
		}
		err := f.connection.Update().SetDescription(p.Description).SetIcon(p.Icon).SetURL(p.URL).SetCommand(p.Command).SetDocument(p.Document).
			SetDocumentURL(p.DocumentURL).SetAuth(p.Auth).SetCredential(p.Credential).SetAuthName(p.AuthName).SetOauth(p.OAuth).
			SetListingVersion(to.Number).Exec(ctx)
		if err != nil {
			return Installed{}, nil, err
		}
	}
	return Installed{resourceID, f.name, f.at.ID, to.Number}, changes, tx.Audit(ctx, event("listing.upgrade", l, f.at))
}

func forget(ctx context.Context, tx *store.Tx, connectionID string) error {
	_, err := tx.Exec(ctx, "DELETE FROM connection_credentials WHERE connection_id = ?", connectionID)
	return err
}

// Impact is what an uninstallation does.
type Impact struct {
	Grants, Tools int
	// Of the last 30 days.
	Calls   int64
	Credits money.Nano
}

// Uninstall retires an installed agent, or switches a connection off; who had
// it granted is refused from now on. What was used stays on the books.
func Uninstall(ctx context.Context, tx *store.Tx, accountID, resourceID string) (Impact, error) {
	var out Impact
	f, err := find(ctx, tx, accountID, resourceID)
	if err != nil {
		return out, err
	}
	l, err := tx.Listing.Get(ctx, f.listingID)
	if err != nil {
		return out, hidden(err, "listing")
	}
	if f.agent != nil {
		if f.agent.Availability == agent.AvailabilityRETIRED {
			return out, fault.At("resourceId", "It was uninstalled already.")
		}
		if out.Grants, err = tx.Grant.Query().Where(grant.AgentID(resourceID), grant.EffectEQ(grant.EffectALLOW)).Count(ctx); err != nil {
			return out, err
		}
		err = tx.Rows(ctx, "SELECT CAST(coalesce(sum(calls), 0) AS BIGINT), CAST(coalesce(sum(credits), 0) AS BIGINT) FROM usage_days WHERE account_id = ? AND agent_id = ? AND day > ?",
			[]any{accountID, resourceID, tx.Now().Unix()/86400 - 30}, func(r *sql.Rows) error { return r.Scan(&out.Calls, &out.Credits) })
		if err != nil {
			return out, err
		}
		err = f.agent.Update().SetAvailability(agent.AvailabilityRETIRED).Exec(ctx)
	} else {
		if f.connection.Status == connection.StatusDISABLED {
			return out, fault.At("resourceId", "It was uninstalled already.")
		}
		tools, terr := tx.Tool.Query().Where(tool.ConnectionID(resourceID)).IDs(ctx)
		if terr != nil {
			return out, terr
		}
		out.Tools = len(tools)
		if out.Grants, err = tx.Grant.Query().Where(grant.EffectEQ(grant.EffectALLOW), grant.Or(grant.ConnectionID(resourceID), grant.ToolIDIn(tools...))).Count(ctx); err != nil {
			return out, err
		}
		err = f.connection.Update().SetStatus(connection.StatusDISABLED).Exec(ctx)
	}
	if err != nil {
		return out, err
	}
	tx.Touch(accountID)
	if err := counted(ctx, tx, l, -1); err != nil {
		return out, err
	}
	e := event("listing.uninstall", l, f.at)
	e.TargetName = f.name
	return out, tx.Audit(ctx, e)
}
