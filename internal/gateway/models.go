package gateway

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
)

// resolve finds the model that the caller names, and asks whether its key may
// call it.
func (c *call) resolve(name string) (catalog.Route, error) {
	p := c.caller
	route, found, err := c.routeOf(name)
	switch {
	case err != nil:
		return catalog.Route{}, err
	case !found && (name == "" || name == defaultModel):
		return catalog.Route{}, invalid("model", "The request names no model, and no default that can be called is set for %s. Name one that GET /v1/models lists, or ask an admin to set a default.", p.Name)
	case !found:
		return catalog.Route{}, fault.New(modelNotFound, "There is no model %.120q for this caller. GET /v1/models lists those there are.", name)
	}
	refusal, err := c.granted(route)
	if err != nil {
		return catalog.Route{}, err
	}
	if refusal != nil {
		return catalog.Route{}, refusal
	}
	return route, nil
}

// defaultModel is the name that stands for whichever model is the caller's
// default; a model that is really called so comes first.
const defaultModel = "default"

// routeOf finds the model by its name, or the default of the caller's path.
func (c *call) routeOf(name string) (catalog.Route, bool, error) {
	p := c.caller
	if name != "" {
		route, found, err := c.Catalog.Route(c.r.Context(), p.Viewer.AccountID, p.Plane, name)
		if found || err != nil || name != defaultModel {
			return route, found, err
		}
	}
	return c.Catalog.DefaultRoute(c.r.Context(), p.Viewer.AccountID, p.Plane, p.Path)
}

// granted is nil when the caller may call the model now: it is on the key's
// list, and the grants on the key's path allow it. A refusal is recorded.
func (c *call) granted(route catalog.Route) (*fault.Error, error) {
	p := c.caller
	if refusal, err := c.agentGranted(); refusal != nil || err != nil {
		return refusal, err
	}
	if !onList(p, route.ModelID) {
		c.recordRefusal("model.call", route.ModelID, route.Name, "The model isn't on the key's list.")
		return fault.New(modelNotGranted, "The key %s may not call the model %s. Ask its owner to add the model, or choose one that GET /v1/models lists.",
			p.Name, route.Name).With("model", route.Name).With("keyId", p.KeyID).With("rule", "key-list"), nil
	}
	table, err := c.Grants.Table(c.r.Context(), p.Viewer.AccountID, p.Plane)
	if err != nil {
		return nil, err
	}
	v := table.Ask(route.ModelID, p.Path, c.Now())
	if v.Allowed() {
		return c.featured(route)
	}
	c.recordRefusal("model.call", route.ModelID, route.Name, v.Reason())
	refusal := fault.New(modelNotGranted, "%s", v.Reason()).With("model", route.Name).With("rule", string(v.Rule))
	if p.KeyID != "" {
		refusal = refusal.With("keyId", p.KeyID)
	}
	return refusal, nil
}

// featured is nil unless the answer would have images where they are off.
func (c *call) featured(route catalog.Route) (*fault.Error, error) {
	if !route.Images && !c.q.images {
		return nil, nil
	}
	p := c.caller
	err := c.Features.Allows(c.r.Context(), feature.GenerateImages, p.Viewer.AccountID, p.Plane, p.Path)
	refusal := fault.As(err)
	if refusal == nil {
		return nil, err
	}
	c.recordRefusal("model.call", route.ModelID, route.Name, refusal.Message)
	return refusal.With("model", route.Name), nil
}

// onList tells whether a key lists the model. Whoever calls without a key has
// no list, and goes by the grants on their path alone.
func onList(p *identity.Principal, modelID string) bool { return p.KeyID == "" || p.ModelIDs[modelID] }

func (c *call) recordRefusal(action, targetID, targetName, reason string) {
	if c.Refusals == nil {
		return
	}
	p := c.caller
	c.Refusals.Record(c.r.Context(), audit.Event{
		Action: action, Outcome: auditevent.OutcomeREFUSED, AccountID: p.Viewer.AccountID, Plane: p.Plane,
		ScopeID: leaf(p.Path), ScopePath: p.Path, TargetID: targetID, TargetName: targetName, Reason: reason,
	})
}

