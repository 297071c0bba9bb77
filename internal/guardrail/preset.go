package guardrail

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/guardrailassignment"
	"github.com/alchemi/cockpit/ent/guardrailpreset"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Input describes a preset; nil leaves a value as it is.
type Input struct {
	Name, Description *string
	Disabled          *bool
	// Rules are checked as a whole: rules, exceptions and how to moderate.
	Rules *detect.Preset
	// ModerationURL is the outside service's; "" removes it.
	ModerationURL *string
	// ModerationSecret is its key in the clear; "" removes it. Giving back its
	// hint keeps it.
	ModerationSecret *string
	// ExpectedVersion refuses the change where another version stands.
	ExpectedVersion *int
}

const (
	maxPresetName  = 120
	maxDescription = 500
)

// checked is an input that can be taken.
type checked struct {
	name, description, url, hint *string
	status                       *guardrailpreset.Status
	rules                        json.RawMessage
	secret                       []byte
	secretGiven                  bool
}

func (g *Guards) check(presetID string, old *ent.GuardrailPreset, in Input) (c checked, err error) {
	if in.Name != nil {
		name := strings.TrimSpace(*in.Name)
		if name == "" || len(name) > maxPresetName {
			return c, fault.At("name", "A guardrail needs a name of at most %d bytes.", maxPresetName)
		}
		c.name = &name
	}
	if in.Description != nil {
		if len(*in.Description) > maxDescription {
			return c, fault.At("description", "A description has at most %d bytes.", maxDescription)
		}
		c.description = in.Description
	}
	if in.Disabled != nil {
		status := guardrailpreset.StatusACTIVE
		if *in.Disabled {
			status = guardrailpreset.StatusDISABLED
		}
		c.status = &status
	}
	if in.Rules != nil {
		if c.rules, err = Encode(in.Rules); err != nil {
			return c, err
		}
	}
	if in.ModerationURL != nil {
		if err := checkURL(*in.ModerationURL); err != nil {
			return c, err
		}
		c.url = in.ModerationURL
	}
	return c, g.seal(presetID, old, in, &c)
}

// Encode checks rules and writes them as they are stored.
func Encode(p *detect.Preset) (json.RawMessage, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	if _, faults := detect.Decode(raw); len(faults) > 0 {
		return nil, faults[0]
	}
	return raw, nil
}

func checkURL(raw string) error {
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Fragment != "" || len(raw) > 2000 {
		return fault.At("moderationUrl", "Give the whole address of the service, such as https://api.openai.com/v1/moderations.")
	}
	return nil
}

func (g *Guards) seal(presetID string, old *ent.GuardrailPreset, in Input, c *checked) error {
	hint, before := "", ""
	if old != nil {
		hint, before = old.ModerationSecretHint, old.ModerationURL
	}
	given := in.ModerationSecret != nil && *in.ModerationSecret != hint && !strings.HasPrefix(*in.ModerationSecret, "•") && !strings.HasPrefix(*in.ModerationSecret, "…")
	if given && *in.ModerationSecret != "" {
		plain := *in.ModerationSecret
		if len(plain) > 4096 || strings.ContainsAny(plain, "\r\n\x00") {
			return fault.At("moderationSecret", "A key has at most 4,096 characters on one line.")
		}
		shown := secret.Hint(plain)
		c.secret, c.hint, c.secretGiven = g.Box.Seal(presetID, plain), &shown, true
		return nil
	}
	if given || in.ModerationSecret != nil && *in.ModerationSecret == "" {
		none := ""
		c.hint, c.secretGiven = &none, true
		return nil
	}
	// Whoever may change the address could read the stored key there.
	if old != nil && len(old.ModerationSecret) > 0 && c.url != nil && host(*c.url) != host(before) {
		return fault.At("moderationSecret", "A new server needs its key given again, or removed: the stored one stays with the old address.")
	}
	return nil
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Host)
}

