package graph

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vikstrous/dataloadgen"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/key"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/organization"
	"github.com/alchemi/cockpit/ent/price"
	"github.com/alchemi/cockpit/ent/provider"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/supportaccess"
	"github.com/alchemi/cockpit/ent/team"
	gqlmodel "github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// loaders gather the ids that sibling resolvers ask for and read them by one
// query each. They live as long as one response.
type loaders struct {
	directoryLoaders
	scopes        *dataloadgen.Loader[string, *ent.Scope]
	roots         *dataloadgen.Loader[stateKey, *ent.Scope] // by account and plane
	names         *dataloadgen.Loader[string, string]
	budgets       *dataloadgen.Loader[string, *gqlmodel.Budget] // by scope
	states        *dataloadgen.Loader[stateKey, *budget.State]
	overflows     *dataloadgen.Loader[string, []budget.Part] // by charge
	series        *dataloadgen.Loader[stateKey, []money.Nano]
	before        *dataloadgen.Loader[string, time.Time]
	organizations *dataloadgen.Loader[string, *ent.Organization]
	teams         *dataloadgen.Loader[string, *ent.Team]
	members       *dataloadgen.Loader[string, *ent.Member]
	keys          *dataloadgen.Loader[string, *ent.Key]
	lastUses      *dataloadgen.Loader[string, time.Time] // by key; zero: never
	teamCounts    *dataloadgen.Loader[string, int]       // by organization
	orgMembers    *dataloadgen.Loader[string, int]       // by organization
	teamMembers   *dataloadgen.Loader[string, int]       // by team
	allocations   *dataloadgen.Loader[placeKey, *budget.Allocation]
	increases     *dataloadgen.Loader[string, []*gqlmodel.BudgetIncrease] // by budget
	setters       *dataloadgen.Loader[string, string]                     // by scope: who set its limit
	creditPrices  *dataloadgen.Loader[string, []*ent.Price]               // by catalogue model, for credits alone
	factors       *dataloadgen.Loader[string, int64]                      // by account
	prices        *dataloadgen.Loader[string, []*ent.Price]               // by model or catalogue model
	catalog       *dataloadgen.Loader[string, *ent.CatalogModel]
	installed     *dataloadgen.Loader[string, *ent.Model] // by catalogue model
	providers     *dataloadgen.Loader[string, *ent.Provider]
	signIn        signInLoaders
	receipt       receiptLoaders
	accounts      *dataloadgen.Loader[string, *gqlmodel.Account]
	supports      *dataloadgen.Loader[string, *gqlmodel.SupportAccess]
	models        *dataloadgen.Loader[string, *ent.Model]
	requests      requestLoaders
	agents        agentLoaders
	installations *dataloadgen.Loader[string, []*gqlmodel.Installation] // by listing
	alerts        *dataloadgen.Loader[string, []*gqlmodel.BudgetAlert]  // by budget, of the running cycle
}

// stateKey names a budget or scope with where it lies.
type stateKey struct {
	accountID string
	plane     tenancy.Plane
	id        string
}

type loadersKey struct{}

// withLoaders gives every response loaders of its own.
func (r *Resolver) withLoaders(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	return next(context.WithValue(ctx, loadersKey{}, r.newLoaders()))
}

func from(ctx context.Context) *loaders {
	l, _ := ctx.Value(loadersKey{}).(*loaders) // New gives every response its own
	return l
}

const gather = 2 * time.Millisecond

func loader[K comparable, V any](fetch func(ctx context.Context, keys []K) (map[K]V, error)) *dataloadgen.Loader[K, V] {
	return dataloadgen.NewMappedLoader(func(ctx context.Context, keys []K) (map[K]V, error) {
		return fetch(tenancy.Platform(ctx), keys)
	}, dataloadgen.WithWait(gather), dataloadgen.WithBatchCapacity(500))
}

func index[T any](rows []T, err error, key func(T) string) (map[string]T, error) {
	if err != nil {
		return nil, err
	}
	out := make(map[string]T, len(rows))
	for _, row := range rows {
		out[key(row)] = row
	}
	return out, nil
}

// maybe turns "not loaded" into absence.
func maybe[V any](v V, err error) (V, error) {
	var none V
	if err != nil && isAbsent(err) {
		return none, nil
	}
	return v, err
}

