package demo

import (
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// tenant is an account of the story.
type tenant struct {
	name, slug, zone, domain string
	planes                   []plane
	people                   []person
}

// plane is one of its planes, with the teams by organization.
type plane struct {
	plane tenancy.Plane
	orgs  []organization
}

type organization struct {
	name  string
	teams []team
}

// team spends about calls a working day; a tireless one also at night and on
// weekends. models are taken by weight.
type team struct {
	name     string
	calls    float64
	tireless bool
	models   []weighted
	// outlook says how the budget shall stand; healthy unless set.
	outlook outlook
	// equal teams share their budget out; of raised ones it is higher for a while.
	equal, raised bool
}

type weighted struct {
	model  string
	weight float64
}

type outlook int

const (
	healthy outlook = iota
	hasty           // gone before the cycle ends, at this pace
	nearly          // almost used up
)

// person has a seat in a team of each plane that is named.
type person struct {
	name             string
	console, copilot string
	// blocked people have used up a budget of their own, in Console.
	blocked bool
}

const (
	superAdmin    = "Sofia Lindqvist"
	auditor       = "Henrik Dahl"
	accountAdmin  = "Anna Keller"
	planeAdmin    = "Marek Nowak"
	orgAdmin      = "Elena Rossi"
	teamAdmin     = "David Okafor"
	viewer        = "Ingrid Solberg"
	member        = "Jonas Weber"
	globexAdmin   = "Grace Chen"
	staffDomain   = "cockpit.example"
	consoleModel  = "mistral-small"
	copilotModel  = "gpt-5-mini"
	namedModel    = "mistral-large" // offered to one account alone
	largeModel    = "llama-3.1-405b"
	thinkingModel = "qwen3-thinking"
)

var acme = tenant{
	name: "Acme Corp", slug: "acme", zone: "Europe/Berlin", domain: "acme.example",
	planes: []plane{
		{tenancy.Console, []organization{
			{"Banking", []team{
				{name: "Risk", calls: 26, models: []weighted{{largeModel, 5}, {thinkingModel, 3}, {consoleModel, 2}}},
				{name: "Fraud", calls: 22, tireless: true, models: []weighted{{consoleModel, 7}, {thinkingModel, 2}}, outlook: nearly},
				{name: "Payments", calls: 14, models: []weighted{{consoleModel, 6}, {largeModel, 3}}, equal: true},
			}},
			{"Insurance", []team{
				{name: "Claims", calls: 20, models: []weighted{{largeModel, 5}, {consoleModel, 5}}, outlook: hasty},
				{name: "Underwriting", calls: 10, models: []weighted{{thinkingModel, 4}, {largeModel, 4}}, raised: true},
			}},
			{"Technology", []team{
				{name: "Platform", calls: 16, models: []weighted{{consoleModel, 5}, {largeModel, 4}, {thinkingModel, 1}}},
			}},
		}},
		{tenancy.Copilot, []organization{
			{"Banking", []team{
				{name: "Advisory", calls: 22, models: []weighted{{"claude-sonnet", 5}, {copilotModel, 4}}},
				{name: "Back office", calls: 14, models: []weighted{{copilotModel, 7}, {"gemini-flash", 3}}},
			}},
			{"Insurance", []team{
				{name: "Claims desk", calls: 16, models: []weighted{{copilotModel, 5}, {"claude-sonnet", 3}}, outlook: hasty},
			}},
			{"Corporate", []team{
				{name: "Legal", calls: 8, models: []weighted{{"claude-sonnet", 6}, {"gpt-5", 3}}},
				{name: "People", calls: 5, models: []weighted{{copilotModel, 4}, {"gemini-flash", 4}}},
			}},
		}},
	},
	people: []person{
		{name: accountAdmin},
		{name: planeAdmin, console: "Platform"},
		{name: orgAdmin, console: "Risk", copilot: "Advisory"},
		{name: teamAdmin, console: "Fraud"},
		{name: viewer},
		{name: member, console: "Risk", copilot: "Advisory"},
		{name: "Priya Raman", console: "Risk", copilot: "Back office"},
		{name: "Lukas Brandt", console: "Risk"},
		{name: "Chiara Conti", console: "Fraud", copilot: "Back office"},
		{name: "Omar Haddad", console: "Fraud"},
		{name: "Nina Petersen", console: "Payments", blocked: true},
		{name: "Tomás Ferreira", console: "Payments", copilot: "Back office"},
		{name: "Sara Lindholm", console: "Payments"},
		{name: "Aylin Demir", console: "Claims", copilot: "Claims desk"},
		{name: "Matteo Ricci", console: "Claims", copilot: "Claims desk"},
		{name: "Hannah Vogel", console: "Claims", copilot: "Claims desk"},
		{name: "Pierre Moreau", console: "Underwriting"},
		{name: "Julia Wagner", console: "Underwriting", copilot: "Claims desk"},
		{name: "Felix Braun", console: "Platform"},
		{name: "Yuki Tanaka", console: "Platform", copilot: "Advisory"},
		{name: "Emma Larsen", copilot: "Advisory"},
		{name: "Clara Hoffmann", copilot: "Legal"},
		{name: "Samuel Mensah", copilot: "Legal"},
		{name: "Leonie Fuchs", copilot: "People"},
		{name: "Viktor Horvath", copilot: "People"},
	},
}

var globex = tenant{
	name: "Globex", slug: "globex", zone: "America/New_York", domain: "globex.example",
	planes: []plane{
		{tenancy.Console, []organization{{"Research", []team{
			{name: "Materials", calls: 9, models: []weighted{{largeModel, 5}, {thinkingModel, 3}}},
			{name: "Simulation", calls: 7, models: []weighted{{consoleModel, 5}, {thinkingModel, 2}}, outlook: hasty},
		}}}},
		{tenancy.Copilot, []organization{{"Sales", []team{
			{name: "Americas", calls: 7, models: []weighted{{copilotModel, 6}, {"claude-sonnet", 2}}},
		}}}},
	},
	people: []person{
		{name: globexAdmin},
		{name: "Michael Torres", console: "Materials"},
		{name: "Olivia Bennett", console: "Materials", copilot: "Americas"},
		{name: "Ravi Patel", console: "Simulation"},
		{name: "Zoe Nguyen", console: "Simulation", copilot: "Americas"},
		{name: "Ethan Brooks", copilot: "Americas"},
	},
}

// offer is a model with its price in thousandths of a dollar per million
// tokens.
type offer struct {
	name, upstream, description string
	context, maxOutput          int64
	input, cached, output       int64
	capability                  catalogmodel.Capability
	// idle models are in the catalogue, but Acme and Globex haven't taken them.
	idle bool
}

const mill = money.One / 1000

var consoleOffers = []offer{
	{name: consoleModel, upstream: "demo-small", context: 128_000, maxOutput: 8_192, input: 400, cached: 100, output: 1_200},
	{name: largeModel, upstream: "demo-large", context: 128_000, maxOutput: 8_192, input: 3_500, cached: 1_750, output: 3_500},
	{name: thinkingModel, upstream: "demo-thinking", context: 256_000, maxOutput: 32_768, input: 5_000, cached: 1_250, output: 18_000},
}

var catalogueOffers = []offer{
	{name: copilotModel, upstream: "demo-small", description: "Quick answers for everyday questions.",
		context: 272_000, maxOutput: 16_384, input: 250, cached: 25, output: 2_000, capability: catalogmodel.CapabilityFAST},
	{name: "gpt-5", upstream: "demo-thinking", description: "Thinks before it answers; for hard problems.",
		context: 272_000, maxOutput: 65_536, input: 1_250, cached: 125, output: 10_000, capability: catalogmodel.CapabilityTHINKING},
	{name: "claude-sonnet", upstream: "demo-large", description: "Balanced; strong at long documents.",
		context: 200_000, maxOutput: 32_768, input: 3_000, cached: 300, output: 15_000, capability: catalogmodel.CapabilityBALANCED},
	{name: "gemini-flash", upstream: "demo-small", description: "Cheap and fast, with a very long context.",
		context: 1_000_000, maxOutput: 65_536, input: 300, cached: 75, output: 2_500, capability: catalogmodel.CapabilityFAST},
	{name: "claude-opus", upstream: "demo-large", description: "The strongest and the dearest.",
		context: 200_000, maxOutput: 32_768, input: 15_000, cached: 1_500, output: 75_000, capability: catalogmodel.CapabilitySMART, idle: true},
	{name: namedModel, upstream: "demo-large", description: "Hosted in the European Union.",
		context: 128_000, maxOutput: 16_384, input: 2_000, cached: 500, output: 6_000, capability: catalogmodel.CapabilitySMART, idle: true},
}
