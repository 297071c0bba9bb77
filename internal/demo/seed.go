package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/centralprovider"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/marketplace"
	"github.com/alchemi/cockpit/internal/money"
	inbox "github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// history is how far back the story begins.
const history = 36 * 24 * time.Hour

// centralProvider runs every model of the demo's catalogue.
const centralProviderName = "Central EU"

// Options of Seed.
type Options struct {
	Store store.Options
	Box   *secret.Box
	// FactorPPM is the credit factor of accounts without their own, in ppm.
	FactorPPM int64
	// Upstream is the demo provider's address, such as http://127.0.0.1:4000. The
	// office beside it is called with Client.
	Upstream string
	Client   *http.Client
	// Now is when the story has arrived.
	Now time.Time
}

// Seed tells the story in one transaction and returns the variables that its
// keys and people go by, without the server's address. Connections come after
// it: what they offer is what Upstream says, which has to answer by then. It
// returns nil for a database that holds the story already. The database has
// been migrated and has its platform.
func Seed(ctx context.Context, o Options) (env Env, err error) {
	ctx = tenancy.System(ctx, "demo data is made before there is anybody")
	s := &seeder{Options: o, now: o.Now.UTC(), dice: rand.New(rand.NewPCG(1, 2))}
	o.Store.Now = func() time.Time { return s.now }
	st, err := store.Open(o.Store)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if seeded, err := Seeded(ctx, st); err != nil || seeded {
		return nil, err
	}
	s.budgets = budget.New(st, budget.Options{Now: st.Now})
	s.catalog = catalog.New(st, nil, o.Box, o.FactorPPM, o.Store.Log)
	s.market = &marketplace.Market{Catalog: s.catalog, Agents: &agents.Agents{}, Requests: &inbox.Requests{Store: st}}
	password := "cockpit-" + strings.ToLower(id.New(id.Request)[len("req_")+14:])
	if s.passwordHash, err = identity.HashPassword(ctx, password); err != nil {
		return nil, err
	}
	err = st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		s.tx, s.now = tx, o.Now.UTC().Add(-history)
		s.env = Env{Password: password, ConsoleModel: consoleModel, CopilotModel: copilotModel}
		return s.tell(ctx)
	})
	if fault.Is(err, fault.Exists) || store.IsConflict(err) {
		if seeded, serr := Seeded(ctx, st); serr == nil && seeded {
			return nil, nil //nolint:nilnil // another replica was first
		}
	}
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	if err := s.connect(ctx, st); err != nil {
		return nil, fmt.Errorf("demo: connections: %w", err)
	}
	return s.env, nil
}

// Seeded tells whether the database holds the story.
func Seeded(ctx context.Context, st *store.Store) (bool, error) {
	ctx = tenancy.System(ctx, "the demo asks whether it was told")
	return st.Account.Query().Where(account.Slug(acme.slug)).Exist(ctx)
}

// Upstream is the address of the demo provider that the story's models call.
func Upstream(ctx context.Context, st *store.Store) (string, error) {
	ctx = tenancy.System(ctx, "the demo asks for its own provider")
	p, err := st.CentralProvider.Query().Where(centralprovider.Name(centralProviderName)).Only(ctx)
	if err != nil {
		return "", fmt.Errorf("demo: provider: %w", err)
	}
	return strings.TrimSuffix(p.BaseURL, "/v1"), nil
}

// seeder tells the story; now is its clock, which moves on as it tells.
type seeder struct {
	Options
	now          time.Time
	dice         *rand.Rand
	tx           *store.Tx
	budgets      *budget.Engine
	catalog      *catalog.Catalog
	market       *marketplace.Market
	passwordHash string
	env          Env
	// superAdmin gives accounts their credits.
	superAdmin *ent.User
	// factors are the account's own, oldest first; client is its program.
	factors []*ent.CreditFactor
	client  string
}

func (s *seeder) pass(d time.Duration) { s.now = s.now.Add(d) }

func (s *seeder) tell(ctx context.Context) error {
	staff, err := s.staff(ctx)
	if err != nil {
		return err
	}
	s.superAdmin = staff
	ctx = as(ctx, staff)
	catalogue, err := s.catalogue(ctx)
	if err != nil {
		return err
	}
	if err := s.stock(ctx, staff.ID); err != nil {
		return fmt.Errorf("marketplace: %w", err)
	}
	for _, t := range []tenant{acme, globex} {
		if err := s.tenant(ctx, t, catalogue); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		s.now = s.Now.UTC().Add(-history + 3*time.Hour)
	}
	if err := s.keepForAcme(ctx); err != nil {
		return fmt.Errorf("offers: %w", err)
	}
	if err := s.comings(ctx); err != nil {
		return fmt.Errorf("comings and goings: %w", err)
	}
	if err := s.asks(ctx); err != nil {
		return fmt.Errorf("requests: %w", err)
	}
	s.now = s.Now.UTC()
	return nil
}

