package mcp

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// caller is whoever sends one request.
type caller struct {
	*Gateway
	r         *http.Request
	requestID string
	token     string
	// team names the team whose seat pays.
	team string
	is   *identity.Principal
	// agentID is the agent that calls, empty for none; tools are those that its
	// published version has.
	agentID string
	tools   map[string]bool
}

// authenticate reads the virtual key or the person's token, and in whose name
// of a team or agent it acts. Credentials are never mixed.
func (c *caller) authenticate() error {
	h := c.r.Header
	if h.Get("Cookie") != "" && h.Get("Authorization") != "" {
		return fault.New(fault.BadInput, "The request carries a cookie and an Authorization header. Send the virtual key or token alone.")
	}
	token, ok := strings.CutPrefix(h.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return fault.New(fault.Unauthenticated, "Send your virtual key, or a person's token, as \"Authorization: Bearer <key>\". Keys are made in Cockpit under Virtual keys.")
	}
	c.token, c.team = token, h.Get("X-Cockpit-Team")
	ctx := c.r.Context()
	var err error
	if c.is, err = c.principal(ctx); err != nil {
		return err
	}
	if err := c.Access.ToolGateway(tenancy.WithViewer(ctx, c.is.Viewer)); err != nil {
		return err
	}
	if c.team != "" && !slices.Contains(strings.Split(c.is.Path, "/"), c.team) {
		return fault.New(fault.Forbidden, "The key doesn't belong to the team %.60q, so the team can't pay for the call. Use a key of that team.", c.team)
	}
	c.team = c.is.TeamID
	if c.is.Plane != tenancy.Copilot {
		return fault.New(fault.Forbidden, "Tools belong to Copilot, and this key or seat to Console. Use a key of Copilot, or name a team of it in X-Cockpit-Team.")
	}
	return c.asAgent(h.Get("X-Cockpit-Agent"))
}

// principal tells whom the call is for, and which seat or key pays. What a token
// may do changes under it, so it is asked again with every look-up.
func (c *caller) principal(ctx context.Context) (*identity.Principal, error) {
	if c.Bearers == nil || strings.HasPrefix(c.token, "ck_") {
		return c.Keys.Principal(ctx, c.token)
	}
	p, err := c.Bearers.Principal(ctx, c.token, c.team)
	if err != nil {
		return nil, err
	}
	return p, c.Access.ToolGateway(tenancy.WithViewer(ctx, p.Viewer))
}

// asAgent narrows the caller to what an agent's published version has.
func (c *caller) asAgent(agentID string) error {
	if agentID == "" {
		return nil
	}
	missing := fault.New(fault.NotFound, "There is no such agent, or you may not use it. Leave X-Cockpit-Agent out, or name an agent that is granted to you.")
	if prefix, ok := id.PrefixOf(agentID); !ok || prefix != id.Agent {
		return missing
	}
	ctx := c.r.Context()
	table, err := c.table(ctx)
	if err != nil {
		return err
	}
	if !table.Ask(agentID, c.is.Path, c.Store.Now()).Allowed() {
		return missing
	}
	a, err := c.Agents.Agent(ctx, c.is.Viewer.AccountID, agentID)
	if err != nil {
		return err
	}
	if a == nil {
		return missing
	}
	c.agentID, c.tools = agentID, map[string]bool{}
	for _, toolID := range a.Definition.ToolIDs {
		c.tools[toolID] = true
	}
	return nil
}

func (c *caller) table(ctx context.Context) (*grant.Table, error) {
	return c.Grants.Table(ctx, c.is.Viewer.AccountID, tenancy.Copilot)
}

// has tells whether a tool is among those of the agent that calls, if one does.
func (c *caller) has(toolID string) bool { return c.tools == nil || c.tools[toolID] }

// mine is nil when the caller may use a tool now; the second result is why not.
func (c *caller) mine(table *grant.Table, toolID string) (refusal string, allowed bool) {
	if !c.has(toolID) {
		return "The agent's published version doesn't have the tool.", false
	}
	v := table.Ask(toolID, c.is.Path, c.Store.Now())
	if v.Allowed() {
		return "", true
	}
	return v.Reason(), false
}
