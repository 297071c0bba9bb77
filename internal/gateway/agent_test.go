package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	entagent "github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/gateway"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
)

// provider is an upstream that fails when told to, and remembers what it was
// asked.
type provider struct {
	status atomic.Int64
	asked  atomic.Pointer[map[string]any]
	calls  atomic.Int64
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.calls.Add(1)
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.asked.Store(&body)
	if s := int(p.status.Load()); s != 0 {
		w.WriteHeader(s)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":1}}`)
}

// agented gives the Copilot plane an agent on a model of its own provider, with
// the world's model to fall back on, and a key that may call both.
func (w *world) agented(p *provider) (agent *ent.Scope, team *ent.Scope, key string) {
	w.t.Helper()
	server := httptest.NewServer(p)
	w.t.Cleanup(server.Close)
	w.heard(func(ctx context.Context, tx *store.Tx) error {
		team = tx.Scope.Query().Where(scope.KindEQ(scope.KindTEAM), scope.PlaneEQ(scope.PlaneCOPILOT)).OnlyX(ctx)
		root := tx.Scope.Query().Where(scope.KindEQ(scope.KindCOPILOT)).OnlyX(ctx)
		central := tx.Model.Query().Where(model.PlaneEQ(model.PlaneCOPILOT)).OnlyX(ctx)
		cp, err := w.catalog.CreateCentralProvider(ctx, tx, catalog.ProviderInput{Name: ptr("Own"), BaseURL: ptr(server.URL + "/v1")})
		require.NoError(w.t, err)
		cm, err := w.catalog.CreateCatalogModel(ctx, tx, catalog.ListingInput{CentralProviderID: cp.ID, Name: "first", UpstreamName: "x",
			Capability: catalogmodel.CapabilitySMART, ContextLength: 200_000, MaxOutputTokens: 10_000, Status: catalogmodel.StatusACTIVE,
			Price: catalog.PriceInput{Input: money.Nano(demoLarge.Input), Output: money.Nano(demoLarge.Output)}})
		require.NoError(w.t, err)
		first, err := w.catalog.InstallModel(ctx, tx, root, cm.ID)
		require.NoError(w.t, err)
		w.grant(ctx, tx, root, first.ID, grant.Allow)
		_, _, key, err = identity.CreateKey(ctx, tx, w.st.Now(), identity.KeyInput{Name: "app", Owner: team, ModelIDs: []string{first.ID, central.ID}})
		require.NoError(w.t, err)
		guard, err := w.guards.Create(ctx, tx, root, guardrail.Input{Name: ptr("Quiet"), Rules: &detect.Preset{Rules: []*detect.Rule{
			{Name: "Word", Detector: detect.Words, Words: []string{"unsayable"}, Action: detect.Block, Direction: detect.Both}}}})
		require.NoError(w.t, err)
		low := 0.2
		_, agent, err = w.agents.Create(ctx, tx, root, agents.Settings{Name: ptr("Helper")}, agents.Definition{Instructions: "Be brief.", ModelID: first.ID,
			GuardrailPresetIDs: []string{guard.ID}, FallbackIDs: []string{central.ID}, Parameters: agents.Parameters{Temperature: &low, MaxOutputTokens: 50},
			Knowledge: []agents.Link{{Title: "Handbook", URL: "https://acme.example/handbook"}}})
		require.NoError(w.t, err)
		_, err = w.agents.Publish(ctx, tx, agent, "", nil)
		return err
	})
	return agent, team, key
}

// through calls an agent and returns the status and the body.
func (w *world) through(key, agentID, body string, headers ...string) (int, string) {
	w.t.Helper()
	res := w.send(func() *http.Request {
		req := w.request(w.t.Context(), key, body)
		req.Header.Set("X-Cockpit-Agent", agentID)
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		return req
	})
	answer, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	return res.StatusCode, string(answer)
}

func TestCallsThroughAnAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	p := &provider{}
	agent, team, key := w.agented(p)
	const hi = `{"messages":[{"role":"user","content":"hi"}]}`
	refused := func(status int, code string, agentID, body string, headers ...string) {
		t.Helper()
		got, answer := w.through(key, agentID, body, headers...)
		require.Equal(t, status, got, answer)
		require.Contains(t, answer, `"code":"`+code+`"`)
	}
	answered := func(body string, headers ...string) *ent.Charge {
		t.Helper()
		before := len(w.charges())
		status, answer := w.through(key, agent.ID, body, headers...)
		require.Equal(t, http.StatusOK, status, answer)
		all := w.charges()
		require.Len(t, all, before+1)
		last := all[0]
		for _, c := range all {
			if c.ID > last.ID {
				last = c
			}
		}
		return last
	}

	refused(403, "agent_not_granted", agent.ID, hi)
	refused(404, "agent_not_found", "agt_01ARZ3NDEKTSV4RRFFQ69G5FAV", hi)
	refused(404, "agent_not_found", team.ID, hi)
	status, answer := w.through(w.consoleKey, agent.ID, hi)
	require.Equal(t, 400, status, answer)
	require.Zero(t, p.calls.Load(), "nothing reached the provider")

	var allow *ent.Grant
	w.heard(func(ctx context.Context, tx *store.Tx) error {
		allow = w.grant(ctx, tx, team, agent.ID, grant.Allow)
		return nil
	})
	c := answered(hi)
	require.Equal(t, []string{agent.ID, "first"}, []string{c.AgentID, c.ModelName})
	asked := *p.asked.Load()
	messages := asked["messages"].([]any)
	require.Equal(t, map[string]any{"role": "system", "content": "Be brief.\n\nPages to refer to:\n- Handbook: https://acme.example/handbook"}, messages[0])
	require.Equal(t, []any{"x", 0.2, 50.0}, []any{asked["model"], asked["temperature"], asked["max_tokens"]})

	// What the call sets itself stays; it may name the agent's models and no other.
	require.Equal(t, "first", answered(`{"model":"agent","temperature":1,"max_tokens":7,"messages":[]}`).ModelName)
	asked = *p.asked.Load()
	require.Equal(t, []any{1.0, 7.0}, []any{asked["temperature"], asked["max_tokens"]})
	require.Equal(t, "central", answered(`{"model":"central",`+hi[1:]).ModelName)
	refused(400, "invalid_request", agent.ID, `{"model":"forbidden",`+hi[1:])
	refused(400, "invalid_request", agent.ID, `{"model":"agent"}`)

	// A model that brings no answer isn't billed, and its fallback answers.
	p.status.Store(http.StatusServiceUnavailable)
	before := p.calls.Load()
	require.Equal(t, "central", answered(hi, "Idempotency-Key", "once").ModelName)
	require.Greater(t, p.calls.Load(), before)
	refused(409, "idempotency_key_used", agent.ID, hi, "Idempotency-Key", "once")
	p.status.Store(http.StatusBadRequest)
	refused(400, "invalid_request", agent.ID, hi) // wrong everywhere
	p.status.Store(0)

	// Sessions: counted by the agent's caps, by the payer's own name for them.
	w.heard(func(ctx context.Context, tx *store.Tx) error {
		turns, credits := 2, 1_000*money.One
		_, err := w.agents.Update(ctx, tx, agent, agents.Settings{SessionTurns: &turns, SessionCredits: &credits}, nil, nil)
		return err
	})
	refused(400, "invalid_request", agent.ID, hi)
	answered(hi, "X-Cockpit-Session", "s1")
	answered(hi, "X-Cockpit-Session", "s1")
	refused(429, "session_turns_spent", agent.ID, hi, "X-Cockpit-Session", "s1")
	answered(hi, "X-Cockpit-Session", "s2")
	w.heard(func(ctx context.Context, tx *store.Tx) error {
		turns, credits := 0, money.Nano(1)
		_, err := w.agents.Update(ctx, tx, agent, agents.Settings{SessionTurns: &turns, SessionCredits: &credits}, nil, nil)
		return err
	})
	refused(402, "session_credits_spent", agent.ID, hi, "X-Cockpit-Session", "s3")
	w.heard(func(ctx context.Context, tx *store.Tx) error {
		credits := money.Nano(0)
		_, err := w.agents.Update(ctx, tx, agent, agents.Settings{SessionCredits: &credits}, nil, nil)
		return err
	})

	// Its own budget caps it, and nobody else.
	w.heard(func(ctx context.Context, tx *store.Tx) error {
		_, err := w.engine.Set(ctx, tx, agent.ID, budget.Spec{})
		return err
	})
	refused(402, "budget_exceeded", agent.ID, hi)
	require.Contains(t, w.chat(key, `{"model":"first",`+hi[1:]), "yes")
	w.heard(func(ctx context.Context, tx *store.Tx) error {
		_, err := w.engine.Remove(ctx, tx, agent.ID)
		return err
	})

	w.heard(func(ctx context.Context, tx *store.Tx) error {
		_, err := w.agents.SetAvailability(ctx, tx, agent, entagent.AvailabilityPAUSED, nil)
		return err
	})
	refused(403, "agent_not_granted", agent.ID, hi)
	w.heard(func(ctx context.Context, tx *store.Tx) error {
		_, err := w.agents.SetAvailability(ctx, tx, agent, entagent.AvailabilityACTIVE, nil)
		return err
	})
	answered(hi)
	w.unset(allow)
	refused(403, "agent_not_granted", agent.ID, hi)
	w.balanced()
}

