package office

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// page is one of the handbook's; archived ones stood in former editions.
type page struct {
	name, title, text string
	archived          bool
}

var pages = []page{
	{name: "working-hours", title: "Working hours", text: "A full week has 38.5 hours. Core time is 10 to 15 o'clock, Monday to Thursday. Overtime is agreed with your lead beforehand and taken as time off."},
	{name: "remote-work", title: "Working from elsewhere", text: "Three days a week may be worked from home. Up to 20 days a year from another country of the European Union; ask People four weeks ahead."},
	{name: "leave", title: "Leave", text: "Everybody has 30 days a year. Ten of them are taken in one piece. What is left over can be taken until 31 March."},
	{name: "sick-leave", title: "When you are ill", text: "Tell your lead before 10 o'clock. From the fourth day on People needs a doctor's note."},
	{name: "expenses", title: "Expenses", text: "Hand in receipts within 60 days. Meals on travel are paid by the day: 28 EUR for a full day, 14 EUR for the day that you leave or come back."},
	{name: "gifts", title: "Gifts and invitations", text: "Gifts above 35 EUR are declined, and reported to Legal either way. Invitations from clients are cleared with your lead."},
	{name: "claims-approval", title: "Approving claims", text: "Claims up to 10,000 EUR are approved by the desk, up to 50,000 EUR by two of its people. Above that the head of Claims decides."},
	{name: "data-protection", title: "Personal data", text: "Clients' data stays in the systems that Legal has looked at. Report a loss within 24 hours to privacy@acme.example."},
	{name: "gifts-2024", title: "Gifts and invitations (2024)", text: "Gifts above 50 EUR are declined.", archived: true},
	{name: "expenses-2024", title: "Expenses (2024)", text: "Hand in receipts within 90 days. Meals on travel are paid by receipt.", archived: true},
}

type searchInput struct {
	Query string `json:"query" jsonschema:"Words to look for."`
	Limit int    `json:"limit,omitempty" jsonschema:"How many pages at most: 1 to 5. Left out: 3."`
}

type searchArchiveInput struct {
	Query   string `json:"query" jsonschema:"Words to look for, in any order."`
	Limit   int    `json:"limit,omitempty" jsonschema:"How many pages at most: 1 to 20. Left out: 5."`
	Archive bool   `json:"archive,omitempty" jsonschema:"Look into former editions too. What they say may not hold any more."`
}

type readInput struct {
	Page string `json:"page" jsonschema:"The page's name, as a search gives it."`
}

type askInput struct {
	Topic string `json:"topic" jsonschema:"What it is about, in a word or two."`
}

// handbook is the MCP server of an edition.
func handbook(second bool) *mcp.Server {
	version := "1.4.0"
	if second {
		version = "2.0.0"
	}
	s := mcp.NewServer(&mcp.Implementation{Name: "acme-handbook", Title: "Acme handbook", Version: version}, nil)
	if second {
		mcp.AddTool(s, &mcp.Tool{Name: "search_pages", Title: "Search the handbook", Annotations: reads(),
			Description: "Finds pages of the company's handbook, and of its former editions where asked to. Gives each page's name, title and first words, the best match first."},
			func(_ context.Context, _ *mcp.CallToolRequest, in searchArchiveInput) (*mcp.CallToolResult, any, error) {
				return search(in.Query, in.Limit, 5, 20, in.Archive), nil, nil
			})
		mcp.AddTool(s, &mcp.Tool{Name: "who_answers", Title: "Find who answers", Annotations: reads(),
			Description: "Names the department that answers questions about a topic, and how to reach it."}, whoAnswers)
	} else {
		mcp.AddTool(s, &mcp.Tool{Name: "search_pages", Title: "Search the handbook", Annotations: reads(),
			Description: "Finds pages of the company's handbook. Gives each page's name and title, the best match first."},
			func(_ context.Context, _ *mcp.CallToolRequest, in searchInput) (*mcp.CallToolResult, any, error) {
				return search(in.Query, in.Limit, 3, 5, false), nil, nil
			})
	}
	mcp.AddTool(s, &mcp.Tool{Name: "read_page", Title: "Read a page", Annotations: reads(),
		Description: "Gives the whole text of one page of the handbook."}, readPage)
	mcp.AddTool(s, &mcp.Tool{Name: "convert_units", Title: "Convert units", Annotations: reads(),
		Description: "Converts lengths (km, m, mi, ft), weights (kg, lb) and temperatures (C, F)."}, convertUnits)
	mcp.AddTool(s, &mcp.Tool{Name: "convert_currency", Title: "Convert currencies", Annotations: reads(),
		Description: "Converts amounts between EUR, USD, GBP, CHF and JPY by the rates that Finance has fixed for this year."}, convertCurrency)
	return s
}

func search(query string, limit, usual, most int, archive bool) *mcp.CallToolResult {
	if limit < 1 {
		limit = usual
	}
	words := strings.Fields(strings.ToLower(query))
	type hit struct {
		page
		score int
	}
	var hits []hit
	for _, p := range pages {
		score := 0
		for _, w := range words {
			score += 3*strings.Count(strings.ToLower(p.title), w) + strings.Count(strings.ToLower(p.text), w)
		}
		if score > 0 && (archive || !p.archived) {
			hits = append(hits, hit{p, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.score - a.score })
	if len(hits) == 0 {
		return say("No page of the handbook has these words.")
	}
	var b strings.Builder
	for _, h := range hits[:min(len(hits), limit, most)] {
		first, _, _ := strings.Cut(h.text, ". ")
		fmt.Fprintf(&b, "%s: %s. %s.\n", h.name, h.title, strings.TrimSuffix(first, "."))
	}
	return say(b.String())
}

func readPage(_ context.Context, _ *mcp.CallToolRequest, in readInput) (*mcp.CallToolResult, any, error) {
	for _, p := range pages {
		if p.name == in.Page {
			return say("# " + p.title + "\n\n" + p.text), nil, nil
		}
	}
	return refuse(fmt.Sprintf("The handbook has no page %q. Search it first.", in.Page)), nil, nil
}

// departments answer for what has their words in it; the first one counts.
var departments = []struct {
	name  string
	words []string
}{
	{"People", []string{"leave", "hours", "illness", "remote"}},
	{"Finance", []string{"expense", "invoice", "travel"}},
	{"Legal", []string{"contract", "gift", "privacy"}},
	{"Claims desk", []string{"claim"}},
}

func whoAnswers(_ context.Context, _ *mcp.CallToolRequest, in askInput) (*mcp.CallToolResult, any, error) {
	topic := strings.ToLower(in.Topic)
	for _, d := range departments {
		if slices.ContainsFunc(d.words, func(w string) bool { return strings.Contains(topic, w) }) {
			return say(fmt.Sprintf("%s, %s@acme.example", d.name, strings.ReplaceAll(strings.ToLower(d.name), " ", "."))), nil, nil
		}
	}
	return say("The front desk, desk@acme.example"), nil, nil
}
