package graph

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func toConnection(c *ent.Connection) *model.Connection {
	out := &model.Connection{ID: c.ID, Name: c.Name, Description: c.Description, Icon: c.Icon, Kind: model.ConnectionKind(c.Kind), Status: model.Status(c.Status),
		URL: c.URL, Command: c.Command, DocumentURL: c.DocumentURL, Auth: model.ConnectionAuth(c.Auth), AuthName: c.AuthName,
		Credential: model.ConnectionCredentialOwner(c.Credential), Toolkit: c.Toolkit, AuthConfig: c.AuthConfig, CreatedAt: c.CreatedAt, Version: c.Version, Row: c,
		Health: &model.ConnectionHealth{CheckedAt: c.CheckedAt, Error: unless(c.HealthError), LatencyMs: c.LatencyMs,
			DiscoveredAt: c.DiscoveredAt, DiscoveryError: unless(c.DiscoveryError)}}
	if out.Command == nil {
		out.Command = []string{}
	}
	if c.Auth == connection.AuthOAUTH {
		var o credential.OAuth
		_ = json.Unmarshal(c.Oauth, &o) // checked when it was stored
		out.Oauth = &model.ConnectionOAuth{Issuer: o.Issuer, AuthorizeURL: o.AuthorizeURL, TokenURL: o.TokenURL, ClientID: o.ClientID,
			Registered: o.ClientID == "" && len(c.RegisteredClient) > 0, ClientSecretHint: unless(c.ClientSecretHint), Scopes: o.Scopes}
		if o.Scopes == nil {
			out.Oauth.Scopes = []string{}
		}
	}
	return out
}

func toTool(t *ent.Tool) *model.Tool {
	var d connections.Definition
	_ = json.Unmarshal(t.Definition, &d) // what can't be read is shown as it is
	out := &model.Tool{ID: t.ID, Name: t.Name, Title: d.Title, Description: d.Description, State: model.ToolState(t.State), Enabled: t.Enabled,
		Definition: string(t.Definition), Digest: t.Digest, Price: money.Nano(t.Price), ApprovedAt: t.ApprovedAt, Version: t.Version, ConnectionID: t.ConnectionID}
	if out.Title == "" {
		out.Title = t.Name
	}
	if t.State == tool.StateCHANGED {
		out.Proposed, out.Digest = unless(string(t.Proposed)), t.ProposedDigest
	}
	return out
}

func (r *Resolver) connectionPage(ctx context.Context, at model.Ref, search *string, w window) (*model.ConnectionConnection, error) {
	ctx = tenancy.InPlane(ctx, tenancy.Copilot)
	needle, err := needleOf(search)
	if err != nil {
		return nil, err
	}
	query := func() *ent.ConnectionQuery {
		q := r.Store.Connection.Query().Where(connection.AccountID(at.AccountID))
		if needle != "" {
			q.Where(connection.Or(connection.NameContainsFold(needle), connection.DescriptionContainsFold(needle)))
		}
		return q
	}
	rows, info, err := list[*ent.Connection](ctx, query(), w, connection.FieldName, false, func(c *ent.Connection) string { return c.Name })
	if err != nil {
		return nil, err
	}
	return &model.ConnectionConnection{PageInfo: info, Count: func(context.Context) (int, error) { return query().Count(ctx) },
		Edges: mapTo(rows, func(c *ent.Connection) *model.ConnectionEdge {
			return &model.ConnectionEdge{Node: toConnection(c), Cursor: encode(c.Name)}
		})}, nil
}

// needleOf is what a list is searched for.
func needleOf(search *string) (string, error) {
	s := strings.TrimSpace(orEmpty(search))
	if len(s) > 100 {
		return "", fault.New(fault.BadInput, "Search for at most 100 characters.")
	}
	return s, nil
}