// as lets audit events name who acts.
func as(ctx context.Context, u *ent.User) context.Context {
	return tenancy.WithViewer(ctx, &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: u.AccountID, UserID: u.ID, Name: u.Name})
}

func email(name, domain string) string {
	plain := strings.NewReplacer(" ", ".", "á", "a").Replace(strings.ToLower(name))
	return plain + "@" + domain
}

func (s *seeder) user(ctx context.Context, accountID, name, domain string) (*ent.User, error) {
	s.pass(40 * time.Second)
	return identity.CreateUser(ctx, s.tx, identity.UserInput{AccountID: accountID, Name: name, Email: email(name, domain), PasswordHash: s.passwordHash})
}

// staff makes the platform's own people and returns the super admin.
func (s *seeder) staff(ctx context.Context) (*ent.User, error) {
	root, err := s.tx.Scope.Get(ctx, id.PlatformID)
	if err != nil {
		return nil, err
	}
	admin, err := s.user(ctx, id.PlatformID, superAdmin, staffDomain)
	if err != nil {
		return nil, err
	}
	other, err := s.user(ctx, id.PlatformID, auditor, staffDomain)
	if err != nil {
		return nil, err
	}
	s.env[SuperAdminEmail] = admin.Email
	return admin, errors.Join(
		identity.BindRole(ctx, s.tx, admin, root, tenancy.Admin),
		identity.BindRole(ctx, s.tx, other, root, tenancy.Auditor))
}

func (o offer) price() catalog.PriceInput {
	cached := money.Nano(o.cached) * mill
	return catalog.PriceInput{Input: money.Nano(o.input) * mill, CachedInput: &cached, Output: money.Nano(o.output) * mill}
}

func (s *seeder) endpoint(name string) catalog.ProviderInput {
	base, key := s.Upstream+"/v1", "sk-demo-"+strings.Repeat("0", 20)+"4f2a"
	return catalog.ProviderInput{Name: &name, BaseURL: &base, Secret: &key}
}

// catalogue makes the central provider with its models.
func (s *seeder) catalogue(ctx context.Context) ([]*ent.CatalogModel, error) {
	p, err := s.catalog.CreateCentralProvider(ctx, s.tx, s.endpoint(centralProviderName))
	if err != nil {
		return nil, err
	}
	var out []*ent.CatalogModel
	for _, o := range catalogueOffers {
		s.pass(2 * time.Minute)
		m, err := s.catalog.CreateCatalogModel(ctx, s.tx, catalog.ListingInput{
			CentralProviderID: p.ID, Name: o.name, UpstreamName: o.upstream, Description: o.description, Capability: o.capability,
			ContextLength: o.context, MaxOutputTokens: o.maxOutput, Price: o.price(), Status: catalogmodel.StatusACTIVE, Traits: o.traits(),
		})
		if err != nil {
			return nil, err
		}
		if !o.idle {
			out = append(out, m)
		}
	}
	return out, nil
}

// traits are what a catalogue model takes in and gives out, and where.
func (o offer) traits() catalog.Traits {
	t := catalog.Traits{Inputs: []string{"TEXT"}, Outputs: []string{"TEXT"}}
	if o.capability != catalogmodel.CapabilityFAST {
		t.Inputs = append(t.Inputs, "IMAGE")
	}
	if o.name == namedModel {
		region := "EU"
		t.Region = &region
	}
	return t
}

// keepForAcme offers one model to one account alone.
func (s *seeder) keepForAcme(ctx context.Context) error {
	m, err := s.tx.CatalogModel.Query().Where(catalogmodel.Name(namedModel)).Only(ctx)
	if err != nil {
		return err
	}
	a, err := s.tx.Account.Query().Where(account.Slug(acme.slug)).Only(ctx)
	if err != nil {
		return err
	}
	_, _, err = s.catalog.OfferCatalogModel(ctx, s.tx, catalog.Offer{CatalogModelID: m.ID, AccountIDs: []string{a.ID}})
	return err
}

