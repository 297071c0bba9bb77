package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/demo/office"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
)

// source is a connection of the story.
type source struct {
	name, description, icon string
	kind                    connection.Kind
	// path and document lie below the demo provider's address.
	path, document string
	auth           connection.Auth
	authName       string
	credential     connection.Credential
	// owner is an organization or a team; the plane where it is empty. allowed is
	// where all of its tools may be used.
	owner, allowed string
	// secret is what person signs in with; the account's admin where it is empty.
	secret, person string
	// later is where it moves to, after its tools were approved: what they are
	// there waits for approval.
	later string
	// price is what a tool costs by its name; held ones are not approved.
	price map[string]money.Nano
	held  string
}

// The handbook's new edition has changed one tool and brought another; of the
// rooms, booking waits for somebody's decision. The story's member has a key of
// the travel desk to give.
var sources = []source{
	{name: "handbook", description: "The company's handbook: rules, and who answers for what; with its converters.", icon: "book", kind: connection.KindMCP_HTTP,
		path: office.HandbookBefore, later: office.Handbook, auth: connection.AuthNONE, credential: connection.CredentialSHARED,
		price: map[string]money.Nano{"convert_currency": money.One / 500}},
	{name: "travel", description: "Trains, and one's own trips. Everybody has a key of the travel desk; in the demo any that begins with trip- will do.", icon: "train",
		kind: connection.KindMCP_HTTP, path: office.Travel, auth: connection.AuthHEADER, authName: office.TravelKeyHeader, credential: connection.CredentialPERSONAL,
		owner: "Banking", allowed: "Banking", secret: office.TravelKeys + "elena-2026", person: orgAdmin},
	{name: "rooms", description: "Which meeting rooms there are, and who has them when.", icon: "door", kind: connection.KindOPENAPI, document: office.RoomsDocument,
		auth: connection.AuthBEARER, credential: connection.CredentialSHARED, allowed: "Advisory", secret: office.RoomsToken, held: "book_room"},
}

// connect makes the story's connections, and looks at what they offer.
func (s *seeder) connect(ctx context.Context, st *store.Store) error {
	links := connections.New(connections.Options{Store: st, Client: s.Client, Grants: grant.New(st, nil), Log: s.Store.Log,
		Credentials: credential.New(credential.Options{Store: st, Box: s.Box, Client: s.Client, Log: s.Store.Log})})
	defer links.Close()
	root, err := st.Scope.Query().Where(scope.KindEQ(scope.KindCOPILOT), scope.HasParentWith(scope.Name(acme.name))).Only(ctx)
	if err != nil {
		return err
	}
	admin, err := st.User.Query().Where(user.Email(s.env[AdminEmail])).Only(ctx)
	if err != nil {
		return err
	}
	c := &connecting{seeder: s, store: st, links: links, root: root}
	ctx = as(ctx, admin)
	for _, from := range sources {
		s.now = s.Now.UTC().Add(-12 * 24 * time.Hour)
		if err := c.source(ctx, from, admin); err != nil {
			return fmt.Errorf("%s: %w", from.name, err)
		}
	}
	return nil
}

type connecting struct {
	*seeder
	store *store.Store
	links *connections.Connections
	root  *ent.Scope
}

func (c *connecting) place(ctx context.Context, name string) (*ent.Scope, error) {
	if name == "" {
		return c.root, nil
	}
	return c.store.Scope.Query().Where(scope.AccountID(c.root.AccountID), scope.PlaneEQ(scope.PlaneCOPILOT), scope.Name(name),
		scope.KindIn(scope.KindORGANIZATION, scope.KindTEAM)).Only(ctx)
}

func (c *connecting) source(ctx context.Context, from source, admin *ent.User) error {
	owner, err := c.place(ctx, from.owner)
	if err != nil {
		return err
	}
	allowed, err := c.place(ctx, from.allowed)
	if err != nil {
		return err
	}
	in := connections.Input{Kind: from.kind, Name: &from.name, Description: &from.description, Icon: &from.icon,
		Auth: &from.auth, AuthName: &from.authName, Credential: &from.credential}
	if from.document != "" {
		address := c.Upstream + from.document
		in.DocumentURL = &address
	} else {
		address := c.Upstream + from.path
		in.URL = &address
	}
	if err := c.links.Prepare(ctx, &in); err != nil {
		return err
	}
	person := admin
	if from.person != "" {
		if person, err = c.store.User.Query().Where(user.Name(from.person), user.AccountID(c.root.AccountID)).Only(ctx); err != nil {
			return err
		}
	}
	var row *ent.Connection
	err = c.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if row, err = c.links.Create(ctx, tx, owner, in); err != nil || from.secret == "" {
			return err
		}
		return c.links.Credentials.Set(as(ctx, person), tx, row, person.ID, credential.Secret{Value: from.secret})
	})
	if err != nil {
		return err
	}
	if _, err := c.links.Discover(ctx, row.ID, person.ID, false); err != nil {
		return err
	}
	if err := c.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error { return c.approve(ctx, tx, from, row, allowed) }); err != nil {
		return err
	}
	if from.later != "" {
		c.pass(9*24*time.Hour + 5*time.Hour)
		address := c.Upstream + from.later
		err := c.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
			_, err := c.links.Update(ctx, tx, row.ID, connections.Input{URL: &address})
			return err
		})
		if err != nil {
			return err
		}
	}
	c.now = c.Now.UTC()
	_, err = c.links.Discover(ctx, row.ID, person.ID, false)
	return err
}

// approve lets the tools be called that aren't held, at their price, where they
// are allowed.
func (c *connecting) approve(ctx context.Context, tx *store.Tx, from source, row *ent.Connection, allowed *ent.Scope) error {
	c.pass(20 * time.Minute)
	tools, err := tx.Tool.Query().Where(tool.ConnectionID(row.ID)).All(ctx)
	if err != nil {
		return err
	}
	tools = slices.DeleteFunc(tools, func(t *ent.Tool) bool { return t.Name == from.held })
	seen := make([]connections.Seen, len(tools))
	for i, t := range tools {
		seen[i] = connections.Seen{ToolID: t.ID, Digest: t.Digest}
	}
	if _, err := c.links.Approve(ctx, tx, seen); err != nil {
		return err
	}
	for _, t := range tools {
		if price, has := from.price[t.Name]; has {
			if _, err := c.links.UpdateTool(ctx, tx, t.ID, connections.ToolInput{Price: &price}); err != nil {
				return err
			}
		}
	}
	_, err = grant.Set(ctx, tx, c.now, grant.Input{Scope: allowed, ResourceID: row.ID, Effect: grant.Allow, Authority: c.root.Path})
	return err
}
