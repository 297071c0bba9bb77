package demo

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/usageday"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/marketplace"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// ware is a listing of the platform.
type ware struct {
	kind                             listing.Kind
	name, summary, description, icon string
	categories, tags                 []string
	capabilities, requirements       []string
	featured, verified               bool
	pictures                         int
	payload                          any
}

type object = map[string]any

var wares = []ware{
	{kind: listing.KindTEMPLATE, name: "Customer replies", icon: "messages", featured: true, verified: true, pictures: 2,
		summary:     "Drafts answers to customers in your tone, with the facts that you give it and no others.",
		description: "Paste what the customer wrote and what you know. You get a draft that answers every question, names what is still open, and promises nothing that you didn't.\n\nMade for service teams; the tone is set in its instructions.",
		categories:  []string{"Service", "Writing"}, tags: []string{"mail", "support", "tone"},
		capabilities: []string{"Answers in the customer's language", "Keeps to the facts that it is given", "Lists what is still open"},
		requirements: []string{"A balanced model", "A line about your tone"},
		payload: marketplace.AgentPayload{Purpose: "Drafts answers to customers.", Icon: "messages", Model: "claude-sonnet",
			Definition: raw(object{"instructions": "You draft replies to customers.\n\nAnswer every question that they ask, in their language, in short paragraphs.\nUse only the facts that you are given; say plainly what is still open.\nPromise nothing, and name no person.",
				"starters": []string{"Draft a reply to this mail", "Say no, kindly"}, "parameters": object{"temperature": 0.3, "maxOutputTokens": 1200}})}},
	{kind: listing.KindAGENT, name: "Table reader", icon: "search", verified: true, pictures: 1,
		summary:     "Answers questions about tables that you paste, and shows how it counted.",
		description: "Paste rows from a spreadsheet and ask. It says which rows it counted, and doesn't guess what isn't there.",
		categories:  []string{"Numbers"}, tags: []string{"spreadsheet", "csv", "sums"},
		capabilities: []string{"Sums, averages and comparisons", "Shows its steps", "Finds rows that don't fit"},
		payload: marketplace.AgentPayload{Purpose: "Answers questions about tables.", Icon: "search", Model: copilotModel,
			Definition: raw(object{"instructions": "You answer questions about tables.\n\nSay which rows and columns you used, and show each step of a sum.\nIf something isn't in the table, say so.",
				"starters": []string{"What are the three largest?", "Which rows look wrong?"}, "parameters": object{"temperature": 0}})}},
	{kind: listing.KindTEMPLATE, name: "Policy guide", icon: "file-text", verified: true,
		summary:      "Explains your own rules to your people: link your handbook, and it quotes the paragraph.",
		categories:   []string{"People", "Knowledge"},
		tags:         []string{"handbook", "rules"},
		capabilities: []string{"Quotes the paragraph", "Says whom to ask"}, requirements: []string{"Links to your handbook"},
		payload: marketplace.AgentPayload{Purpose: "Explains the rules of the house.", Icon: "file-text", Model: "gemini-flash",
			Definition: raw(object{"instructions": "You explain the rules of the house from the pages that you know.\n\nQuote the paragraph. If no page says it, say so and name whom to ask.", "starters": []string{"How much leave do I have?"}})}},
	{kind: listing.KindCONNECTION, name: "GitHub", featured: true, verified: true,
		summary:     "Issues, pull requests and code of your repositories, as each person may see them.",
		description: "Each person signs in with a token of their own, so that they see what they see on GitHub, and no more.",
		categories:  []string{"Development"}, tags: []string{"issues", "code", "mcp"},
		capabilities: []string{"Find and read issues", "Look into code", "Comment and open issues, where you allow it"},
		requirements: []string{"A personal access token of each person"},
		payload: object{"kind": "MCP_HTTP", "url": "https://api.githubcopilot.com/mcp/", "auth": "BEARER", "credential": "PERSONAL",
			"description": "Issues, pull requests and code."}},
	{kind: listing.KindCONNECTION, name: "DeepWiki",
		summary:    "Reads the documentation of public repositories, so that answers can quote it.",
		categories: []string{"Development", "Knowledge"}, tags: []string{"docs", "mcp"},
		capabilities: []string{"Ask about a public repository", "Read its pages"},
		payload:      object{"kind": "MCP_HTTP", "url": "https://mcp.deepwiki.com/mcp", "auth": "NONE", "description": "Documentation of public repositories."}},
}