// toolPage lists the tools of one connection by name, or of all in order of
// their making.
func (r *Resolver) toolPage(ctx context.Context, accountID, connectionID string, search *string, state *model.ToolState, w window) (*model.ToolConnection, error) {
	ctx = tenancy.InPlane(ctx, tenancy.Copilot)
	needle, err := needleOf(search)
	if err != nil {
		return nil, err
	}
	query := func() *ent.ToolQuery {
		q := r.Store.Tool.Query().Where(tool.AccountID(accountID))
		if connectionID != "" {
			q.Where(tool.ConnectionID(connectionID))
		}
		if needle != "" {
			q.Where(tool.NameContainsFold(needle))
		}
		if state != nil {
			q.Where(tool.StateEQ(tool.State(*state)))
		}
		return q
	}
	column, key := tool.FieldID, func(t *ent.Tool) string { return t.ID }
	if connectionID != "" {
		column, key = tool.FieldName, func(t *ent.Tool) string { return t.Name }
	}
	rows, info, err := list[*ent.Tool](ctx, query(), w, column, false, key)
	if err != nil {
		return nil, err
	}
	return &model.ToolConnection{PageInfo: info, Count: func(context.Context) (int, error) { return query().Count(ctx) },
		Edges: mapTo(rows, func(t *ent.Tool) *model.ToolEdge { return &model.ToolEdge{Node: toTool(t), Cursor: encode(key(t))} })}, nil
}

func (r *Resolver) toolCounts(ctx context.Context, connectionID string) (*model.ToolCounts, error) {
	var rows []struct {
		State tool.State `json:"state"`
		Count int        `json:"count"`
	}
	if err := r.Store.Tool.Query().Where(tool.ConnectionID(connectionID)).GroupBy(tool.FieldState).Aggregate(ent.Count()).Scan(ctx, &rows); err != nil {
		return nil, err
	}
	out := &model.ToolCounts{}
	for _, row := range rows {
		switch row.State {
		case tool.StatePENDING:
			out.Pending = row.Count
		case tool.StateAPPROVED:
			out.Approved = row.Count
		case tool.StateCHANGED:
			out.Changed = row.Count
		case tool.StateMISSING:
			out.Missing = row.Count
		}
	}
	return out, nil
}

// connectionHere is a connection in the viewer's reach, with the scope that
// owns it.
func (r *Resolver) connectionHere(ctx context.Context, connectionID string) (*ent.Connection, *ent.Scope, error) {
	row, err := r.Store.Connection.Get(tenancy.InPlane(ctx, tenancy.Copilot), connectionID)
	if err != nil {
		return nil, nil, here(err, "connection", "connectionId")
	}
	owner, err := r.Store.Scope.Get(ctx, row.ScopeID)
	if err != nil {
		return nil, nil, here(err, "connection", "connectionId")
	}
	return row, owner, nil
}

// here makes what isn't in reach an error about a field.
func here(err error, noun, field string) error {
	if !isAbsent(err) {
		return err
	}
	e := fault.Missing(noun)
	e.Path = []string{field}
	return e
}

// toolHere is a tool in the viewer's reach, with the scope that owns its
// connection.
func (r *Resolver) toolHere(ctx context.Context, toolID, field string) (*ent.Tool, *ent.Scope, error) {
	t, err := r.Store.Tool.Get(tenancy.InPlane(ctx, tenancy.Copilot), toolID)
	if err != nil {
		return nil, nil, here(err, "tool", field)
	}
	_, owner, err := r.connectionHere(ctx, t.ConnectionID)
	if err != nil {
		return nil, nil, here(err, "tool", field)
	}
	return t, owner, nil
}

