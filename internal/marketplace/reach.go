package marketplace

import (
	"context"
	"net/url"
	"slices"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/listingversion"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/agents"
)

// Reach is what publishing the version of a listing that waits would bring, by
// names.
type Reach struct {
	Version       *ent.ListingVersion
	Models, Tools []string
	// Host is where a connection leads; empty for an agent.
	Host string
	// Changes since the published version; none before the first.
	Changes []Change
}

// ReachOf looks at the version that waits for review; nil where none does. ctx
// passes the guard.
func ReachOf(ctx context.Context, c *ent.Client, l *ent.Listing) (*Reach, error) {
	versions := c.ListingVersion.Query().Where(listingversion.ListingID(l.ID))
	v, err := versions.Clone().Where(listingversion.StatusEQ(listingversion.StatusIN_REVIEW)).Order(ent.Desc(listingversion.FieldNumber)).First(ctx)
	if ent.IsNotFound(err) {
		return nil, nil //nolint:nilnil // none waits
	}
	if err != nil {
		return nil, err
	}
	out := &Reach{Version: v, Models: []string{}, Tools: []string{}, Changes: []Change{}}
	if l.PublishedVersion > 0 {
		published, err := versions.Clone().Where(listingversion.Number(l.PublishedVersion)).Only(ctx)
		if err != nil {
			return nil, err
		}
		if out.Changes, err = Diff(published.Payload, v.Payload); err != nil {
			return nil, err
		}
	}
	if l.Kind == listing.KindCONNECTION {
		return out, out.ofConnection(ctx, c, l)
	}
	return out, out.ofAgent(ctx, c, l)
}

func (r *Reach) ofConnection(ctx context.Context, c *ent.Client, l *ent.Listing) (err error) {
	var p ConnectionPayload
	if err := read(r.Version.Payload, &p); err != nil {
		return err
	}
	if u, err := url.Parse(p.URL); err == nil {
		r.Host = u.Hostname()
	}
	if l.SourceID != "" {
		r.Tools, err = c.Tool.Query().Where(tool.ConnectionID(l.SourceID)).Order(ent.Asc(tool.FieldName)).Limit(100).Select(tool.FieldName).Strings(ctx)
	}
	return err
}

func (r *Reach) ofAgent(ctx context.Context, c *ent.Client, l *ent.Listing) error {
	var p AgentPayload
	if err := read(r.Version.Payload, &p); err != nil {
		return err
	}
	d, err := agents.Parse(p.Definition)
	if err != nil {
		return err
	}
	if r.Models, err = c.Model.Query().Where(model.IDIn(d.Models()...), model.AccountID(l.AccountID)).Order(ent.Asc(model.FieldName)).Select(model.FieldName).Strings(ctx); err != nil {
		return err
	}
	if p.Model != "" {
		r.Models = append(r.Models, p.Model)
		slices.Sort(r.Models)
	}
	r.Tools, err = c.Tool.Query().Where(tool.IDIn(d.ToolIDs...), tool.AccountID(l.AccountID)).Order(ent.Asc(tool.FieldName)).Select(tool.FieldName).Strings(ctx)
	return err
}
