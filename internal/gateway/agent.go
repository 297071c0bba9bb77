package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// agentsModel is the name by which a call leaves the model to its agent.
const agentsModel = "agent"

// through finds the agent that a call names, and lets it speak first.
func (c *call) through() error {
	if c.agent == nil {
		agentID := c.r.Header.Get("X-Cockpit-Agent")
		if agentID == "" {
			return nil
		}
		if c.caller.Plane != tenancy.Copilot {
			return invalid("X-Cockpit-Agent", "Agents live in Copilot, and this key is Console's. Use a key or a token of Copilot, or leave X-Cockpit-Agent out.")
		}
		found, err := c.Agents.Agent(c.r.Context(), c.caller.Viewer.AccountID, agentID)
		if err != nil {
			return err
		}
		refusal, err := c.mayUse(agentID)
		switch {
		case err != nil:
			return err
		case refusal != nil:
			return refusal
		case found == nil:
			return missingAgent(agentID)
		}
		c.agent = found
	}
	q, refused := c.q.speakFor(&c.agent.Definition)
	if refused != nil {
		return refused
	}
	c.q = q
	return nil
}

func missingAgent(agentID string) *fault.Error {
	e := fault.New(agentNotFound, "There is no agent %.60q for this caller.", agentID)
	e.Path = []string{"X-Cockpit-Agent"}
	return e
}

// agentGranted is nil while the caller may use the agent that the call goes
// through.
func (c *call) agentGranted() (*fault.Error, error) {
	if c.agent == nil || c.draft {
		return nil, nil
	}
	return c.mayUse(c.agent.ID)
}

// mayUse is nil when the grants on the payer's path allow the agent, which is
// published and active. A refusal is recorded.
func (c *call) mayUse(agentID string) (*fault.Error, error) {
	p := c.caller
	table, err := c.Grants.Table(c.r.Context(), p.Viewer.AccountID, p.Plane)
	if err != nil {
		return nil, err
	}
	r := table.Resource(agentID)
	if r == nil || r.Kind != grant.Agent {
		return missingAgent(agentID), nil
	}
	v := table.Ask(agentID, p.Path, c.Now())
	if v.Allowed() {
		return nil, nil
	}
	c.recordRefusal("agent.call", r.ID, r.Name, v.Reason())
	return fault.New(agentNotGranted, "%s", v.Reason()).With("agent", r.Name).With("rule", string(v.Rule)), nil
}

// agentRoutes are the models that an agent's call may go to: the one it names,
// else the agent's own, then its fallbacks that the caller may call.
func (c *call) agentRoutes() ([]catalog.Route, error) {
	p, ids := c.caller, c.agent.Definition.Models()
	if c.q.model != "" && c.q.model != agentsModel {
		named, found, err := c.Catalog.Route(c.r.Context(), p.Viewer.AccountID, p.Plane, c.q.model)
		if err != nil {
			return nil, err
		}
		from := slices.Index(ids, named.ModelID)
		if !found || from < 0 {
			return nil, invalid("model", "The agent %s doesn't call the model %.120q. Leave the model to the agent: send %q.", c.agent.Name, c.q.model, agentsModel)
		}
		ids = ids[from:]
	}
	table, err := c.Grants.Table(c.r.Context(), p.Viewer.AccountID, p.Plane)
	if err != nil {
		return nil, err
	}
	var out []catalog.Route
	for _, modelID := range ids {
		route, found, err := c.Catalog.RouteOf(c.r.Context(), p.Viewer.AccountID, p.Plane, modelID)
		if err != nil {
			return nil, err
		}
		switch {
		case !found:
			continue
		case len(out) == 0:
			refusal, err := c.granted(route)
			if err != nil {
				return nil, err
			}
			if refusal != nil {
				return nil, refusal
			}
		case !onList(p, modelID) || !payable(route) || !table.Ask(modelID, p.Path, c.Now()).Allowed():
			continue
		}
		out = append(out, route)
	}
	if len(out) == 0 {
		return nil, fault.New(modelNotFound, "None of the models of the agent %s can be called now. Ask whoever builds it to choose another one.", c.agent.Name)
	}
	return out, nil
}

// speakFor is the request with an agent's part in it: its instructions before
// the messages, and its parameters where the request sets none.
func (q *request) speakFor(d *agents.Definition) (*request, *fault.Error) {
	if q.messagesAt.to == 0 {
		return nil, invalid("messages", "The request has no messages.")
	}
	var edits []edit
	added := ""
	add := func(name string, value any, twins ...string) {
		if !q.has(append(twins, name)...) {
			added += strconv.Quote(name) + ":" + jsonOf(value) + ","
		}
	}
	if p := d.Parameters; p != (agents.Parameters{}) {
		if p.Temperature != nil {
			add("temperature", *p.Temperature)
		}
		if p.TopP != nil {
			add("top_p", *p.TopP)
		}
		if p.MaxOutputTokens > 0 && q.limit == 0 && len(q.limitsAt) == 0 {
			add("max_tokens", p.MaxOutputTokens, "max_completion_tokens")
		}
		if p.ReasoningEffort != "" {
			add("reasoning_effort", p.ReasoningEffort)
		}
	}
	if q.modelAt.to == 0 {
		added += `"model":"` + agentsModel + `",`
	}
	if added != "" {
		at := skipSpace(q.doc, 0) + 1
		edits = append(edits, edit{span{at, at}, added})
	}
	if text := prompt(d); text != "" {
		message := jsonOf(map[string]string{"role": "system", "content": text})
		if len(elements(q.doc, q.messagesAt)) > 0 {
			message += ","
		}
		at := q.messagesAt.from + 1
		edits = append(edits, edit{span{at, at}, message})
	}
	out, e := parse(apply(q.doc, edits))
	if e != nil {
		return nil, e
	}
	out.sent = q.sent
	return out, nil
}

// has tells whether the request sets one of some members, under whatever case.
func (q *request) has(names ...string) bool {
	for _, m := range members(q.doc, span{skipSpace(q.doc, 0), len(q.doc)}) {
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(m.name, n) }) {
			return true
		}
	}
	return false
}

// prompt is what an agent says to its model before anybody else does.
func prompt(d *agents.Definition) string {
	text := strings.TrimSpace(d.Instructions)
	if len(d.Knowledge) == 0 {
		return text
	}
	lines := []string{text, "", "Pages to refer to:"}
	for _, k := range d.Knowledge {
		lines = append(lines, "- "+k.Title+": "+k.URL)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and finite numbers always encode
	}
	return string(b)
}

// Try answers a call through a draft, for those who build it: whoever calls has
// asked the policy, and ask tells again whose seat pays while the answer runs.
// All else is as for any call.
func (g *Gateway) Try(w http.ResponseWriter, r *http.Request, draft *agents.Published, ask func(context.Context) (*identity.Principal, error)) {
	g.take(doors[0], w, r, func(c *call) (err error) {
		c.agent, c.draft, c.ask = draft, true, ask
		if c.caller, err = ask(r.Context()); err != nil {
			return err
		}
		c.token, c.team = "try "+c.caller.Viewer.SessionID, c.caller.TeamID
		c.r = r.WithContext(tenancy.WithViewer(r.Context(), c.caller.Viewer))
		return nil
	})
}