// connectionUsable is a connection in the viewer's reach, or one with a tool
// that a seat of theirs may use.
func (r *Resolver) connectionUsable(ctx context.Context, connectionID string) (*ent.Connection, *ent.Scope, error) {
	row, owner, err := r.connectionHere(ctx, connectionID)
	if err == nil || fault.As(err) == nil {
		return row, owner, err
	}
	usable, failed := r.usableTools(ctx)
	if failed != nil {
		return nil, nil, failed
	}
	if len(usable[connectionID]) == 0 {
		return nil, nil, err
	}
	ctx = tenancy.System(ctx, "a seat of the viewer's may use a tool of the connection")
	row, err = r.Store.Connection.Query().Where(connection.ID(connectionID)).WithScope().Only(ctx)
	if err != nil {
		return nil, nil, err
	}
	return row, row.Edges.Scope, nil
}

// usableTools are the tools that the viewer's seats may use, by connection.
func (r *Resolver) usableTools(ctx context.Context) (map[string][]*ent.Tool, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	t, err := r.Grants.Table(ctx, v.AccountID, tenancy.Copilot)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, held := range v.Roles {
		if held.Role == tenancy.Seatholder && held.Kind == tenancy.KindMember && held.Plane == tenancy.Copilot {
			ids = append(ids, t.Usable(grant.Tool, held.Path, r.Store.Now())...)
		}
	}
	out := map[string][]*ent.Tool{}
	if len(ids) == 0 {
		return out, nil
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	ctx = tenancy.System(ctx, "tools that the grants let a seat of the viewer's use")
	for chunk := range slices.Chunk(ids, 500) {
		rows, err := r.Store.Tool.Query().Where(tool.IDIn(chunk...), tool.AccountID(v.AccountID)).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			out[row.ConnectionID] = append(out[row.ConnectionID], row)
		}
	}
	return out, nil
}

func (r *Resolver) usableConnections(ctx context.Context) ([]*model.UsableConnection, error) {
	usable, err := r.usableTools(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(usable))
	for connectionID := range usable {
		ids = append(ids, connectionID)
	}
	rows, err := r.Store.Connection.Query().Where(connection.IDIn(ids...)).Order(connection.ByName()).
		All(tenancy.System(ctx, "a seat of the viewer's may use a tool of these connections"))
	if err != nil {
		return nil, err
	}
	out := make([]*model.UsableConnection, 0, len(rows))
	for _, c := range rows {
		signedIn, err := r.signedIn(ctx, c)
		if err != nil {
			return nil, err
		}
		if c.Credential == connection.CredentialSHARED {
			signedIn.Hint = nil // it is the admins'
		}
		names := mapTo(usable[c.ID], func(t *ent.Tool) string { return connections.CallName(c.Name, t.Name, t.ID) })
		slices.Sort(names)
		out = append(out, &model.UsableConnection{ID: c.ID, Name: c.Name, Description: c.Description, Icon: c.Icon, Kind: model.ConnectionKind(c.Kind),
			Auth: model.ConnectionAuth(c.Auth), Credential: model.ConnectionCredentialOwner(c.Credential), SignedIn: signedIn, Tools: names})
	}
	return out, nil
}

// signedIn tells how the viewer stands with a connection.
func (r *Resolver) signedIn(ctx context.Context, c *ent.Connection) (*model.ConnectionSignedIn, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	if c.Credential == connection.CredentialPERSONAL && v.UserID == "" {
		return &model.ConnectionSignedIn{}, nil // a program of its own signs in nowhere
	}
	s, err := r.Connections.Credentials.State(tenancy.System(ctx, "how one stands with a connection that one sees"), c, v.UserID)
	if err != nil {
		return nil, err
	}
	out := &model.ConnectionSignedIn{Ready: s.Ready, Error: unless(s.Error), Hint: unless(s.Hint), Scopes: s.Scopes}
	if !s.Since.IsZero() {
		out.Since = &s.Since
	}
	return out, nil
}

func oauthInput(in *model.ConnectionOAuthInput) (settings json.RawMessage, secret *string, err error) {
	if in == nil {
		return nil, nil, nil
	}
	settings, err = json.Marshal(credential.OAuth{Issuer: orEmpty(in.Issuer), AuthorizeURL: orEmpty(in.AuthorizeURL), TokenURL: orEmpty(in.TokenURL),
		ClientID: strings.TrimSpace(orEmpty(in.ClientID)), Scopes: in.Scopes})
	return settings, in.ClientSecret, err
}