// Create makes a preset of a plane, whose root is given. It holds nowhere until
// it is assigned.
func (g *Guards) Create(ctx context.Context, tx *store.Tx, root *ent.Scope, in Input) (*ent.GuardrailPreset, error) {
	if in.Name == nil || in.Rules == nil {
		return nil, fault.At("name", "A guardrail needs a name and rules.")
	}
	newID := id.New(id.GuardrailPreset)
	c, err := g.check(newID, nil, in)
	if err != nil {
		return nil, err
	}
	by := ""
	if v := tenancy.ViewerFrom(ctx); v != nil {
		by = v.UserID
	}
	p, err := tx.GuardrailPreset.Create().SetID(newID).SetAccountID(root.AccountID).SetPlane(guardrailpreset.Plane(root.Plane)).
		SetName(*c.name).SetNillableDescription(c.description).SetNillableStatus(c.status).SetRules(c.rules).SetNillableModerationURL(c.url).
		SetModerationSecret(c.secret).SetNillableModerationSecretHint(c.hint).SetCreatedBy(by).Save(ctx)
	if store.IsConflict(err) {
		return nil, taken(*c.name)
	}
	if err != nil {
		return nil, err
	}
	return p, tx.Audit(ctx, event("guardrail.create", root, p))
}

// Update changes a preset, wherever it holds.
func (g *Guards) Update(ctx context.Context, tx *store.Tx, root *ent.Scope, presetID string, in Input) (*ent.GuardrailPreset, error) {
	old, err := presetOf(ctx, tx, root, presetID)
	if err != nil {
		return nil, err
	}
	if in.ExpectedVersion != nil && *in.ExpectedVersion != old.Version {
		return nil, stale(*in.ExpectedVersion, old.Version)
	}
	c, err := g.check(old.ID, old, in)
	if err != nil {
		return nil, err
	}
	u := old.Update().SetNillableName(c.name).SetNillableDescription(c.description).SetNillableStatus(c.status).
		SetNillableModerationURL(c.url).SetNillableModerationSecretHint(c.hint)
	if c.rules != nil {
		u.SetRules(c.rules)
	}
	if c.secretGiven {
		u.SetModerationSecret(c.secret)
	}
	if in.ExpectedVersion != nil {
		u.Where(guardrailpreset.Version(*in.ExpectedVersion))
	}
	var p *ent.GuardrailPreset
	save := func() (err error) {
		p, err = u.Save(ctx)
		return err
	}
	if in.Disabled != nil && *in.Disabled {
		err = keeping(ctx, tx, root, save)
	} else {
		err = save()
	}
	if store.IsConflict(err) {
		return nil, taken(*c.name)
	}
	if ent.IsNotFound(err) && in.ExpectedVersion != nil {
		return nil, stale(*in.ExpectedVersion, *in.ExpectedVersion+1)
	}
	if err != nil {
		return nil, err
	}
	return p, tx.Audit(ctx, event("guardrail.update", root, p))
}

// Delete removes a preset that is assigned nowhere any more, and that no
// published agent has as its only one.
func (g *Guards) Delete(ctx context.Context, tx *store.Tx, root *ent.Scope, presetID string) error {
	p, err := presetOf(ctx, tx, root, presetID)
	if err != nil {
		return err
	}
	n, err := tx.GuardrailAssignment.Query().Where(guardrailassignment.PresetID(p.ID)).Count(tenancy.System(ctx, "a preset stays while it holds anywhere"))
	if err != nil {
		return err
	}
	if n > 0 {
		return fault.New(fault.InUse, "%s is assigned to %d places. Take it off them first, or disable it.", p.Name, n)
	}
	if err := keeping(ctx, tx, root, func() error { return tx.GuardrailPreset.DeleteOneID(p.ID).Exec(ctx) }); err != nil {
		return err
	}
	return tx.Audit(ctx, event("guardrail.delete", root, p))
}