func raw(v any) json.RawMessage {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err) // the story is written here
	}
	return out
}

func own[T any](v T) *T { return &v }

// stock makes the platform's listings.
func (s *seeder) stock(ctx context.Context, by string) error {
	for _, w := range wares {
		s.pass(7 * time.Minute)
		text := marketplace.Text{Name: own(w.name), Summary: own(w.summary), Description: own(w.description), Icon: own(w.icon), Categories: w.categories, Tags: w.tags,
			Capabilities: w.capabilities, Requirements: w.requirements, Featured: &w.featured, Verified: &w.verified}
		for i := range w.pictures {
			picture, err := paint(i)
			if err != nil {
				return err
			}
			text.Screenshots = append(text.Screenshots, picture)
		}
		l, err := s.market.CreateOfPlatform(ctx, s.tx, w.kind, raw(w.payload), by, text)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		if l, err = s.market.Submit(ctx, s.tx, l, nil, "", by); err != nil {
			return err
		}
		if _, err = s.market.Review(ctx, s.tx, l, true, "", by); err != nil {
			return err
		}
	}
	return nil
}

// installedWares are what Acme installed of the platform's, for all of Copilot.
var installedWares = []struct {
	name  string
	share float64
}{{"Customer replies", 0.25}, {"Table reader", 0.15}}

// shop installs, publishes and allows what people use of the platform's.
func (p *inPlane) shop(ctx context.Context) error {
	for _, w := range installedWares {
		l, err := p.tx.Listing.Query().Where(listing.Name(w.name)).Only(ctx)
		if err != nil {
			return err
		}
		p.pass(5 * time.Hour)
		made, err := p.market.Install(ctx, p.tx, l, p.root, "")
		if err != nil {
			return err
		}
		s, err := p.tx.Scope.Get(ctx, made.ResourceID)
		if err != nil {
			return err
		}
		if err := p.guardSecrets(ctx, s); err != nil {
			return err
		}
		if _, err := p.market.Agents.Publish(ctx, p.tx, s, "As the platform offers it.", nil); err != nil {
			return err
		}
		if _, err := grant.Set(ctx, p.tx, p.now, grant.Input{Scope: p.root, ResourceID: s.ID, Effect: grant.Allow, Authority: p.root.Path}); err != nil {
			return err
		}
		p.agents = append(p.agents, plantedAgent{scope: s, share: w.share})
	}
	return nil
}

// guardSecrets gives the draft of an installed agent the guardrail that agents
// of the account have.
func (p *inPlane) guardSecrets(ctx context.Context, s *ent.Scope) error {
	row, err := p.tx.Agent.Get(ctx, s.ID)
	if err != nil {
		return err
	}
	d, err := agents.Parse(row.Draft)
	if err != nil {
		return err
	}
	d.GuardrailPresetIDs = []string{p.presets["secrets"]}
	_, err = p.market.Agents.Update(ctx, p.tx, s, agents.Settings{}, &d, nil)
	return err
}

// share lets a team offer what it built to the whole account: one listing that
// was published, and one that waits for its review.
func (p *inPlane) share(ctx context.Context) error {
	var desk *plantedTeam
	for _, t := range p.teams {
		if t.name == "Claims desk" {
			desk = t
		}
	}
	maker, reviewer := p.users["Aylin Demir"], p.users[accountAdmin]
	if err := identity.BindRole(ctx, p.tx, maker, desk.scope, tenancy.Admin); err != nil {
		return err
	}
	if _, err := feature.Set(ctx, p.tx, feature.Input{Scope: desk.org, Feature: feature.PublishListings, Switch: feature.On}); err != nil {
		return err
	}
	p.now = p.Now.UTC().Add(-4 * 24 * time.Hour)
	for _, shared := range []struct {
		name, summary, changelog string
		text                     marketplace.Text
		published                bool
	}{
		{"Claims triage", "Reads a claim and says what is missing, before it costs a colleague a call.", "With the claims desk's list of documents.",
			marketplace.Text{Icon: own("clipboard-check"), Categories: []string{"Insurance"}, Tags: []string{"claims"}, Capabilities: []string{"Names each missing document", "Decides nothing"},
				Description: own("We use it for every claim that comes in by mail. It knows our list of documents; ask us when yours differs.")}, true},
		{"Policy letters", "Writes letters to policyholders in plain words.", "Ready for the other teams: it has written our letters since September.",
			marketplace.Text{Icon: own("notebook-pen"), Categories: []string{"Insurance", "Writing"}, Capabilities: []string{"Plain words", "Keeps what the law wants said"}}, false},
	} {
		source, err := p.tx.Scope.Query().Where(scope.ParentID(desk.scope.ID), scope.Name(shared.name), scope.KindEQ(scope.KindAGENT)).Only(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", shared.name, err)
		}
		p.pass(3 * time.Hour)
		shared.text.Name, shared.text.Summary = &shared.name, &shared.summary
		l, err := p.market.CreateFrom(as(ctx, maker), p.tx, desk.scope, source.ID, maker.ID, shared.text)
		if err != nil {
			return err
		}
		if l, err = p.market.Submit(as(ctx, maker), p.tx, l, nil, shared.changelog, maker.ID); err != nil {
			return err
		}
		if !shared.published {
			continue
		}
		p.pass(2 * time.Hour)
		if _, err = p.market.Review(as(ctx, reviewer), p.tx, l, true, "Thank you, that will help the others.", reviewer.ID); err != nil {
			return err
		}
	}
	return nil
}