// connecting is what making a connection of a kind is to the policies.
var connecting = map[model.ConnectionKind]access.Action{
	model.ConnectionKindMcpHTTP: access.ConnectionCreateMCP, model.ConnectionKindMcpSse: access.ConnectionCreateMCP, model.ConnectionKindMcpStdio: access.ConnectionProgram,
	model.ConnectionKindOpenapi: access.ConnectionCreateAPI, model.ConnectionKindComposio: access.ConnectionIntegration,
}

func (r *Resolver) connectionCreate(ctx context.Context, in model.ConnectionCreateInput) (*ent.Connection, error) {
	owner, err := r.at(ctx, in.ScopeID, "scope", "scopeId", tenancy.KindCopilot, tenancy.KindOrganization, tenancy.KindTeam, tenancy.KindMember)
	if err != nil {
		return nil, err
	}
	creating, known := connecting[in.Kind]
	if !known {
		return nil, fault.At("kind", "There is no such kind of connection.")
	}
	if err := r.check(ctx, creating, ref(owner)); err != nil {
		return nil, err
	}
	settings, secret, err := oauthInput(in.Oauth)
	if err != nil {
		return nil, err
	}
	input := connections.Input{Kind: connection.Kind(in.Kind), Name: &in.Name, Description: in.Description, Icon: in.Icon, URL: in.URL, Command: in.Command,
		Document: in.Document, DocumentURL: in.DocumentURL, Auth: (*connection.Auth)(in.Auth), AuthName: in.AuthName,
		Credential: (*connection.Credential)(in.Credential), OAuth: settings, ClientSecret: secret, Toolkit: in.Toolkit, AuthConfig: in.AuthConfig}
	if err := r.Connections.Prepare(ctx, &input); err != nil { // no transaction is open while waiting for others
		return nil, err
	}
	row, err := changing(ctx, r, []leave{need(creating, owner)}, false, func(ctx context.Context, tx *store.Tx) (*ent.Connection, error) {
		return r.Connections.Create(ctx, tx, owner, input)
	})
	if err != nil {
		return nil, err
	}
	// What needs a credential is looked at once it has one.
	if row.Auth == connection.AuthNONE && row.Kind != connection.KindMCP_STDIO {
		if err := r.look(ctx, row.ID, is(in.Approve)); err != nil {
			return nil, err
		}
	}
	return r.Store.Connection.Get(ctx, row.ID)
}

// look discovers what a connection offers; what is wrong with its server is
// noted with it, and no failure of the mutation.
func (r *Resolver) look(ctx context.Context, connectionID string, approve bool) error {
	userID := ""
	if v := tenancy.ViewerFrom(ctx); v != nil {
		userID = v.UserID
	}
	_, err := r.Connections.Discover(ctx, connectionID, userID, approve)
	if fault.As(err) != nil {
		err = nil
	}
	return err
}

func (r *Resolver) connectionUpdate(ctx context.Context, in model.ConnectionUpdateInput) (*ent.Connection, error) {
	_, owner, err := r.connectionHere(ctx, in.ConnectionID)
	if err != nil {
		return nil, err
	}
	settings, secret, err := oauthInput(in.Oauth)
	if err != nil {
		return nil, err
	}
	return changing(ctx, r, []leave{need(access.ConnectionUpdate, owner)}, false, func(ctx context.Context, tx *store.Tx) (*ent.Connection, error) {
		return r.Connections.Update(ctx, tx, in.ConnectionID, connections.Input{Name: in.Name, Description: in.Description, Icon: in.Icon, URL: in.URL,
			Command: in.Command, Document: in.Document, DocumentURL: in.DocumentURL, Auth: (*connection.Auth)(in.Auth), AuthName: in.AuthName,
			Credential: (*connection.Credential)(in.Credential), OAuth: settings, ClientSecret: secret, Toolkit: in.Toolkit, AuthConfig: in.AuthConfig, Status: (*connection.Status)(in.Status), ExpectedVersion: in.ExpectedVersion})
	})
}

