package catalog

import (
	"context"
	"net/url"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/centralprovider"
	"github.com/alchemi/cockpit/ent/provider"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// ProviderInput describes an endpoint to make or change; nil leaves a value as
// it is.
type ProviderInput struct {
	Name    *string
	BaseURL *string
	// Secret is the key in the clear; "" removes it. Giving back its hint, with
	// or without a mask before it, keeps the old one, as nil does.
	Secret *string
	Status *string
	// ExpectedVersion refuses the change where the row has moved on.
	ExpectedVersion *int
}

// checkName returns the trimmed name, or an error about field.
func checkName(field, name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 120 {
		return "", fault.At(field, "A name has 1–120 characters.")
	}
	return name, nil
}

// checkBaseURL returns the address without a trailing slash.
func checkBaseURL(s string) (string, error) {
	s = strings.TrimRight(strings.TrimSpace(s), "/")
	u, err := url.Parse(s)
	if err != nil || len(s) > 500 || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fault.At("baseUrl", "The address must look like https://api.example.com/v1, without user, query or fragment.")
	}
	return s, nil
}

// sealed encrypts a new secret; ok is false where the old one, with that hint,
// stays.
func (c *Catalog) sealed(place, old string, s *string) (sealed []byte, hint string, ok bool, err error) {
	if s == nil {
		return nil, "", false, nil
	}
	plain := strings.TrimSpace(*s)
	switch {
	case plain != "" && plain == old:
		return nil, "", false, nil // the hint, posted back
	case strings.HasPrefix(plain, "•") || strings.HasPrefix(plain, "…") || strings.HasPrefix(plain, "***"):
		return nil, "", false, nil // the mask, posted back
	case plain == "":
		return nil, "", true, nil
	case len(plain) > 4096 || strings.ContainsAny(plain, "\r\n\x00"):
		return nil, "", false, fault.At("secret", "A key has at most 4,096 characters on one line.")
	}
	return c.box.Seal(place, plain), secret.Hint(plain), true, nil
}

func taken(field, noun, name string) error {
	e := fault.At(field, "There is a %s named %q already; choose another name.", noun, name)
	e.Code = fault.Exists
	return e
}

// stale is the Conflict of a row that has moved on.
func stale(expected, current int) error {
	e := fault.New(fault.Conflict, "Somebody changed this since you opened it. Look at the newest state, then change it again.").
		With("expectedVersion", expected).With("currentVersion", current)
	e.Path = []string{"expectedVersion"}
	return e
}

// hidden makes what the guard refused look like what doesn't exist.
func hidden(err error, noun string) error {
	if ent.IsNotFound(err) {
		return fault.Missing(noun)
	}
	return err
}

// errKeepsKey refuses to send a stored key to another server: whoever may
// change the address could read it there.
var errKeepsKey = fault.At("secret", "A new server needs its key given again, or removed: the stored one stays with the old address.")

func host(baseURL string) string {
	u, err := url.Parse(strings.TrimSpace(baseURL))
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Host)
}

// outrun is hidden for an update that asked for a version: the row was there a
// moment ago, so somebody else has just changed it.
func outrun(err error, expected *int, noun string) error {
	if ent.IsNotFound(err) && expected != nil {
		return stale(*expected, *expected+1)
	}
	return hidden(err, noun)
}

// CreateProvider adds an endpoint to an account's Console, whose root is given.
func (c *Catalog) CreateProvider(ctx context.Context, tx *store.Tx, root *ent.Scope, in ProviderInput) (*ent.Provider, error) {
	if root.Kind != scope.KindCONSOLE {
		return nil, fault.New(fault.Invalid, "Providers belong to Console.")
	}
	name, base, err := endpoint(in)
	if err != nil {
		return nil, err
	}
	newID := id.New(id.Provider)
	box, hint, _, err := c.sealed(newID, "", in.Secret)
	if err != nil {
		return nil, err
	}
	p, err := tx.Provider.Create().SetID(newID).SetAccountID(root.AccountID).SetPlane(provider.PlaneCONSOLE).
		SetName(name).SetBaseURL(base).SetSecret(box).SetSecretHint(hint).Save(ctx)
	if store.IsConflict(err) {
		return nil, taken("name", "provider", name)
	}
	if err != nil {
		return nil, err
	}
	return p, tx.Audit(ctx, event("provider.create", root, p.ID, name))
}