// tenant makes an account with everything in it.
func (s *seeder) tenant(ctx context.Context, t tenant, catalogue []*ent.CatalogModel) error {
	s.pass(10 * time.Minute)
	a, err := identity.CreateAccount(ctx, s.tx, identity.AccountInput{Name: t.name, Slug: t.slug, TimeZone: t.zone, Console: true, Copilot: true})
	if err != nil {
		return err
	}
	users := map[string]*ent.User{}
	for _, p := range t.people {
		u, err := s.user(ctx, a.ID, p.name, t.domain)
		if err != nil {
			return err
		}
		users[p.name] = u
	}
	root, err := s.tx.Scope.Get(ctx, a.ID)
	if err != nil {
		return err
	}
	if s.factors, s.client = nil, ""; t.slug == acme.slug {
		if err := s.cheaper(ctx, a); err != nil {
			return err
		}
	}
	admin := users[t.people[0].name]
	if err := identity.BindRole(ctx, s.tx, admin, root, tenancy.Admin); err != nil {
		return err
	}
	ctx = as(ctx, admin)
	if t.slug == acme.slug {
		if err := s.programs(ctx, a, users[member]); err != nil {
			return err
		}
	}
	for _, p := range t.planes {
		in := &inPlane{seeder: s, tenant: t, plane: p, users: users}
		if err := in.tell(ctx, a, catalogue); err != nil {
			return fmt.Errorf("%s: %w", p.plane, err)
		}
	}
	if t.slug != acme.slug {
		return nil
	}
	s.env[AdminEmail], s.env[MemberEmail], s.env[AuditorEmail] = admin.Email, users[member].Email, users[viewer].Email
	if err := s.webhook(ctx, a); err != nil {
		return err
	}
	return identity.BindRole(ctx, s.tx, users[viewer], root, tenancy.Auditor)
}

// cheaper gives an account fewer credits per dollar for its first three weeks.
func (s *seeder) cheaper(ctx context.Context, a *ent.Account) error {
	first, err := s.catalog.SetFactor(ctx, s.tx, a, max(1, s.FactorPPM*9/10), time.Time{})
	if err != nil {
		return err
	}
	second, err := s.catalog.SetFactor(ctx, s.tx, a, s.FactorPPM, s.now.Add(21*24*time.Hour))
	s.factors = []*ent.CreditFactor{first, second}
	return err
}

// factor is what a dollar of cost was in credits.
func (s *seeder) factor(at time.Time) (factorID string, ppm int64) {
	ppm = s.FactorPPM
	for _, f := range s.factors {
		if !f.EffectiveFrom.After(at) {
			factorID, ppm = f.ID, f.Ppm
		}
	}
	return factorID, ppm
}

// inPlane tells of one plane of one account.
type inPlane struct {
	*seeder
	tenant tenant
	plane  plane
	users  map[string]*ent.User
	root   *ent.Scope
	models map[string]*priced
	ids    []string
	teams  []*plantedTeam
	agents []plantedAgent
	// presets are the guardrails of the plane, by their template.
	presets map[string]string
	// zone is the account's.
	zone *time.Location
}

// priced is a model with what its calls cost.
type priced struct {
	*ent.Model
	offer
	priceID string
	prices  budget.Prices
}

type plantedTeam struct {
	team
	org, scope *ent.Scope
	seats      []*seat
}

// seat is a member, and the key that their calls come through, if any.
type seat struct {
	person
	user       *ent.User
	scope, key *ent.Scope
}

func (p *inPlane) tell(ctx context.Context, a *ent.Account, catalogue []*ent.CatalogModel) (err error) {
	p.root, err = p.tx.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(scope.Kind(p.plane.plane))).Only(ctx)
	if err != nil {
		return err
	}
	p.models, p.presets = map[string]*priced{}, map[string]string{}
	if p.plane.plane == tenancy.Console {
		err = p.ownModels(ctx)
	} else {
		err = p.takeModels(ctx, catalogue)
	}
	if err != nil {
		return err
	}
	if err := p.guardAt(ctx, p.root); err != nil {
		return err
	}
	if err := p.allowAll(ctx); err != nil {
		return err
	}
	for _, o := range p.plane.orgs {
		if err := p.organization(ctx, o); err != nil {
			return err
		}
	}
	if err := p.roles(ctx); err != nil {
		return err
	}
	if err := p.buildAgents(ctx); err != nil {
		return err
	}
	if err := p.spend(ctx, a); err != nil || p.plane.plane != tenancy.Copilot || p.tenant.slug != acme.slug {
		return err
	}
	if err := p.share(ctx); err != nil {
		return fmt.Errorf("listings: %w", err)
	}
	return p.rate(ctx)
}

func (p *inPlane) ownModels(ctx context.Context) error {
	provider, err := p.catalog.CreateProvider(ctx, p.tx, p.root, p.endpoint("vLLM Frankfurt"))
	if err != nil {
		return err
	}
	for _, o := range consoleOffers {
		p.pass(3 * time.Minute)
		price := o.price()
		m, err := p.catalog.CreateModel(ctx, p.tx, p.root, catalog.ModelInput{ProviderID: provider.ID, Name: o.name, UpstreamName: o.upstream,
			ContextLength: o.context, MaxOutputTokens: o.maxOutput, Price: &price})
		if err != nil {
			return err
		}
		if err := p.know(ctx, m, o, m.QueryPrices()); err != nil {
			return err
		}
	}
	return nil
}

