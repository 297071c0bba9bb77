package identity_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/budget"
	engine "github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
)

// modelTree is the tree in a few maps: which team a person's seat is in.
type modelTree struct {
	orgs  map[string]bool              // by organization
	teams map[string]string            // organization by team
	seats map[string]map[string]string // seat by person, by team
}

// TestTreeAgreesWithItsModel runs random changes against a model in memory:
// who sits where must be the same, and the invariants hold after each.
func TestTreeAgreesWithItsModel(t *testing.T) {
	t.Parallel()
	onDirectory(t, func(t *testing.T, d *directory) {
		d.unlimited()
		runs, steps := 0, 0
		rapid.Check(t, func(rt *rapid.T) {
			if runs++; runs%25 != 1 {
				return // each run begins a tree of its own; the database remembers all of them
			}
			steps += d.play(rt, runs)
		})
		require.Greater(t, steps, 20)
	})
}

func (d *directory) play(rt *rapid.T, run int) (steps int) {
	t := d.t
	c := d.A.Copilot
	everyone := d.everyone(c.Root)
	m := modelTree{orgs: map[string]bool{}, teams: map[string]string{}, seats: map[string]map[string]string{}}
	nodes := map[string]*ent.Scope{everyone.ID: everyone}
	for i := range 3 {
		d.must(func(ctx context.Context, tx *store.Tx) error {
			s, err := d.verbs.CreateOrganization(ctx, tx, c.Root, fmt.Sprintf("Org %d.%d", run, i), "")
			nodes[s.ID], m.orgs[s.ID] = s, true
			return err
		})
	}
	people := map[string]*ent.User{}
	for i := range 4 {
		u := d.user(fmt.Sprintf("Model %d.%d", run, i))
		people[u.ID], m.seats[u.ID] = u, map[string]string{}
	}
	pick := func(of map[string]bool, what string) string {
		keys := make([]string, 0, len(of))
		for k := range of {
			keys = append(keys, k)
		}
		if len(keys) == 0 {
			return ""
		}
		// Ids are new in every run: choose by place.
		slices.Sort(keys)
		return keys[rapid.IntRange(0, len(keys)-1).Draw(rt, what)]
	}
	set := func(of map[string]string) map[string]bool {
		out := map[string]bool{}
		for k := range of {
			out[k] = true
		}
		return out
	}
	ids := map[string]bool{}
	for k := range people {
		ids[k] = true
	}
	// leave takes a team's people to everyone, as a deletion does.
	leave := func(team string) {
		for _, at := range m.seats {
			if seat, sits := at[team]; sits {
				delete(at, team)
				if _, there := at[everyone.ID]; !there {
					at[everyone.ID] = seat
				}
			}
		}
		delete(m.teams, team)
	}
	for i := range rapid.IntRange(10, 25).Draw(rt, "steps") {
		steps++
		op := rapid.SampledFrom([]string{"team", "team", "sit", "sit", "sit", "move seat", "move team", "end", "default", "budget", "delete team", "delete org"}).Draw(rt, "op")
		org, tm, who := pick(m.orgs, "org"), pick(set(m.teams), "team"), pick(ids, "who")
		at := ""
		if who != "" {
			at = pick(set(m.seats[who]), "seat")
		}
		var err error
		switch {
		case op == "team" && org != "":
			err = d.do(func(ctx context.Context, tx *store.Tx) error {
				s, err := d.verbs.CreateTeam(ctx, tx, nodes[org], fmt.Sprintf("Team %d.%d", run, i), "")
				if err == nil {
					nodes[s.ID], m.teams[s.ID] = s, org
				}
				return err
			})
			require.NoError(t, err)
		case op == "sit" && tm != "":
			_, sits := m.seats[who][tm]
			err = d.do(func(ctx context.Context, tx *store.Tx) error {
				s, err := identity.AddMember(ctx, tx, nodes[tm], people[who])
				if err == nil {
					nodes[s.ID], m.seats[who][tm] = s, s.ID
				}
				return err
			})
			require.Equal(t, sits, fault.Is(err, fault.Exists), "%v", err)
		case op == "move seat" && tm != "" && at != "":
			_, sits := m.seats[who][tm]
			seat := m.seats[who][at]
			err = d.do(func(ctx context.Context, tx *store.Tx) error {
				return d.verbs.MoveMember(ctx, tx, tx.Now(), nodes[seat], nodes[tm])
			})
			if sits {
				require.Error(t, err)
			} else if !fault.Is(err, fault.BudgetExceeded) {
				require.NoError(t, err)
				delete(m.seats[who], at)
				m.seats[who][tm] = seat
			}
		case op == "move team" && tm != "" && org != "":
			err = d.do(func(ctx context.Context, tx *store.Tx) error {
				_, err := d.verbs.MoveTeam(ctx, tx, tx.Now(), nodes[tm], nodes[org])
				return err
			})
			if m.teams[tm] == org {
				require.Error(t, err)
			} else if !fault.Is(err, fault.BudgetExceeded) {
				require.NoError(t, err)
				m.teams[tm] = org
			}
		case op == "end" && at != "":
			seat := m.seats[who][at]
			d.must(func(ctx context.Context, tx *store.Tx) error {
				_, err := d.verbs.DeleteMember(ctx, tx, tx.Now(), nodes[seat])
				return err
			})
			delete(m.seats[who], at)
		case op == "default" && at != "":
			seat := m.seats[who][at]
			d.must(func(ctx context.Context, tx *store.Tx) error { return d.verbs.SetDefaultMember(ctx, tx, nodes[seat]) })
			require.True(t, d.isDefault(nodes[seat]))
		case op == "budget":
			on := rapid.SampledFrom([]string{org, tm, m.seats[who][at]}).Draw(rt, "on")
			if on == "" {
				continue
			}
			err = d.do(func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				_, err := d.budgets.Set(ctx, tx, on, engine.Spec{Limit: money.Nano(rapid.IntRange(0, 40).Draw(rt, "limit")) * money.One})
				return err
			})
			require.True(t, err == nil || fault.As(err) != nil, "%v", err)
		case op == "delete team" && tm != "":
			err = d.do(func(ctx context.Context, tx *store.Tx) error {
				_, err := d.verbs.DeleteTeam(ctx, tx, tx.Now(), nodes[tm], &nodes[tm].Name, false)
				return err
			})
			if !fault.Is(err, fault.BudgetExceeded) {
				require.NoError(t, err)
				leave(tm)
			}
		case op == "delete org" && org != "" && len(m.orgs) > 1:
			// Teams go in the order of their ids; which of two seats stays is said
			// by that.
			err = d.do(func(ctx context.Context, tx *store.Tx) error {
				_, err := d.verbs.DeleteOrganization(ctx, tx, tx.Now(), nodes[org], &nodes[org].Name, false)
				return err
			})
			if !fault.Is(err, fault.BudgetExceeded) {
				require.NoError(t, err)
				gone := make([]string, 0, len(m.teams))
				for k, o := range m.teams {
					if o == org {
						gone = append(gone, k)
					}
				}
				slices.Sort(gone)
				for _, k := range gone {
					leave(k)
				}
				delete(m.orgs, org)
			}
		default:
			continue
		}
		for who, at := range m.seats {
			got := map[string]string{}
			for _, row := range d.Store.Member.Query().AllX(d.sys()) {
				if row.UserID == who {
					got[row.TeamID] = row.ID
				}
			}
			require.Equal(t, at, got, "after %s", op)
		}
		d.consistent()
		d.withinLimits()
	}
	return steps
}

// withinLimits asks of Copilot's tree that no budget has given more than it
// has: the budgets directly below it add up to it at most.
func (d *directory) withinLimits() {
	d.t.Helper()
	type share struct {
		path string
		lim  int64
	}
	var all []share
	for _, b := range d.Store.Budget.Query().Where(budget.PlaneEQ(budget.PlaneCOPILOT), budget.AccountID(d.A.Row.ID)).WithScope().AllX(d.sys()) {
		if b.Edges.Scope.Kind != "KEY" {
			all = append(all, share{b.Edges.Scope.Path, b.Lim})
		}
	}
	for _, above := range all {
		var sum int64
		for _, s := range all {
			direct := s.path != above.path && strings.HasPrefix(s.path, above.path)
			for _, between := range all {
				direct = direct && !(between.path != above.path && between.path != s.path && strings.HasPrefix(between.path, above.path) && strings.HasPrefix(s.path, between.path))
			}
			if direct {
				sum += s.lim
			}
		}
		require.LessOrEqual(d.t, sum, above.lim, "the budgets below %s", above.path)
	}
}