func endpoint(in ProviderInput) (name, base string, err error) {
	if in.Name == nil || in.BaseURL == nil {
		return "", "", fault.At("name", "Name and address are needed.")
	}
	if name, err = checkName("name", *in.Name); err != nil {
		return "", "", err
	}
	base, err = checkBaseURL(*in.BaseURL)
	return name, base, err
}

func event(action string, root *ent.Scope, targetID, name string) audit.Event {
	return audit.Event{Action: action, AccountID: root.AccountID, Plane: tenancy.Plane(root.Plane),
		ScopeID: root.ID, ScopePath: root.Path, TargetID: targetID, TargetName: name}
}

func platformEvent(action, targetID, name string) audit.Event {
	return audit.Event{Action: action, AccountID: id.PlatformID, Plane: tenancy.PlanePlatform,
		ScopeID: id.PlatformID, ScopePath: "/", TargetID: targetID, TargetName: name}
}

// stored is what an endpoint is before a change.
type stored struct {
	id, baseURL, hint string
	hasKey            bool
	version           int
}

// edit is a checked change; nil leaves a value as it is.
type edit struct {
	name, baseURL, hint *string
	secret              []byte
}

// check refuses what can't be taken, and seals a new key.
func (c *Catalog) check(old stored, in ProviderInput) (e edit, err error) {
	if in.ExpectedVersion != nil && *in.ExpectedVersion != old.version {
		return e, stale(*in.ExpectedVersion, old.version)
	}
	if in.Name != nil {
		name, err := checkName("name", *in.Name)
		if err != nil {
			return e, err
		}
		e.name = &name
	}
	if in.BaseURL != nil {
		base, err := checkBaseURL(*in.BaseURL)
		if err != nil {
			return e, err
		}
		e.baseURL = &base
	}
	box, hint, given, err := c.sealed(old.id, old.hint, in.Secret)
	switch {
	case err != nil:
		return e, err
	case given:
		e.secret, e.hint = box, &hint
	case in.BaseURL != nil && old.hasKey && host(*in.BaseURL) != host(old.baseURL):
		return e, errKeepsKey
	}
	return e, nil
}

// UpdateProvider changes an endpoint of the viewer's Console.
func (c *Catalog) UpdateProvider(ctx context.Context, tx *store.Tx, root *ent.Scope, providerID string, in ProviderInput) (*ent.Provider, error) {
	p, err := tx.Provider.Get(ctx, providerID)
	if err != nil {
		return nil, hidden(err, "provider")
	}
	e, err := c.check(stored{p.ID, p.BaseURL, p.SecretHint, len(p.Secret) > 0, p.Version}, in)
	if err != nil {
		return nil, err
	}
	u := p.Update().SetNillableName(e.name).SetNillableBaseURL(e.baseURL).SetNillableSecretHint(e.hint).
		SetNillableStatus((*provider.Status)(in.Status))
	if in.ExpectedVersion != nil {
		u.Where(provider.Version(*in.ExpectedVersion))
	}
	if e.hint != nil {
		u.SetSecret(e.secret)
	}
	q, err := u.Save(ctx)
	if store.IsConflict(err) {
		return nil, taken("name", "provider", *in.Name)
	}
	if err != nil {
		return nil, outrun(err, in.ExpectedVersion, "provider")
	}
	return q, tx.Audit(ctx, event("provider.update", root, q.ID, q.Name))
}