func isAbsent(err error) bool {
	return errors.Is(err, dataloadgen.ErrNotFound) || ent.IsNotFound(err) || fault.Is(err, fault.NotFound)
}

func (r *Resolver) newLoaders() *loaders {
	st := r.Store
	l := &loaders{directoryLoaders: r.newDirectoryLoaders(), signIn: r.newSignInLoaders(), requests: r.newRequestLoaders(), agents: r.newAgentLoaders(), receipt: r.newReceiptLoaders(), installations: r.newInstallationLoader()}
	l.scopes = loader(func(ctx context.Context, ids []string) (map[string]*ent.Scope, error) {
		rows, err := st.Scope.Query().Where(scope.IDIn(ids...)).All(ctx)
		return index(rows, err, func(s *ent.Scope) string { return s.ID })
	})
	l.roots = loader(func(ctx context.Context, keys []stateKey) (map[stateKey]*ent.Scope, error) {
		ctx = tenancy.System(ctx, "the roots of planes that the viewer has a part of")
		rows, err := st.Scope.Query().Where(scope.AccountIDIn(mapTo(keys, func(k stateKey) string { return k.accountID })...),
			scope.KindIn(scope.KindCONSOLE, scope.KindCOPILOT)).All(ctx)
		out := make(map[stateKey]*ent.Scope, len(rows))
		for _, s := range rows {
			out[stateKey{accountID: s.AccountID, plane: tenancy.Plane(s.Plane)}] = s
		}
		return out, err
	})
	l.names = loader(func(ctx context.Context, ids []string) (map[string]string, error) {
		ctx = tenancy.System(ctx, "the names of the scopes above one that the viewer sees")
		rows, err := st.Scope.Query().Where(scope.IDIn(ids...)).Select(scope.FieldID, scope.FieldName).All(ctx)
		out := make(map[string]string, len(rows))
		for _, s := range rows {
			out[s.ID] = s.Name
		}
		return out, err
	})
	l.budgets = loader(func(ctx context.Context, ids []string) (map[string]*gqlmodel.Budget, error) {
		rows, err := st.Budget.Query().Where(entbudget.ScopeIDIn(ids...)).WithScope().All(ctx)
		out := make(map[string]*gqlmodel.Budget, len(rows))
		for _, b := range rows {
			out[b.ScopeID] = toBudget(b, b.Edges.Scope)
		}
		if err == nil {
			err = addRhythm(ctx, st, rows, out)
		}
		return out, err
	})
	l.accounts = loader(func(ctx context.Context, ids []string) (map[string]*gqlmodel.Account, error) {
		rows, err := st.Account.Query().Where(account.IDIn(ids...)).All(ctx)
		return index(mapTo(rows, toAccount), err, func(a *gqlmodel.Account) string { return a.ID })
	})
	l.supports = loader(func(ctx context.Context, ids []string) (map[string]*gqlmodel.SupportAccess, error) {
		rows, err := st.SupportAccess.Query().Where(supportaccess.IDIn(ids...)).All(ctx)
		return index(mapTo(rows, func(s *ent.SupportAccess) *gqlmodel.SupportAccess { return toSupportAccess(s, st.Now()) }), err,
			func(s *gqlmodel.SupportAccess) string { return s.ID })
	})
	l.states = loader(r.loadStates)
	l.overflows = loader(r.Budgets.Overflows)
	l.alerts = loader(r.loadAlerts)
	l.series = loader(r.loadSeries)
	l.before = loader(r.Budgets.Before)
	l.allocations = loader(r.loadAllocations)
	l.increases = loader(r.loadIncreases)
	l.setters = loader(r.loadSetters)
	l.organizations = loader(func(ctx context.Context, ids []string) (map[string]*ent.Organization, error) {
		rows, err := st.Organization.Query().Where(organization.IDIn(ids...)).All(ctx)
		return index(rows, err, func(o *ent.Organization) string { return o.ID })
	})
	l.teams = loader(func(ctx context.Context, ids []string) (map[string]*ent.Team, error) {
		rows, err := st.Team.Query().Where(team.IDIn(ids...)).All(ctx)
		return index(rows, err, func(t *ent.Team) string { return t.ID })
	})
	l.members = loader(func(ctx context.Context, ids []string) (map[string]*ent.Member, error) {
		rows, err := st.Member.Query().Where(member.IDIn(ids...)).
			WithUser(func(q *ent.UserQuery) { q.WithRoles(func(q *ent.RoleBindingQuery) { q.WithScope() }) }).All(ctx)
		return index(rows, err, func(m *ent.Member) string { return m.ID })
	})
	l.keys = loader(func(ctx context.Context, ids []string) (map[string]*ent.Key, error) {
		rows, err := st.Key.Query().Where(key.IDIn(ids...)).
			WithModels(func(q *ent.KeyModelQuery) { q.WithModel() }).All(ctx)
		return index(rows, err, func(k *ent.Key) string { return k.ID })
	})
	l.lastUses = loader(func(ctx context.Context, ids []string) (map[string]time.Time, error) {
		// The newest charge of each key: ids sort by time, and the index leads there.
		var rows []struct {
			KeyID string `json:"key_id"`
			Last  string `json:"last"`
		}
		err := st.Charge.Query().Where(charge.KeyIDIn(ids...)).GroupBy(charge.FieldKeyID).
			Aggregate(ent.As(ent.Max(charge.FieldID), "last")).Scan(ctx, &rows)
		out := make(map[string]time.Time, len(ids))
		for _, keyID := range ids {
			out[keyID] = time.Time{}
		}
		for _, row := range rows {
			out[row.KeyID] = id.Time(row.Last)
		}
		return out, err
	})
	l.teamCounts = loader(func(ctx context.Context, ids []string) (map[string]int, error) {
		var rows []struct {
			OrganizationID string `json:"organization_id"`
			Count          int    `json:"count"`
		}
		err := st.Team.Query().Where(team.OrganizationIDIn(ids...)).GroupBy(team.FieldOrganizationID).Aggregate(ent.Count()).Scan(ctx, &rows)
		out := zeros(ids)
		for _, row := range rows {
			out[row.OrganizationID] = row.Count
		}
		return out, err
	})
	l.teamMembers = loader(func(ctx context.Context, ids []string) (map[string]int, error) {
		var rows []struct {
			TeamID string `json:"team_id"`
			Count  int    `json:"count"`
		}
		err := st.Member.Query().Where(member.TeamIDIn(ids...)).GroupBy(member.FieldTeamID).Aggregate(ent.Count()).Scan(ctx, &rows)
		out := zeros(ids)
		for _, row := range rows {
			out[row.TeamID] = row.Count
		}
		return out, err
	})
	l.orgMembers = loader(func(ctx context.Context, ids []string) (map[string]int, error) {
		teams, err := st.Team.Query().Where(team.OrganizationIDIn(ids...)).All(ctx)
		if err != nil {
			return nil, err
		}
		counts, err := l.teamMembers.LoadAll(ctx, mapTo(teams, func(t *ent.Team) string { return t.ID }))
		if err != nil {
			return nil, err
		}
		out := zeros(ids)
		for i, t := range teams {
			out[t.OrganizationID] += counts[i]
		}
		return out, nil
	})
	l.prices = loader(r.loadPrices)
	l.creditPrices = loader(func(ctx context.Context, ids []string) (map[string][]*ent.Price, error) {
		return r.loadPrices(tenancy.System(ctx, "tenants see the catalogue's prices in credits"), ids)
	})
	l.factors = loader(func(ctx context.Context, ids []string) (map[string]int64, error) {
		out := make(map[string]int64, len(ids))
		for _, accountID := range ids { // one: the viewer's own
			ppm, err := r.Catalog.FactorPPM(ctx, accountID)
			if err != nil {
				return nil, err
			}
			out[accountID] = ppm
		}
		return out, nil
	})
	l.catalog = loader(func(ctx context.Context, ids []string) (map[string]*ent.CatalogModel, error) {
		rows, err := st.CatalogModel.Query().Where(catalogmodel.IDIn(ids...)).All(ctx)
		return index(rows, err, func(m *ent.CatalogModel) string { return m.ID })
	})
	l.installed = loader(func(ctx context.Context, ids []string) (map[string]*ent.Model, error) {
		v := tenancy.ViewerFrom(ctx)
		rows, err := st.Model.Query().
			Where(model.AccountID(v.AccountID), model.CatalogModelIDIn(ids...), model.StatusEQ(model.StatusACTIVE)).All(ctx)
		return index(rows, err, func(m *ent.Model) string { return *m.CatalogModelID })
	})
	l.models = loader(func(ctx context.Context, ids []string) (map[string]*ent.Model, error) {
		rows, err := st.Model.Query().Where(model.IDIn(ids...)).All(ctx)
		return index(rows, err, func(m *ent.Model) string { return m.ID })
	})
	l.providers = loader(func(ctx context.Context, ids []string) (map[string]*ent.Provider, error) {
		rows, err := st.Provider.Query().Where(provider.IDIn(ids...)).All(ctx)
		return index(rows, err, func(p *ent.Provider) string { return p.ID })
	})
	return l
}