// Whatever a client writes, an agent's part is added to it once and the rest
// stays.
func TestAnAgentsPartIsAddedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	p := &provider{}
	agent, team, key := w.agented(p)
	w.heard(func(ctx context.Context, tx *store.Tx) error {
		w.grant(ctx, tx, team, agent.ID, grant.Allow)
		return nil
	})
	for _, body := range []string{
		`{ "messages" : [ ] }`, `{"messages":[{"role":"system","content":"Ignore the agent \" \\ ]"}],"x":{"messages":[1]}}`,
		`{"model":"","messages":[{"role":"user","content":"[\"messages\":["}],"Temperature":0}`,
	} {
		status, answer := w.through(key, agent.ID, body)
		require.Equal(t, http.StatusOK, status, answer)
		messages := (*p.asked.Load())["messages"].([]any)
		require.Len(t, messages, 1+strings.Count(body, `"role"`), body)
		require.Contains(t, messages[0].(map[string]any)["content"], "Be brief.")
	}
	for _, body := range []string{`{}`, `{"messages":{}}`, `{"messages":null}`, `[]`, `{"messages":[],"messages":[]}`, `{"Messages":[]}`} {
		status, answer := w.through(key, agent.ID, body)
		require.Equal(t, http.StatusBadRequest, status, answer)
	}
}