// CreateCentralProvider adds an endpoint for Copilot's models. For super admins.
func (c *Catalog) CreateCentralProvider(ctx context.Context, tx *store.Tx, in ProviderInput) (*ent.CentralProvider, error) {
	name, base, err := endpoint(in)
	if err != nil {
		return nil, err
	}
	newID := id.New(id.CentralProvider)
	box, hint, _, err := c.sealed(newID, "", in.Secret)
	if err != nil {
		return nil, err
	}
	p, err := tx.CentralProvider.Create().SetID(newID).SetAccountID(id.PlatformID).SetPlane(centralprovider.PlanePLATFORM).
		SetName(name).SetBaseURL(base).SetSecret(box).SetSecretHint(hint).Save(ctx)
	if store.IsConflict(err) {
		return nil, taken("name", "provider", name)
	}
	if err != nil {
		return nil, err
	}
	return p, tx.Audit(ctx, platformEvent("centralProvider.create", p.ID, name))
}

// UpdateCentralProvider changes an endpoint of the platform. For super admins.
func (c *Catalog) UpdateCentralProvider(ctx context.Context, tx *store.Tx, providerID string, in ProviderInput) (*ent.CentralProvider, error) {
	p, err := tx.CentralProvider.Get(ctx, providerID)
	if err != nil {
		return nil, hidden(err, "provider")
	}
	e, err := c.check(stored{p.ID, p.BaseURL, p.SecretHint, len(p.Secret) > 0, p.Version}, in)
	if err != nil {
		return nil, err
	}
	u := p.Update().SetNillableName(e.name).SetNillableBaseURL(e.baseURL).SetNillableSecretHint(e.hint).
		SetNillableStatus((*centralprovider.Status)(in.Status))
	if in.ExpectedVersion != nil {
		u.Where(centralprovider.Version(*in.ExpectedVersion))
	}
	if e.hint != nil {
		u.SetSecret(e.secret)
	}
	q, err := u.Save(ctx)
	if store.IsConflict(err) {
		return nil, taken("name", "provider", *in.Name)
	}
	if err != nil {
		return nil, outrun(err, in.ExpectedVersion, "provider")
	}
	return q, tx.Audit(ctx, platformEvent("centralProvider.update", q.ID, q.Name))
}

// Endpoint is what a test call needs of a provider.
type Endpoint struct{ ID, Name, BaseURL, APIKey string }

// Endpoint opens a provider's key for a test call. The provider must be in the
// viewer's reach.
func (c *Catalog) Endpoint(ctx context.Context, providerID string) (Endpoint, error) {
	p, err := c.store.Provider.Get(ctx, providerID)
	if err != nil {
		return Endpoint{}, hidden(err, "provider")
	}
	key, err := c.open(p.ID, p.Secret)
	return Endpoint{p.ID, p.Name, p.BaseURL, key}, err
}

// CentralEndpoint is Endpoint for the platform's providers.
func (c *Catalog) CentralEndpoint(ctx context.Context, providerID string) (Endpoint, error) {
	p, err := c.store.CentralProvider.Get(ctx, providerID)
	if err != nil {
		return Endpoint{}, hidden(err, "provider")
	}
	key, err := c.open(p.ID, p.Secret)
	return Endpoint{p.ID, p.Name, p.BaseURL, key}, err
}

// RecordTest keeps the result of a test call; problem is empty when it passed.
func (c *Catalog) RecordTest(ctx context.Context, tx *store.Tx, root *ent.Scope, providerID, problem string) error {
	p, err := tx.Provider.UpdateOneID(providerID).SetTestedAt(c.store.Now()).SetTestError(clip(problem)).Save(ctx)
	if err != nil {
		return hidden(err, "provider")
	}
	return tx.Audit(ctx, event("provider.test", root, p.ID, p.Name))
}

// RecordCentralTest is RecordTest for the platform's providers.
func (c *Catalog) RecordCentralTest(ctx context.Context, tx *store.Tx, providerID, problem string) error {
	p, err := tx.CentralProvider.UpdateOneID(providerID).SetTestedAt(c.store.Now()).SetTestError(clip(problem)).Save(ctx)
	if err != nil {
		return hidden(err, "provider")
	}
	return tx.Audit(ctx, platformEvent("centralProvider.test", p.ID, p.Name))
}

func clip(s string) string {
	if len(s) > 500 {
		return strings.ToValidUTF8(s[:500], "")
	}
	return s
}