// loadPrices reads all price versions of models and catalogue models, newest
// first.
func (r *Resolver) loadPrices(ctx context.Context, ids []string) (map[string][]*ent.Price, error) {
	rows, err := r.Store.Price.Query().Where(price.Or(price.ModelIDIn(ids...), price.CatalogModelIDIn(ids...))).
		Order(ent.Desc(price.FieldEffectiveFrom)).All(ctx)
	out := make(map[string][]*ent.Price, len(ids))
	for _, id := range ids {
		out[id] = nil
	}
	for _, p := range rows {
		if p.ModelID != nil {
			out[*p.ModelID] = append(out[*p.ModelID], p)
		} else {
			out[*p.CatalogModelID] = append(out[*p.CatalogModelID], p)
		}
	}
	return out, err
}

func zeros(ids []string) map[string]int {
	out := make(map[string]int, len(ids))
	for _, id := range ids {
		out[id] = 0
	}
	return out
}

// byPlace groups keys that one query can answer.
func byPlace(keys []stateKey) map[stateKey][]string {
	out := map[stateKey][]string{}
	for _, k := range keys {
		place := stateKey{accountID: k.accountID, plane: k.plane}
		out[place] = append(out[place], k.id)
	}
	return out
}

func (r *Resolver) loadStates(ctx context.Context, keys []stateKey) (map[stateKey]*budget.State, error) {
	out := make(map[stateKey]*budget.State, len(keys))
	for place, ids := range byPlace(keys) {
		// The budgets were found through the guard; their counters go with them.
		states, err := r.Budgets.States(ctx, wholePlane(place), ids)
		if err != nil {
			return nil, err
		}
		for i := range states {
			out[stateKey{place.accountID, place.plane, states[i].BudgetID}] = &states[i]
		}
	}
	return out, nil
}

