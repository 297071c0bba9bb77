package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/internal/id"
)

// A probe is one field of the schema that takes ids, and the operation that
// reaches it. Probes are made from the SDL, so that a field of tomorrow is
// probed too.
type probe struct {
	coordinate string
	operation  ast.Operation
	// slots are the ids that the operation takes, in order: slot i is the
	// variable $id<i>.
	slots []slot
	text  string
}

// slot is a place for an id, by the name of the argument or input field.
type slot struct{ name, typ string }

// idsOf says which rows an argument's ids are of, by prefix; nil means every
// kind there is. An unknown name fails the test: say here what it takes.
var idsOf = map[string][]id.Prefix{
	"id": nil, "targetId": nil, "presetId": {id.GuardrailPreset},
	"scopeId": scopeKinds, "ownerId": scopeKinds, "under": scopeKinds, "grantTo": scopeKinds,
	"planeId": {id.Console, id.Copilot}, "accountId": {id.Account}, "actorId": {id.User, id.Key, id.ServiceClient},
	"organizationId": {id.Organization}, "teamId": {id.Team}, "memberId": {id.Member}, "keyId": {id.Key}, "userId": {id.User},
	"budgetId": {id.Budget}, "providerId": {id.Provider}, "modelId": {id.Model}, "resourceId": {id.Model, id.Agent, id.Connection, id.Tool}, "modelIds": {id.Model}, "catalogModelId": {id.CatalogModel},
	"successorId": {id.CatalogModel}, "accountIds": {id.Account}, "listingId": {id.Listing}, "sourceId": {id.Agent, id.Connection},
	"centralProviderId": {id.CentralProvider}, "roleBindingId": {id.RoleBinding}, "invitationId": {id.Invitation}, "sessionId": {id.Session},
	"domainId": {id.Domain}, "identityProviderId": {id.IdentityProvider}, "groupMappingId": {id.GroupMapping},
	"serviceClientId": {id.ServiceClient}, "personalTokenId": {id.PersonalToken}, "authorizationId": {id.Authorization},
	"notificationId": {id.Notification}, "webhookId": {id.Webhook}, "deliveryId": {id.WebhookDelivery},
	"fallbackIds": {id.Model}, "toolIds": {id.Tool}, "toolId": {id.Tool}, "connectionId": {id.Connection}, "guardrailPresetIds": {id.GuardrailPreset},
	"agentId": scopeKinds, "clientId": {id.ServiceClient}, "grantId": {id.Grant}, "increaseId": {id.BudgetIncrease}, "fromId": scopeKinds, "toId": scopeKinds, "requestId": {id.InboxRequest}, "fromModelId": {id.Model}, "toModelId": {id.Model}, "supportAccessId": {id.SupportAccess},
}

var scopeKinds = []id.Prefix{id.Account, id.Console, id.Copilot, id.Organization, id.Team, id.Member, id.Key, id.Agent}

// texts fill in what isn't an id, by name; others by their type.
var texts = map[string]string{
	"email": `"stranger@probe.example"`, "emails": `["stranger@probe.example"]`, "adminEmail": `"stranger@probe.example"`,
	"timeZone": `"UTC"`, "slug": `"probe"`, "issuer": `"https://issuer.example"`, "domain": `"probe.example"`, "baseUrl": `"https://probe.example/v1"`,
	"reason": `"a probe of the isolation tests"`, "password": `"a long enough password"`, "newPassword": `"a long enough password"`,
	"permissions": `["read"]`, "minutes": "5", "expiresInDays": "1", "first": "2", "buckets": "2", "rows": "5",
	"url": `"https://hook.example/x"`, "topics": `[BUDGET_THRESHOLD]`, "topic": `BUDGET_THRESHOLD`, "failedSince": `"2026-01-01T00:00:00Z"`,
	"from": `"2026-01-01T00:00:00Z"`, "to": `"2026-02-01T00:00:00Z"`, "action": `"budget.set"`, "responseType": `"code"`, "codeChallengeMethod": `"S256"`,
}

// prober makes probes of a schema.
type prober struct {
	t      *testing.T
	schema *ast.Schema
	seen   map[string]bool
	probes []probe
}

// hop leads from a root to the object whose fields are probed.
type hop struct {
	open, close string
	typ         *ast.Definition
	slots       []slot
	depth       int
}

func probesOf(t *testing.T, schema *ast.Schema) []probe {
	t.Helper()
	p := &prober{t: t, schema: schema, seen: map[string]bool{}}
	for _, f := range schema.Mutation.Fields {
		p.probe(ast.Mutation, hop{typ: schema.Mutation}, f)
	}
	queue := []hop{{typ: schema.Query}}
	// What no path leads to is entered by its id; the queue comes here last.
	for _, def := range schema.GetPossibleTypes(schema.Types["Node"]) {
		queue = append(queue, hop{open: fmt.Sprintf("node(id: $id0) { ... on %s {", def.Name), close: "} }", typ: def, slots: []slot{{"own:" + def.Name, "ID!"}}, depth: 3})
	}
	for len(queue) > 0 {
		slices.SortStableFunc(queue, func(a, b hop) int { return a.depth - b.depth })
		h := queue[0]
		queue = queue[1:]
		if p.seen[h.typ.Name] {
			continue
		}
		p.seen[h.typ.Name] = true
		for _, f := range h.typ.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			p.probe(ast.Query, h, f)
			if next, ok := p.step(h, f); ok && h.depth < 6 {
				queue = append(queue, next)
			}
		}
	}
	return p.probes
}

