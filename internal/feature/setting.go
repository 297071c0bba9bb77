// Package feature decides where a feature may be used: it is off until somebody
// switches it on, the most specific ON or OFF wins, and what is denied above
// can't be lifted below.
package feature

import (
	"strings"
)

// Feature is something that admins switch for a scope and all below it.
type Feature string

// The features.
const (
	CreateAgents             Feature = "CREATE_AGENTS"
	CreateMCPConnections     Feature = "CREATE_MCP_CONNECTIONS"
	CreateOpenAPIConnections Feature = "CREATE_OPENAPI_CONNECTIONS"
	CreateIntegrations       Feature = "CREATE_INTEGRATIONS"
	PublishListings          Feature = "PUBLISH_LISTINGS"
	GenerateImages           Feature = "GENERATE_IMAGES"
)

// All lists the features in the order in which people read them.
var All = []Feature{CreateAgents, CreateMCPConnections, CreateOpenAPIConnections, CreateIntegrations, PublishListings, GenerateImages}

// Words is the feature as a message names it: "… is switched off here".
func (f Feature) Words() string {
	return map[Feature]string{
		CreateAgents: "Making agents", CreateMCPConnections: "Connecting MCP servers", CreateOpenAPIConnections: "Connecting APIs by their OpenAPI document",
		CreateIntegrations: "Connecting integrations", PublishListings: "Offering things in the marketplace", GenerateImages: "Generating images",
	}[f]
}

// Switch is what a flag says at its scope.
type Switch string

// The switches, as they are stored.
const (
	On   Switch = "ON"
	Off  Switch = "OFF"
	Deny Switch = "DENY"
)

// Flag is a switch that stands at a scope.
type Flag struct {
	Feature Feature
	Switch  Switch
	// Scope is the path of the scope that it stands at, Name its name.
	Scope, Name string
	// Version is that of its row.
	Version int
}

// Setting is what holds for a feature at a scope.
type Setting struct {
	Feature Feature
	On      bool
	// From is the flag that decides; nil where none stands, which is off.
	From *Flag
	// Own is what stands at the scope itself; nil where it inherits.
	Own *Flag
	// Locked by a DENY above the scope: nothing that is set here counts.
	Locked bool
}

// Table holds the flags of a plane as they stood when they were read. It never
// changes, so that many goroutines may ask it.
type Table struct {
	at map[string]map[Feature]*Flag // by path
}

// NewTable makes a table from a plane's flags.
func NewTable(flags []Flag) *Table {
	t := &Table{at: map[string]map[Feature]*Flag{}}
	for _, f := range flags {
		if t.at[f.Scope] == nil {
			t.at[f.Scope] = map[Feature]*Flag{}
		}
		t.at[f.Scope][f.Feature] = &f
	}
	return t
}

// Of is what holds for every feature at a path.
func (t *Table) Of(path string) map[Feature]Setting {
	out := make(map[Feature]Setting, len(All))
	for _, f := range All {
		out[f] = t.Ask(f, path)
	}
	return out
}

// Ask is what holds for a feature at a path.
func (t *Table) Ask(f Feature, path string) Setting {
	s := Setting{Feature: f}
	for end := next(path, 0); end > 0; end = next(path, end) { // from the root down
		flag := t.at[path[:end]][f]
		if flag == nil {
			continue
		}
		if end == len(path) {
			s.Own = flag
		}
		if s.Locked {
			continue
		}
		s.From, s.On = flag, flag.Switch == On
		s.Locked = flag.Switch == Deny && end < len(path)
		if flag.Switch == Deny {
			break
		}
	}
	if s.Own == nil {
		s.Own = t.at[path][f]
	}
	return s
}

// Within tells whether a feature is on at a path or anywhere below it.
func (t *Table) Within(f Feature, path string) bool {
	if t.Ask(f, path).On {
		return true
	}
	for below := range t.at {
		if strings.HasPrefix(below, path) && t.Ask(f, below).On {
			return true
		}
	}
	return false
}

// next is where the next part of a path ends, 0 when there is none.
func next(path string, from int) int {
	if from >= len(path) {
		return 0
	}
	i := strings.IndexByte(path[from:], '/')
	if i < 0 {
		return 0
	}
	return from + i + 1
}