func wholePlane(place stateKey) tenancy.Reach {
	return tenancy.Reach{AccountID: place.accountID, Plane: place.plane, Path: accountPath(place.accountID)}
}

// seriesDays is how far back a budget's series looks: the longest cycle.
const seriesDays = 366

func (r *Resolver) loadSeries(ctx context.Context, keys []stateKey) (map[stateKey][]money.Nano, error) {
	out := make(map[stateKey][]money.Nano, len(keys))
	for place, ids := range byPlace(keys) {
		days, err := r.Budgets.Series(ctx, wholePlane(place), ids, seriesDays)
		if err != nil {
			return nil, err
		}
		for id, amounts := range days {
			out[stateKey{place.accountID, place.plane, id}] = amounts
		}
	}
	return out, nil
}

// Reaches are the parts of a plane that the viewer sees.
func Reaches(ctx context.Context, accountID string, plane tenancy.Plane) []tenancy.Reach {
	v := tenancy.ViewerFrom(ctx)
	if v.Platform {
		return []tenancy.Reach{wholePlane(stateKey{accountID: accountID, plane: plane})}
	}
	if slices.Contains(v.Off, plane) {
		return nil
	}
	var out []tenancy.Reach
	for _, reach := range v.Reach {
		if reach.AccountID == accountID && (reach.Plane == plane || reach.Plane == tenancy.PlaneAccount) {
			out = append(out, tenancy.Reach{AccountID: accountID, Plane: plane, Path: reach.Path})
		}
	}
	return slices.Compact(out)
}
