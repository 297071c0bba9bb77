package graph

import (
	"fmt"
	"time"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func ref(s *ent.Scope) model.Ref {
	return model.Ref{ID: s.ID, AccountID: s.AccountID, Plane: tenancy.Plane(s.Plane), Kind: tenancy.Kind(s.Kind), Path: s.Path}
}

// productOf is nil for what lies in neither product.
func productOf(p tenancy.Plane) *model.Plane {
	if p != tenancy.Console && p != tenancy.Copilot {
		return nil
	}
	out := model.Plane(p)
	return &out
}

// toScope makes the GraphQL type of a scope's kind.
func toScope(s *ent.Scope) (model.Scope, error) {
	switch tenancy.Kind(s.Kind) {
	case tenancy.KindConsole:
		return toConsole(s), nil
	case tenancy.KindCopilot:
		return toCopilot(s), nil
	case tenancy.KindOrganization:
		return toOrganization(s), nil
	case tenancy.KindTeam:
		return toTeam(s), nil
	case tenancy.KindMember:
		return toMember(s), nil
	case tenancy.KindKey:
		return toKey(s), nil
	case tenancy.KindAgent:
		return toAgent(s), nil
	case tenancy.KindPlatform:
		return toPlatform(s), nil
	}
	return nil, fmt.Errorf("graph: scope of kind %s", s.Kind)
}

func toPlatform(s *ent.Scope) *model.Platform {
	return &model.Platform{ID: s.ID, Name: s.Name, Kind: model.ScopeKind(s.Kind), Ref: ref(s)}
}

func toConsole(s *ent.Scope) *model.Console {
	return &model.Console{ID: s.ID, Name: s.Name, Kind: model.ScopeKind(s.Kind), Plane: productOf(tenancy.Plane(s.Plane)), ParentID: s.ParentID, Ref: ref(s)}
}

func toCopilot(s *ent.Scope) *model.Copilot {
	return &model.Copilot{ID: s.ID, Name: s.Name, Kind: model.ScopeKind(s.Kind), Plane: productOf(tenancy.Plane(s.Plane)), ParentID: s.ParentID, Ref: ref(s)}
}

func toOrganization(s *ent.Scope) *model.Organization {
	return &model.Organization{ID: s.ID, Name: s.Name, Kind: model.ScopeKind(s.Kind), Plane: productOf(tenancy.Plane(s.Plane)), ParentID: s.ParentID, Ref: ref(s),
		ArchivedAt: s.ArchivedAt, Version: s.Version}
}

func toTeam(s *ent.Scope) *model.Team {
	return &model.Team{ID: s.ID, Name: s.Name, Kind: model.ScopeKind(s.Kind), Plane: productOf(tenancy.Plane(s.Plane)), ParentID: s.ParentID, Ref: ref(s),
		ArchivedAt: s.ArchivedAt, Version: s.Version}
}

func toMember(s *ent.Scope) *model.Member {
	return &model.Member{ID: s.ID, Name: s.Name, Kind: model.ScopeKind(s.Kind), Plane: productOf(tenancy.Plane(s.Plane)), ParentID: s.ParentID, Ref: ref(s), CreatedAt: s.CreatedAt, Version: s.Version}
}

func toKey(s *ent.Scope) *model.Key {
	return &model.Key{ID: s.ID, Name: s.Name, Kind: model.ScopeKind(s.Kind), Plane: productOf(tenancy.Plane(s.Plane)), ParentID: s.ParentID, Ref: ref(s), CreatedAt: s.CreatedAt}
}

func toAccount(a *ent.Account) *model.Account {
	out := &model.Account{ID: a.ID, Name: a.Name, Kind: model.ScopeKindAccount, Slug: a.Slug,
		Status: model.AccountStatus(a.Status), TimeZone: a.TimeZone, CreatedAt: a.CreatedAt, Planes: []model.Plane{},
		StatusReason: unless(a.StatusReason), ClosedAt: a.ClosedAt, DeletingAt: a.DeletingAt, DeletedAt: a.DeletedAt, SsoEnforced: &a.SSOEnforced,
		SessionIdleMinutes: &a.SessionIdleMinutes, SessionLifetimeMinutes: &a.SessionLifetimeMinutes,
		AuditRetentionDays: &a.AuditRetentionDays, StrictDispatch: &a.StrictDispatch, Version: &a.Version,
		Ref: model.Ref{ID: a.ID, AccountID: a.ID, Plane: tenancy.Plane(a.Plane), Kind: tenancy.KindAccount, Path: accountPath(a.ID)}}
	if a.Console {
		out.Planes = append(out.Planes, model.PlaneConsole)
	}
	if a.Copilot {
		out.Planes = append(out.Planes, model.PlaneCopilot)
	}
	return out
}

func toUser(u *ent.User) *model.User {
	return &model.User{ID: u.ID, Name: u.Name, Email: u.Email, Status: model.UserStatus(u.Status), LastSignInAt: u.LastSignInAt,
		CreatedAt: &u.CreatedAt, Version: &u.Version, Row: u}
}

func unitOf(p tenancy.Plane) model.Unit {
	if p == tenancy.Copilot {
		return model.UnitCredits
	}
	return model.UnitUsd
}

func amountIn(p tenancy.Plane, cost, credits money.Nano) money.Nano {
	if p == tenancy.Copilot {
		return credits
	}
	return cost
}

func toProvider(p *ent.Provider) *model.Provider {
	return &model.Provider{ID: p.ID, Name: p.Name, BaseURL: p.BaseURL, SecretHint: unless(p.SecretHint), Status: model.Status(p.Status),
		TestedAt: p.TestedAt, TestError: unless(p.TestError), Version: p.Version,
		Ref: model.Ref{ID: p.ID, AccountID: p.AccountID, Plane: tenancy.Plane(p.Plane)}}
}

func toCentralProvider(p *ent.CentralProvider) *model.CentralProvider {
	return &model.CentralProvider{ID: p.ID, Name: p.Name, BaseURL: p.BaseURL, SecretHint: unless(p.SecretHint),
		Status: model.Status(p.Status), TestedAt: p.TestedAt, TestError: unless(p.TestError), Version: p.Version}
}

func toModel(m *ent.Model) *model.Model {
	out := &model.Model{ID: m.ID, Name: m.Name, Plane: model.Plane(m.Plane), UpstreamName: m.UpstreamName,
		ContextLength: m.ContextLength, MaxOutputTokens: m.MaxOutputTokens, Status: model.Status(m.Status), Version: m.Version,
		AccountID: m.AccountID, ProviderID: m.ProviderID, CatalogModelID: m.CatalogModelID}
	if m.Ceiling != nil {
		n := money.Nano(*m.Ceiling)
		out.Ceiling = &n
	}
	return out
}

func toCatalogModel(m *ent.CatalogModel) *model.CatalogModel {
	return &model.CatalogModel{ID: m.ID, Name: m.Name, Description: m.Description, Capability: model.Capability(m.Capability),
		ContextLength: m.ContextLength, MaxOutputTokens: m.MaxOutputTokens, Status: model.CatalogStatus(m.Status),
		Inputs: modalities(m.Inputs), Outputs: modalities(m.Outputs), Region: m.Region, DeprecatedAt: m.DeprecatedAt, SuccessorID: m.SuccessorID,
		UpstreamName: &m.UpstreamName, Version: m.Version, CentralProviderID: m.CentralProviderID}
}

func modalities(list []string) []model.Modality {
	return mapTo(list, func(m string) model.Modality { return model.Modality(m) })
}

func toPrice(p *ent.Price) *model.Price {
	return &model.Price{ID: p.ID, EffectiveFrom: p.EffectiveFrom, Input: money.Nano(p.Input), Output: money.Nano(p.Output),
		CachedInput: (*money.Nano)(p.CachedInput), CacheWrite: (*money.Nano)(p.CacheWrite), Reasoning: (*money.Nano)(p.Reasoning),
		Request: money.Nano(p.Request)}
}

// inForce picks the newest version that has begun; versions come newest first.
func inForce(prices []*ent.Price, now time.Time) *ent.Price {
	for _, p := range prices {
		if !p.EffectiveFrom.After(now) {
			return p
		}
	}
	return nil
}

func toBudget(b *ent.Budget, s *ent.Scope) *model.Budget {
	return &model.Budget{ID: b.ID, Unit: model.Unit(b.Unit), Limit: money.Nano(b.Lim), Overflow: money.Nano(b.Overflow),
		Origin: model.BudgetOrigin(b.Origin), Distribution: model.Distribution(b.Distribution), Reserve: money.Nano(b.Reserve),
		RolloverCap: money.Nano(b.RolloverCap), Strict: b.Strict || b.Plane == entbudget.PlaneCOPILOT, Thresholds: thresholds(b),
		Version: b.Version, SetAt: b.UpdatedAt, FrozenAt: b.FrozenAt, FreezeReason: b.FreezeReason, FrozenByID: b.FrozenBy, Ref: ref(s)}
}

func toCharge(c *ent.Charge) *model.Charge {
	plane := tenancy.Plane(c.Plane)
	return &model.Charge{ID: c.ID, Kind: model.ChargeKind(c.Kind), At: c.At, RequestID: c.RequestID, ModelName: c.ModelName,
		InputTokens: c.InputTokens, CachedInputTokens: c.CachedInputTokens, CacheWriteTokens: c.CacheWriteTokens,
		OutputTokens: c.OutputTokens, ReasoningTokens: c.ReasoningTokens, AudioInputTokens: c.AudioInputTokens, AudioOutputTokens: c.AudioOutputTokens,
		Usage: budget.Usage{Input: c.InputTokens, CachedInput: c.CachedInputTokens, CacheWrite: c.CacheWriteTokens, Output: c.OutputTokens,
			Reasoning: c.ReasoningTokens, AudioInput: c.AudioInputTokens, AudioOutput: c.AudioOutputTokens},
		AdjustsID: unless(c.Adjusts), Session: c.SessionRef, Tags: append([]string{}, c.Tags...), HeldAt: c.HeldAt, FactorID: c.FactorID,
		UserID: c.UserID, AgentID: c.AgentID, ClientID: c.ClientID,
		Amount: amountIn(plane, money.Nano(c.Cost), money.Nano(c.Credits)), Unit: unitOf(plane), Held: money.Nano(c.Held),
		PriceID: c.PriceID, FactorPpm: c.FactorPpm, LatencyMs: c.LatencyMs, FirstByteMs: c.FirstByteMs, Stream: c.Stream,
		Ref:     model.Ref{ID: c.ID, AccountID: c.AccountID, Plane: plane, Path: c.Path},
		ModelID: c.ModelID, OrganizationID: c.OrganizationID, TeamID: c.TeamID, MemberID: c.MemberID, KeyID: c.KeyID, Cycles: c.Cycles, CostUSD: money.Nano(c.Cost)}
}

// unless is nil for an empty text.
func unless(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func accountPath(accountID string) string { return "/" + accountID + "/" }