// opinions are what people say of what they use, by the stars that they give.
var opinions = map[string][]struct {
	stars int
	text  string
}{
	"Customer replies": {{5, "Half of my answers go out as it drafts them."}, {4, "Good, once I told it our tone."}, {5, ""}, {3, "Too polite for our dealers."}},
	"Table reader":     {{4, "Shows how it counts, which is why I trust it."}, {5, ""}},
	"Claims triage":    {{5, "Finds the missing form before I do."}, {4, "Saves a call on every second claim."}},
}

// rate lets those who used something say what they think of it.
func (p *inPlane) rate(ctx context.Context) error {
	rated, err := p.tx.Listing.Query().Where(listing.NameIn("Customer replies", "Table reader", "Claims triage")).Order(ent.Asc(listing.FieldID)).All(ctx)
	if err != nil {
		return err
	}
	for _, l := range rated {
		ids, err := p.tx.Agent.Query().Where(agent.Or(agent.ListingID(l.ID), agent.ID(l.SourceID))).IDs(ctx)
		if err != nil {
			return err
		}
		users, err := p.tx.UsageDay.Query().Where(usageday.AgentIDIn(ids...), usageday.UserIDNEQ("")).Order(ent.Asc(usageday.FieldUserID)).Unique(true).Select(usageday.FieldUserID).Strings(ctx)
		if err != nil {
			return err
		}
		people, err := p.tx.User.Query().Where(user.IDIn(users...)).Order(ent.Asc(user.FieldID)).All(ctx)
		if err != nil {
			return err
		}
		for i, o := range opinions[l.Name] {
			if i == len(people) {
				break
			}
			p.pass(5 * time.Hour)
			if _, err := marketplace.Rate(as(ctx, people[i]), p.tx, l, p.root, people[i].ID, o.stars, o.text); err != nil {
				return err
			}
		}
	}
	return nil
}

// paint draws a conversation, as a picture that a page may hold itself.
func paint(which int) (string, error) {
	const width, height = 720, 400
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	fill := func(x, y, w, h int, c color.RGBA) {
		draw.Draw(img, image.Rect(x, y, x+w, y+h), image.NewUniform(c), image.Point{}, draw.Src)
	}
	paper, soft, ink, accent := color.RGBA{250, 250, 252, 255}, color.RGBA{232, 234, 246, 255}, color.RGBA{176, 180, 200, 255}, color.RGBA{88, 101, 242, 255}
	fill(0, 0, width, height, paper)
	fill(0, 0, 150, height, soft)
	for i := range 6 {
		c := ink
		if i == which+1 {
			c = accent
		}
		fill(24, 40+i*36, 100-(i%3)*18, 10, c)
	}
	y := 36
	for i := range 4 - which {
		lines := 2 + (i+which)%3
		x, w, c := 190, 380, soft
		if i%2 == 0 {
			x, w, c = 330, 340, color.RGBA{222, 226, 255, 255}
		}
		fill(x, y, w, 24+lines*18, c)
		for n := range lines {
			fill(x+16, y+16+n*18, w-32-(n*47+i*31)%120, 7, ink)
		}
		y += 24 + lines*18 + 16
	}
	fill(190, height-50, 480, 30, soft)
	fill(632, height-44, 32, 18, accent)
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return "", fmt.Errorf("demo: picture: %w", err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes()), nil
}