// Assign puts a preset on a scope and all below it. Assigning it twice changes
// nothing.
func (g *Guards) Assign(ctx context.Context, tx *store.Tx, at *ent.Scope, presetID string) (*ent.GuardrailPreset, error) {
	switch at.Kind {
	case scope.KindCONSOLE, scope.KindCOPILOT, scope.KindORGANIZATION, scope.KindTEAM, scope.KindMEMBER, scope.KindKEY, scope.KindAGENT:
	default:
		return nil, fault.At("scopeId", "Guardrails are assigned to a plane, an organization, a team, a member, a key or an agent.")
	}
	if at.ArchivedAt != nil {
		return nil, fault.At("scopeId", "%s was archived; restore it first, or choose another place.", at.Name)
	}
	p, err := presetOf(ctx, tx, at, presetID)
	if err != nil {
		return nil, err
	}
	stands, err := tx.GuardrailAssignment.Query().Where(guardrailassignment.ScopeID(at.ID), guardrailassignment.PresetID(p.ID)).Exist(ctx)
	if err != nil {
		return nil, err
	}
	if stands {
		tx.Unaudited()
		return p, nil
	}
	by := ""
	if v := tenancy.ViewerFrom(ctx); v != nil {
		by = v.UserID
	}
	err = tx.GuardrailAssignment.Create().SetAccountID(at.AccountID).SetPlane(guardrailassignment.Plane(at.Plane)).
		SetScopeID(at.ID).SetPresetID(p.ID).SetAssignedBy(by).Exec(ctx)
	if store.IsConflict(err) {
		return nil, fault.New(fault.Conflict, "Somebody assigned %s here at the same time. Look at the newest state.", p.Name)
	}
	if err != nil {
		return nil, err
	}
	return p, tx.Audit(ctx, event("guardrail.assign", at, p))
}

// Unassign takes a preset off the scope that it was assigned to. What holds from
// above stays, and so does the only one of a published agent.
func (g *Guards) Unassign(ctx context.Context, tx *store.Tx, at *ent.Scope, presetID string) (*ent.GuardrailPreset, error) {
	p, err := presetOf(ctx, tx, at, presetID)
	if err != nil {
		return nil, err
	}
	err = keeping(ctx, tx, at, func() error {
		n, err := tx.GuardrailAssignment.Delete().Where(guardrailassignment.ScopeID(at.ID), guardrailassignment.PresetID(p.ID)).Exec(ctx)
		if err == nil && n == 0 {
			err = fault.At("presetId", "%s isn't assigned to %s itself. One that holds from above is taken off there, by an admin of that place.", p.Name, at.Name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, tx.Audit(ctx, event("guardrail.unassign", at, p))
}

func presetOf(ctx context.Context, tx *store.Tx, at *ent.Scope, presetID string) (*ent.GuardrailPreset, error) {
	p, err := tx.GuardrailPreset.Query().Where(guardrailpreset.ID(presetID), guardrailpreset.AccountID(at.AccountID),
		guardrailpreset.PlaneEQ(guardrailpreset.Plane(at.Plane))).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("guardrail")
	}
	return p, err
}

func taken(name string) error {
	e := fault.At("name", "There is a guardrail named %q already; choose another name.", name)
	e.Code = fault.Exists
	return e
}

func stale(expected, current int) error {
	e := fault.New(fault.Conflict, "Somebody changed this since you opened it. Look at the newest state, then change it again.").
		With("expectedVersion", expected).With("currentVersion", current)
	e.Path = []string{"expectedVersion"}
	return e
}

func event(action string, at *ent.Scope, p *ent.GuardrailPreset) audit.Event {
	return audit.Event{Action: action, AccountID: at.AccountID, Plane: tenancy.Plane(at.Plane),
		ScopeID: at.ID, ScopePath: at.Path, TargetID: p.ID, TargetName: p.Name}
}