// step goes through a field; beyond the root, through one that needs no id.
func (p *prober) step(h hop, f *ast.FieldDefinition) (hop, bool) {
	def := p.schema.Types[f.Type.Name()]
	if def.Kind != ast.Object {
		return hop{}, false
	}
	args, slots := p.arguments(f, len(h.slots), false)
	if len(slots) > 0 && h.depth > 0 {
		return hop{}, false
	}
	return hop{open: h.open + " " + f.Name + args + " {", close: "}" + h.close, typ: def,
		slots: append(slices.Clone(h.slots), slots...), depth: h.depth + 1}, true
}

// probe adds the field if it takes an id.
func (p *prober) probe(op ast.Operation, h hop, f *ast.FieldDefinition) {
	args, slots := p.arguments(f, len(h.slots), true)
	if len(slots) == 0 {
		return
	}
	all := append(slices.Clone(h.slots), slots...)
	head := make([]string, len(all))
	for i, s := range all {
		head[i] = fmt.Sprintf("$id%d: %s", i, s.typ)
	}
	word := map[ast.Operation]string{ast.Query: "query", ast.Mutation: "mutation"}[op]
	text := fmt.Sprintf("%s(%s) { %s %s%s%s %s }", word, strings.Join(head, ", "), h.open, f.Name, args, p.selection(p.schema.Types[f.Type.Name()], 3), h.close)
	p.probes = append(p.probes, probe{coordinate: h.typ.Name + "." + f.Name, operation: op, slots: all, text: text})
}

// arguments writes what a field must be given, and every id it can be given.
func (p *prober) arguments(f *ast.FieldDefinition, from int, ids bool) (string, []slot) {
	var out []string
	var slots []slot
	for _, a := range f.Arguments {
		if text, ok := p.value(a.Name, a.Type, a.DefaultValue != nil, from, &slots, ids); ok {
			out = append(out, a.Name+": "+text)
		}
	}
	if len(out) == 0 {
		return "", slots
	}
	return "(" + strings.Join(out, ", ") + ")", slots
}

// value writes an argument's value; false leaves it out.
func (p *prober) value(name string, t *ast.Type, defaulted bool, from int, slots *[]slot, ids bool) (string, bool) {
	def := p.schema.Types[t.Name()]
	needed := t.NonNull && !defaulted
	if t.Name() == "ID" {
		if !ids && !needed {
			return "", false
		}
		_, known := idsOf[name]
		require.True(p.t, known, "say in `idsOf` what ids %q takes", name)
		*slots = append(*slots, slot{name, t.Name() + map[bool]string{true: "!"}[needed || t.Elem != nil]})
		text := fmt.Sprintf("$id%d", from+len(*slots)-1)
		if t.Elem != nil {
			text = "[" + text + "]"
		}
		return text, true
	}
	if def.Kind == ast.InputObject {
		before := len(*slots)
		var fields []string
		for _, f := range def.Fields {
			if text, ok := p.value(f.Name, f.Type, f.DefaultValue != nil, from, slots, ids); ok {
				fields = append(fields, f.Name+": "+text)
			}
		}
		if !needed && len(*slots) == before {
			return "", false
		}
		return listed(t, "{"+strings.Join(fields, ", ")+"}"), true
	}
	if !needed && name != "first" {
		return "", false
	}
	if text, ok := texts[name]; ok && (name != "to" || def.Kind != ast.Enum) {
		return text, true
	}
	switch {
	case def.Kind == ast.Enum:
		return listed(t, def.EnumValues[0].Name), true
	case t.Name() == "Boolean":
		return listed(t, "true"), true
	case t.Name() == "Int" || t.Name() == "Long":
		return listed(t, "1"), true
	case t.Name() == "DateTime":
		return listed(t, `"2027-01-01T00:00:00Z"`), true
	}
	return listed(t, `"1"`), true
}

func listed(t *ast.Type, text string) string {
	if t.Elem != nil {
		return "[" + text + "]"
	}
	return text
}

// selection asks for everything that an object holds, some levels deep.
func (p *prober) selection(def *ast.Definition, depth int) string {
	switch def.Kind {
	case ast.Scalar, ast.Enum:
		return ""
	case ast.Interface, ast.Union:
		out := []string{"__typename"}
		for _, f := range def.Fields {
			if p.schema.Types[f.Type.Name()].Kind == ast.Scalar && len(f.Arguments) == 0 {
				out = append(out, f.Name)
			}
		}
		return " { " + strings.Join(out, " ") + " }"
	}
	out := []string{"__typename"}
	for _, f := range def.Fields {
		below := p.schema.Types[f.Type.Name()]
		composite := below.Kind == ast.Object || below.Kind == ast.Interface || below.Kind == ast.Union
		if strings.HasPrefix(f.Name, "__") || composite && depth == 0 {
			continue
		}
		args, slots := p.arguments(f, 0, false)
		if len(slots) > 0 || composite && len(f.Arguments) > 0 && depth < 3 {
			continue
		}
		out = append(out, f.Name+args+p.selection(below, depth-1))
	}
	return " { " + strings.Join(out, " ") + " }"
}