// leaf is the id of a path's last node.
func leaf(path string) string {
	path = strings.TrimSuffix(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// unreadable is told to those whose call ends because nobody can tell whether
// they may still make it.
var unreadable = fault.New(fault.Unavailable, "Whether you may still call the model can't be told right now, so the answer ends here. Try again in a few seconds.")

// goesOn tells whether a stream may: its key stands, and the grants still allow
// the model.
func (c *call) goesOn() bool {
	return c.stands() && c.certain(func() (bool, error) {
		refusal, err := c.granted(c.route)
		if err != nil {
			c.Log.WarnContext(c.r.Context(), "grants can't be read; a stream is held back", "requestId", c.requestID, "error", err)
			refusal = unreadable
		}
		c.fell.Store(refusal)
		return refusal == nil, err
	})
}

// why is what a stream is told that may not go on.
func (c *call) why() *fault.Error {
	if fell := c.fell.Load(); fell != nil {
		return fell
	}
	return identity.ErrKey
}

// list serves GET /v1/models: what the caller can really use.
func (g *Gateway) list(c *call) error {
	p := c.caller
	routes, err := g.Catalog.Routes(c.r.Context(), p.Viewer.AccountID, p.Plane)
	if err != nil {
		return err
	}
	table, err := g.Grants.Table(c.r.Context(), p.Viewer.AccountID, p.Plane)
	if err != nil {
		return err
	}
	standard, _, err := g.Catalog.DefaultOf(c.r.Context(), p.Viewer.AccountID, p.Plane, p.Path)
	if err != nil {
		return err
	}
	now := c.Now()
	type model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		OwnedBy string `json:"owned_by"`
		// Default is what calls use that name no model.
		Default bool `json:"default,omitempty"`
	}
	data := []model{}
	for _, r := range routes {
		if onList(p, r.ModelID) && payable(r) && table.Ask(r.ModelID, p.Path, now).Allowed() {
			data = append(data, model{r.Name, "model", r.CreatedAt.Unix(), strings.ToLower(string(p.Plane)), r.ModelID == standard.ModelID})
		}
	}
	slices.SortFunc(data, func(a, b model) int { return strings.Compare(a.ID, b.ID) })
	body, err := json.Marshal(map[string]any{"object": "list", "data": data})
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.answering = true
	_, _ = c.w.Write(body) // fails only when the client has gone
	return nil
}

// payable tells whether calls of the model can be charged.
func payable(r catalog.Route) bool { return r.Price != nil || r.Ceiling > 0 }

// hidden tells whether the model bills tokens that it doesn't show.
func hidden(r catalog.Route) bool { return r.Price != nil && r.Price.Reasoning != nil }

func targetOf(r catalog.Route) target {
	return target{baseURL: r.BaseURL, secret: r.APIKey, model: r.UpstreamName, limitName: limitNameOf(r.BaseURL)}
}

// charge is what the ledger will say of the call.
func (c *call) charge() (budget.Call, error) {
	p, r := c.caller, c.route
	session, tags, err := c.attribution()
	if err != nil {
		return budget.Call{}, err
	}
	out := budget.Call{
		AccountID: p.Viewer.AccountID, TimeZone: p.TimeZone, Plane: p.Plane, Path: p.Path,
		OrganizationID: p.OrganizationID, TeamID: p.TeamID, MemberID: p.MemberID, UserID: p.UserID, KeyID: p.KeyID, ClientID: p.Viewer.ClientID,
		SessionRef: session, Tags: tags, ModelID: r.ModelID, ModelName: r.Name,
		Ceiling: r.Ceiling, FactorID: r.FactorID, FactorPPM: r.FactorPPM, RequestID: c.requestID, Stream: c.q.stream,
	}
	if a := c.agent; a != nil {
		out.AgentID = a.ID
		if !c.draft {
			out.Cap = budget.Cap{Credits: a.SessionCredits, Turns: a.SessionTurns}
		}
		if out.Cap != (budget.Cap{}) && session == "" {
			return budget.Call{}, invalid("X-Cockpit-Session", "The agent %s bounds what a session may take. Name the session in X-Cockpit-Session.", a.Name)
		}
	}
	if r.Price != nil {
		out.PriceID, out.Prices = r.Price.ID, pricesOf(r.Price)
	}
	return out, nil
}

func pricesOf(p *ent.Price) budget.Prices {
	return budget.Prices{
		Input: money.Nano(p.Input), CachedInput: (*money.Nano)(p.CachedInput), CacheWrite: (*money.Nano)(p.CacheWrite),
		Output: money.Nano(p.Output), Reasoning: (*money.Nano)(p.Reasoning),
		AudioInput: (*money.Nano)(p.AudioInput), AudioOutput: (*money.Nano)(p.AudioOutput), Request: money.Nano(p.Request),
	}
}

const (
	maxTags = 16
	maxTag  = 64
)

// attribution reads the headers by which callers sort their spend.
func (c *call) attribution() (session string, tags []string, err error) {
	h := c.r.Header
	if team := h.Get("X-Cockpit-Team"); team != "" && !slices.Contains(strings.Split(c.caller.Path, "/"), team) {
		return "", nil, invalid("X-Cockpit-Team", "The key doesn't belong to the team %.60q, so the team can't pay for the call. Use a key of that team.", team)
	}
	if session = h.Get("X-Cockpit-Session"); len(session) > 2*maxTag {
		return "", nil, invalid("X-Cockpit-Session", "A session's name has at most %d bytes.", 2*maxTag)
	}
	for tag := range strings.SplitSeq(h.Get("X-Cockpit-Tags"), ",") {
		if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
		if len(tag) > maxTag || len(tags) > maxTags {
			return "", nil, invalid("X-Cockpit-Tags", "A call has at most %d tags of %d bytes.", maxTags, maxTag)
		}
	}
	return session, tags, nil
}
