package server

import (
	"context"
	"fmt"
	"strings"

	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/marketplace"
	"github.com/alchemi/cockpit/internal/mcp"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/secret"
)

// openConnections makes what Copilot's tools come from, and the gateway that
// serves them.
func (s *Server) openConnections(box *secret.Box, live *agents.Live) error {
	commands, err := connections.ParseCommands(s.cfg.StdioCommands)
	if err != nil {
		return fmt.Errorf("--stdio-commands: %w", err)
	}
	if s.cfg.ComposioURL != "" && !outbound.Takes(s.cfg.ComposioURL, s.cfg.outbound()) {
		return fmt.Errorf("--composio-url: %q isn't an https address; http is taken in networks of --allow-networks alone", s.cfg.ComposioURL)
	}
	s.credentials = credential.New(credential.Options{Store: s.store, Box: box, Client: s.outbound, Networks: s.cfg.outbound(), URL: s.URL(), Log: s.log})
	s.connections = connections.New(connections.Options{Store: s.store, Client: s.outbound, Grants: s.grants, Credentials: s.credentials, Commands: commands, Composio: strings.TrimRight(s.cfg.ComposioURL, "/"), Requests: s.requests, Log: s.log})
	if s.requests.Carry == nil {
		s.requests.Carry = request.Carriers{}
	}
	s.requests.Carry[entrequest.KindTOOL_APPROVAL] = s.connections.Carry
	s.onClose(func(context.Context) error { s.connections.Close(); return nil })
	s.tasks.Go(func() { s.connections.Run(s.background) })
	s.shelves = mcp.NewShelves(s.store, s.epochs, s.grants)
	s.tools = mcp.New(mcp.Options{Store: s.store, Epochs: s.epochs, Keys: s.keys, Bearers: s.oauth.Bearers(), Access: s.access, Grants: s.grants, Agents: live,
		Connections: s.connections, Shelves: s.shelves, Budget: s.budget, Guards: s.guards, Factor: s.catalog.Factor, Take: s.gateway.Take, Exceeded: s.watcher.Refused,
		Refusals: s.refusals, AskAt: s.URL() + "/me", MaxBody: s.cfg.MaxBody, Log: s.log})
	s.onClose(func(context.Context) error { s.tools.Close(); return nil })
	return nil
}

// openMarketplace lets the inbox decide on listings, and people ask for what
// listings tell them of.
func (s *Server) openMarketplace() {
	market := &marketplace.Market{Catalog: s.catalog, Agents: s.agents, Connections: s.connections, Requests: s.requests}
	s.requests.Known = market.Known
	if s.requests.Carry == nil {
		s.requests.Carry = request.Carriers{}
	}
	s.requests.Carry[entrequest.KindPUBLISH] = market.Carry
}