func (r *Resolver) connectionDelete(ctx context.Context, connectionID string) error {
	_, owner, err := r.connectionHere(ctx, connectionID)
	if err != nil {
		return err
	}
	return r.change(ctx, []leave{need(access.ConnectionDelete, owner)}, false, func(ctx context.Context, tx *store.Tx) error {
		return r.Connections.Delete(ctx, tx, connectionID)
	})
}

func (r *Resolver) connectionDiscover(ctx context.Context, in model.ConnectionDiscoverInput) (*ent.Connection, error) {
	row, owner, err := r.connectionHere(ctx, in.ConnectionID)
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx, access.ConnectionDiscover, ref(owner)); err != nil {
		return nil, err
	}
	if is(in.Approve) {
		if err := r.check(ctx, access.ToolApprove, ref(owner)); err != nil {
			return nil, err
		}
	}
	if row.Status != connection.StatusACTIVE {
		return nil, fault.New(fault.Invalid, "%s is switched off. Switch it on, then look at what it offers.", row.Name)
	}
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := r.Connections.Discover(ctx, row.ID, v.UserID, is(in.Approve)); err != nil {
		return nil, err
	}
	return r.Store.Connection.Get(ctx, row.ID)
}

func (r *Resolver) connectionDisconnectAll(ctx context.Context, connectionID string) (*ent.Connection, error) {
	_, owner, err := r.connectionHere(ctx, connectionID)
	if err != nil {
		return nil, err
	}
	return changing(ctx, r, []leave{need(access.ConnectionUpdate, owner)}, false, func(ctx context.Context, tx *store.Tx) (*ent.Connection, error) {
		return r.Connections.DisconnectAll(ctx, tx, connectionID)
	})
}

// credentialOf finds a connection whose credential the viewer may set: that of
// all by its admins, one's own by everybody who may use it.
func (r *Resolver) credentialOf(ctx context.Context, connectionID string) (*ent.Connection, []leave, string, error) {
	row, owner, err := r.connectionUsable(ctx, connectionID)
	if err != nil {
		return nil, nil, "", err
	}
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, nil, "", err
	}
	if row.Credential == connection.CredentialPERSONAL {
		return row, nil, v.UserID, nil
	}
	needs := []leave{need(access.ConnectionUpdate, owner)}
	return row, needs, v.UserID, r.allowed(ctx, needs)
}

func (r *Resolver) connectionSecretSet(ctx context.Context, in model.ConnectionSecretSetInput) (*model.ConnectionSignedIn, error) {
	row, needs, userID, err := r.credentialOf(ctx, in.ConnectionID)
	if err != nil {
		return nil, err
	}
	if row.Kind == connection.KindCOMPOSIO && needs == nil { // its key is for all
		_, owner, err := r.connectionUsable(ctx, in.ConnectionID)
		if err != nil {
			return nil, err
		}
		needs = []leave{need(access.ConnectionUpdate, owner)}
		if err := r.allowed(ctx, needs); err != nil {
			return nil, err
		}
	}
	given := credential.Secret{Value: orEmpty(in.Value), User: orEmpty(in.User)}
	for _, variable := range in.Environment {
		if given.Environment == nil {
			given.Environment = map[string]string{}
		}
		given.Environment[variable.Name] = variable.Value
	}
	err = r.change(ctx, needs, false, func(ctx context.Context, tx *store.Tx) error {
		tx.AfterCommit(func() { r.Connections.End(row.ID) })
		return r.Connections.Credentials.Set(ctx, tx, row, userID, given)
	})
	if err != nil {
		return nil, err
	}
	return r.signedIn(ctx, row)
}

