package gateway

import (
	"cmp"
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
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
)

// resolve finds the model that the caller names, and asks whether its key may
// call it.
func (c *call) resolve(name string) (catalog.Route, error) {
	p := c.caller
	route, found, err := c.Catalog.Route(c.r.Context(), p.Viewer.AccountID, p.Plane, name)
	switch {
	case err != nil:
		return catalog.Route{}, err
	case !found:
		return catalog.Route{}, fault.New(modelNotFound, "There is no model %.120q for this caller. GET /v1/models lists those there are.", name)
	case !modelsOf(p)(route.ModelID):
		if c.Refusals != nil {
			c.Refusals.Record(c.r.Context(), audit.Event{
				Action: "model.call", Outcome: auditevent.OutcomeREFUSED, AccountID: p.Viewer.AccountID, Plane: p.Plane,
				ScopeID: cmp.Or(p.KeyID, p.MemberID), ScopePath: p.Path, TargetID: route.ModelID, TargetName: route.Name, Reason: "The model isn't on the key's list.",
			})
		}
		return catalog.Route{}, fault.New(modelNotGranted, "The key %s may not call the model %s. Ask its owner to add the model, or choose one that GET /v1/models lists.",
			p.Name, name).With("model", name).With("keyId", p.KeyID)
	}
	return route, nil
}

// modelsOf tells which models a caller may call: a key those of its list, a
// person's seat every active one of its plane.
func modelsOf(p *identity.Principal) func(modelID string) bool {
	if p.KeyID == "" {
		return func(string) bool { return true }
	}
	return func(modelID string) bool { return p.ModelIDs[modelID] }
}

// list serves GET /v1/models: what the caller can really use.
func (g *Gateway) list(c *call) error {
	p := c.caller
	routes, err := g.Catalog.Routes(c.r.Context(), p.Viewer.AccountID, p.Plane)
	if err != nil {
		return err
	}
	type model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		OwnedBy string `json:"owned_by"`
	}
	data, may := []model{}, modelsOf(p)
	for _, r := range routes {
		if may(r.ModelID) && payable(r) {
			data = append(data, model{r.Name, "model", r.CreatedAt.Unix(), strings.ToLower(string(p.Plane))})
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
		AccountID: p.Viewer.AccountID, Plane: p.Plane, Path: p.Path,
		OrganizationID: p.OrganizationID, TeamID: p.TeamID, MemberID: p.MemberID, UserID: p.UserID, KeyID: p.KeyID, ClientID: p.Viewer.ClientID,
		SessionRef: session, Tags: tags, ModelID: r.ModelID, ModelName: r.Name,
		Ceiling: r.Ceiling, FactorID: r.FactorID, FactorPPM: r.FactorPPM, RequestID: c.requestID, Stream: c.q.stream,
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
