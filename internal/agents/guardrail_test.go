package agents_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/guardrailassignment"
	"github.com/alchemi/cockpit/ent/guardrailpreset"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
)

// A published agent has a guardrail: of its own, or on its path. None is
// published without, and none loses its last one.
func TestPublishedAgentsAreGuarded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		p := w.A.Copilot
		ctx := identitytest.System(t)
		verbs, guards := &agents.Agents{Store: st}, guardrail.New(guardrail.Options{Store: st})
		do := func(f func(ctx context.Context, tx *store.Tx) error) error { return st.InTx(ctx, f) }
		bare := func() {
			require.NoError(t, do(func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				_, err := tx.GuardrailAssignment.Delete().Where(guardrailassignment.AccountID(p.Root.AccountID)).Exec(ctx)
				return err
			}))
		}
		preset := func(name string) (row *ent.GuardrailPreset) {
			require.NoError(t, do(func(ctx context.Context, tx *store.Tx) (err error) {
				row, err = guards.Create(ctx, tx, p.Root, guardrail.Input{Name: &name, Rules: rules(t)})
				return err
			}))
			return row
		}
		build := func(name string, owner *ent.Scope, presets ...string) (s *ent.Scope) {
			require.NoError(t, do(func(ctx context.Context, tx *store.Tx) (err error) {
				_, s, err = verbs.Create(ctx, tx, owner, agents.Settings{Name: &name},
					agents.Definition{Instructions: "Be brief.", ModelID: p.Model.ID, GuardrailPresetIDs: presets})
				return err
			}))
			return s
		}
		publish := func(s *ent.Scope) error {
			return do(func(ctx context.Context, tx *store.Tx) error {
				_, err := verbs.Publish(ctx, tx, s, "", nil)
				return err
			})
		}
		assign := func(at *ent.Scope, id string) error {
			return do(func(ctx context.Context, tx *store.Tx) error { _, err := guards.Assign(ctx, tx, at, id); return err })
		}
		unassign := func(at *ent.Scope, id string) error {
			return do(func(ctx context.Context, tx *store.Tx) error { _, err := guards.Unassign(ctx, tx, at, id); return err })
		}
		disable := func(id string) error {
			off := true
			return do(func(ctx context.Context, tx *store.Tx) error {
				_, err := guards.Update(ctx, tx, p.Root, id, guardrail.Input{Disabled: &off})
				return err
			})
		}
		remove := func(id string) error {
			return do(func(ctx context.Context, tx *store.Tx) error { return guards.Delete(ctx, tx, p.Root, id) })
		}
		refused := func(err error, code fault.Code, says string) {
			t.Helper()
			require.NotNil(t, fault.As(err), "%v", err)
			require.Equal(t, code, fault.As(err).Code)
			require.Contains(t, fault.As(err).Message, says)
		}
		require.NoError(t, do(func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			return tx.Agent.Update().ClearPublishedVersion().Exec(ctx) // those that are there already
		}))
		bare()
		own, shared := preset("Own"), preset("Shared")

		// Neither its own nor one on its path: refused, at the field.
		scribe := build("Scribe", p.Team)
		err := publish(scribe)
		refused(err, fault.Invalid, "no guardrail")
		require.Equal(t, []string{"definition", "guardrailPresetIds"}, fault.As(err).Path)
		require.NoError(t, assign(p.SiblingTeam, shared.ID))
		refused(publish(scribe), fault.Invalid, "no guardrail")
		require.NoError(t, assign(p.Org, shared.ID))
		require.NoError(t, publish(scribe), "one above is one")
		clerk := build("Clerk", p.Org, own.ID)
		require.NoError(t, publish(clerk))

		// The last one stays, however it would go, and the refusal names whose.
		refused(unassign(p.Org, shared.ID), fault.InUse, "Scribe")
		refused(disable(shared.ID), fault.InUse, "Scribe")
		require.NoError(t, assign(p.Team, own.ID))
		require.NoError(t, unassign(p.Org, shared.ID), "Scribe has another one now, and Clerk its own")
		refused(unassign(p.Team, own.ID), fault.InUse, "Scribe")
		require.NotContains(t, fault.As(unassign(p.Team, own.ID)).Message, "Clerk")
		refused(disable(own.ID), fault.InUse, "Clerk, Scribe")
		require.NoError(t, assign(scribe, shared.ID))
		require.NoError(t, unassign(p.Team, own.ID))
		refused(remove(own.ID), fault.InUse, "Clerk")
		require.True(t, st.GuardrailPreset.Query().Where(guardrailpreset.ID(own.ID)).ExistX(ctx))

		// One that was published before the rule runs on, and is in nobody's way.
		bare()
		other := preset("Other")
		require.NoError(t, assign(p.Root, other.ID))
		bare()
		require.NoError(t, assign(p.Member, shared.ID))
		require.NoError(t, unassign(p.Member, shared.ID))
		require.NoError(t, do(func(ctx context.Context, tx *store.Tx) error {
			_, err := verbs.Update(ctx, tx, scribe, agents.Settings{}, &agents.Definition{Instructions: "x", ModelID: p.Model.ID}, nil)
			return err
		}))
		refused(publish(scribe), fault.Invalid, "no guardrail")

		// Publishing and taking away at once: never both.
		for range 5 {
			late := build("Late", p.SiblingTeam)
			require.NoError(t, assign(p.SiblingTeam, shared.ID))
			var published, taken error
			var both sync.WaitGroup
			both.Go(func() { published = publish(late) })
			both.Go(func() { taken = unassign(p.SiblingTeam, shared.ID) })
			both.Wait()
			require.NotEqual(t, published == nil, taken == nil, "%v, %v", published, taken)
			if taken != nil {
				refused(taken, fault.InUse, "Late")
				bare()
			}
		}
	})
}

func rules(t *testing.T) *detect.Preset {
	t.Helper()
	p, faults := detect.Decode([]byte(`{"rules":[{"name":"Mail","detector":"EMAIL","action":"REDACT","direction":"BOTH"}]}`))
	require.Empty(t, faults)
	return p
}