func (r *Resolver) connectionSignIn(ctx context.Context, in model.ConnectionSignInInput) (string, error) {
	row, _, userID, err := r.credentialOf(ctx, in.ConnectionID)
	if err != nil {
		return "", err
	}
	return r.Connections.Credentials.Begin(ctx, row, userID, orEmpty(in.ReturnTo))
}

func (r *Resolver) connectionSignOut(ctx context.Context, connectionID string) (*model.ConnectionSignedIn, error) {
	row, needs, userID, err := r.credentialOf(ctx, connectionID)
	if err != nil {
		return nil, err
	}
	err = r.change(ctx, needs, false, func(ctx context.Context, tx *store.Tx) error {
		tx.AfterCommit(func() { r.Connections.End(row.ID) })
		return r.Connections.Credentials.Remove(ctx, tx, row, userID)
	})
	if err != nil {
		return nil, err
	}
	return r.signedIn(ctx, row)
}

func (r *Resolver) toolApprove(ctx context.Context, in model.ToolApproveInput) ([]*ent.Tool, error) {
	if len(in.Tools) == 0 || len(in.Tools) > connections.MostTools {
		return nil, fault.At("tools", "Approve 1–%d tools at once.", connections.MostTools)
	}
	var needs []leave
	asked := map[string]bool{}
	for _, seen := range in.Tools {
		t, owner, err := r.toolHere(ctx, seen.ToolID, "tools")
		if err != nil {
			return nil, err
		}
		if !asked[t.ConnectionID] {
			asked[t.ConnectionID] = true
			needs = append(needs, need(access.ToolApprove, owner))
		}
	}
	return changing(ctx, r, needs, false, func(ctx context.Context, tx *store.Tx) ([]*ent.Tool, error) {
		return r.Connections.Approve(ctx, tx, mapTo(in.Tools, func(s *model.ToolSeenInput) connections.Seen {
			return connections.Seen{ToolID: s.ToolID, Digest: s.Digest}
		}))
	})
}

func (r *Resolver) toolReject(ctx context.Context, toolID string) (*ent.Tool, error) {
	_, owner, err := r.toolHere(ctx, toolID, "toolId")
	if err != nil {
		return nil, err
	}
	return changing(ctx, r, []leave{need(access.ToolApprove, owner)}, false, func(ctx context.Context, tx *store.Tx) (*ent.Tool, error) {
		return r.Connections.Reject(ctx, tx, toolID)
	})
}

func (r *Resolver) toolUpdate(ctx context.Context, in model.ToolUpdateInput) (*ent.Tool, error) {
	_, owner, err := r.toolHere(ctx, in.ToolID, "toolId")
	if err != nil {
		return nil, err
	}
	return changing(ctx, r, []leave{need(access.ToolUpdate, owner)}, false, func(ctx context.Context, tx *store.Tx) (*ent.Tool, error) {
		return r.Connections.UpdateTool(ctx, tx, in.ToolID, connections.ToolInput{Enabled: in.Enabled, Price: in.Price, ExpectedVersion: in.ExpectedVersion})
	})
}

// canAtOwner lists what the viewer may do at the scope that owns a connection.
func (r *Resolver) canAtOwner(ctx context.Context, scopeID string, actions ...access.Action) ([]*model.ViewerPermission, error) {
	s, err := from(ctx).scopes.Load(ctx, scopeID)
	if err != nil {
		return nil, err
	}
	return r.can(ctx, ref(s), actions)
}

// commands are what the operator lets be started.
func (r *Resolver) commands() [][]string {
	return mapTo(r.Connections.Commands, func(c connections.Command) []string { return c.Line })
}

// connectionOfTool is the connection that a tool in reach comes from.
func (r *Resolver) connectionOfTool(ctx context.Context, t *model.Tool) (*ent.Connection, error) {
	row, err := r.Store.Connection.Get(ctx, t.ConnectionID)
	if isAbsent(err) {
		return nil, errors.Join(fault.Missing("connection"), err)
	}
	return row, err
}
