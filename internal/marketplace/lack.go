package marketplace

import (
	"context"
	"fmt"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Lack is something that an installation needs to be of use, and the way to it.
type Lack struct{ Code, Message, Fix string }

// Lacks tells what stands between what was installed and its use.
func (m *Market) Lacks(ctx context.Context, tx *store.Tx, l *ent.Listing, made Installed, at *ent.Scope) ([]Lack, error) {
	prefix, _ := id.PrefixOf(made.ResourceID)
	switch prefix {
	case id.Agent:
		return m.lacksOfAgent(ctx, tx, l, at)
	case id.Connection:
		return lacksOfConnection(ctx, tx, made.ResourceID)
	}
	return []Lack{{"not-granted", "Nobody may call the model yet.", "Allow it to those who need it, on the Access page."}}, nil
}

func (m *Market) lacksOfAgent(ctx context.Context, tx *store.Tx, l *ent.Listing, at *ent.Scope) ([]Lack, error) {
	v, err := Published(ctx, tx, l)
	if err != nil {
		return nil, err
	}
	p, d, err := agentOf(ctx, tx, v, at.AccountID)
	if err != nil {
		return nil, err
	}
	out := []Lack{}
	if p.Model != "" && d.ModelID == "" {
		fix := "The platform doesn't offer it to this account. Choose another model in the draft."
		offer, err := grant.WithOffer(tx.CatalogModel.Query().Where(catalogmodel.Name(p.Model)), at.AccountID).Only(ctx)
		if err != nil && !ent.IsNotFound(err) {
			return nil, err
		}
		if offer != nil && grant.Offered(offer) {
			fix = "Switch it on under Models before you install, or choose another one in the draft."
		}
		out = append(out, Lack{"model-off", p.Model + ", which it is made for, isn't switched on in Copilot.", fix})
	} else if d.ModelID == "" {
		out = append(out, Lack{"model-missing", "It names no model.", "Choose one in the draft."})
	}
	t, err := grant.Load(ctx, tx.Client, at.AccountID, tenancy.Copilot)
	if err != nil {
		return nil, err
	}
	for _, needed := range append(d.Models(), d.ToolIDs...) {
		verdict := t.Ask(needed, at.Path, tx.Now())
		if verdict.Allowed() {
			continue
		}
		name := "Something that it uses"
		if r := t.Resource(needed); r != nil {
			name = r.Name
		}
		out = append(out, Lack{"not-granted", fmt.Sprintf("%s can't be used at %s.", name, at.Name), verdict.Reason() + " Allow it there, or take it out of the draft."})
	}
	return append(out, Lack{"draft", "It begins as a draft that nobody uses.", "Look at it, publish it, and allow it to those who need it."}), nil
}

func lacksOfConnection(ctx context.Context, tx *store.Tx, connectionID string) ([]Lack, error) {
	c, err := tx.Connection.Get(ctx, connectionID)
	if err != nil {
		return nil, err
	}
	out := []Lack{}
	switch {
	case c.Auth == connection.AuthNONE:
	case c.Credential == connection.CredentialPERSONAL:
		out = append(out, Lack{"sign-in", "Each person signs in with an account of their own.", "They do so themselves, as soon as it is allowed to them."})
	default:
		out = append(out, Lack{"credential", "It has no credential yet.", "Give it one on its page under Connections."})
	}
	return append(out, Lack{"tools", "Its tools aren't known yet.", "Let it be looked at, approve its tools, and allow them to those who need them."}), nil
}