func (p *inPlane) takeModels(ctx context.Context, catalogue []*ent.CatalogModel) error {
	for _, c := range catalogue {
		p.pass(time.Minute)
		m, err := p.catalog.InstallModel(ctx, p.tx, p.root, c.ID)
		if err != nil {
			return err
		}
		if c.Name == copilotModel {
			if _, err := p.catalog.SetDefaultModel(ctx, p.tx, p.root, m.ID); err != nil {
				return err
			}
		}
		for _, o := range catalogueOffers {
			if o.name == c.Name {
				if err := p.know(ctx, m, o, c.QueryPrices()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (p *inPlane) know(ctx context.Context, m *ent.Model, o offer, prices *ent.PriceQuery) error {
	priceID, err := prices.OnlyID(ctx)
	if err != nil {
		return err
	}
	in := o.price()
	p.models[m.Name] = &priced{Model: m, offer: o, priceID: priceID,
		prices: budget.Prices{Input: in.Input, CachedInput: in.CachedInput, Output: in.Output}}
	p.ids = append(p.ids, m.ID)
	return nil
}

func (p *inPlane) organization(ctx context.Context, o organization) error {
	p.pass(5 * time.Minute)
	org, err := identity.CreateOrganization(ctx, p.tx, p.root, o.name)
	if err != nil {
		return err
	}
	if err := p.guardAt(ctx, org); err != nil {
		return err
	}
	if err := p.grantAt(ctx, org); err != nil {
		return err
	}
	if err := p.letBuild(ctx, org); err != nil {
		return err
	}
	for _, t := range o.teams {
		p.pass(2 * time.Minute)
		planted := &plantedTeam{team: t, org: org}
		if planted.scope, err = identity.CreateTeam(ctx, p.tx, org, t.name); err != nil {
			return err
		}
		if err := p.grantAt(ctx, planted.scope); err != nil {
			return err
		}
		for _, who := range p.tenant.people {
			if (p.plane.plane == tenancy.Console && who.console != t.name) || (p.plane.plane == tenancy.Copilot && who.copilot != t.name) {
				continue
			}
			p.pass(time.Minute)
			m := &seat{person: who, user: p.users[who.name]}
			if m.scope, err = identity.AddMember(ctx, p.tx, planted.scope, m.user); err != nil {
				return err
			}
			// In Console everybody has a key; Copilot is mostly used signed in.
			if p.plane.plane == tenancy.Console || who.name == member {
				if err := p.key(as(ctx, m.user), m); err != nil {
					return err
				}
			}
			planted.seats = append(planted.seats, m)
		}
		p.teams = append(p.teams, planted)
	}
	return nil
}

// key makes a member's key; those of the story's member are the demo's own.
func (p *inPlane) key(ctx context.Context, m *seat) error {
	p.pass(time.Minute)
	name := strings.ToLower(strings.Fields(m.name)[0]) + "-" + []string{"notebook", "laptop", "batch", "pipeline"}[p.dice.IntN(4)]
	ids, err := p.usable(ctx, m.scope)
	if err != nil {
		return err
	}
	row, s, token, err := identity.CreateKey(ctx, p.tx, p.now, identity.KeyInput{Name: name, Owner: m.scope, ModelIDs: ids})
	if err != nil {
		return err
	}
	m.key = s
	if m.name == member && p.plane.plane == tenancy.Console {
		p.env[ConsoleKey] = token
	} else if m.name == member {
		p.env[CopilotKey] = token
	}
	return p.tx.Audit(ctx, audit.Event{Action: "key.create", AccountID: s.AccountID, Plane: p.plane.plane,
		ScopeID: s.ID, ScopePath: s.Path, TargetID: row.ID, TargetName: name})
}

// roles makes the admins below the account's own.
func (p *inPlane) roles(ctx context.Context) error {
	if p.tenant.slug != acme.slug || p.plane.plane != tenancy.Console {
		return nil
	}
	risk, fraud := p.teams[0], p.teams[1]
	return errors.Join(
		identity.BindRole(ctx, p.tx, p.users[planeAdmin], p.root, tenancy.Admin),
		identity.BindRole(ctx, p.tx, p.users[orgAdmin], risk.org, tenancy.Admin),
		identity.BindRole(ctx, p.tx, p.users[teamAdmin], fraud.scope, tenancy.Admin))
}
