package budget_test

import (
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// allotted is a budget as the database has it, with its newest cycle.
type allotted struct {
	spot
	budgetID, origin, distribution string
	lim, reserve, raised           money.Nano
	gives, carried                 money.Nano // in the cycle
	strict                         bool
	due                            int // increases that are over and not taken back yet
}

func (w *model) allotments(rt *rapid.T) (out []allotted) {
	rows, err := w.st.System().Query(`SELECT b.id, s.id, s.parent_id, s.path, s.kind, b.origin, b.distribution, b.lim, b.reserve, b.strict, c.lim, c.carried, c.raised,
		(SELECT count(*) FROM budget_increases i WHERE i.budget_id = b.id AND i.ended_at IS NULL AND i.ends_at <= $1)
		FROM budgets b JOIN scopes s ON s.id = b.scope_id
		JOIN budget_cycles c ON c.budget_id = b.id AND c.starts_at = (SELECT max(l.starts_at) FROM budget_cycles l WHERE l.budget_id = b.id)
		WHERE b.account_id = '`+w.account+`' ORDER BY s.path`, w.clock.now())
	require.NoError(rt, err)
	defer func() { require.NoError(rt, rows.Close()) }()
	for rows.Next() {
		var a allotted
		require.NoError(rt, rows.Scan(&a.budgetID, &a.id, &a.parent, &a.path, &a.kind, &a.origin, &a.distribution, &a.lim, &a.reserve, &a.strict, &a.gives, &a.carried, &a.raised, &a.due))
		out = append(out, a)
	}
	require.NoError(rt, rows.Err())
	return out
}

func (a allotted) leaf() bool { return a.kind == "KEY" || a.kind == "AGENT" }

// keepsPromises sees that in a strict plane nobody gives more than they have,
// that shares are exactly what is left, and that cycles give what budgets say.
func (w *model) keepsPromises(rt *rapid.T) {
	list := w.allotments(rt)
	strict := w.plane == tenancy.Copilot
	for _, a := range list {
		strict = strict || a.strict
		require.GreaterOrEqual(rt, a.lim, money.Nano(0))
		require.Equal(rt, a.lim+a.carried+a.raised, a.gives, "the cycle gives what the budget says")
	}
	for _, a := range list {
		if a.leaf() {
			continue
		}
		var set, shares, raises money.Nano
		var each []money.Nano
		last, exact := "", true
		for _, b := range list {
			if b.leaf() || b.path == a.path || !strings.HasPrefix(b.path, a.path) || last != "" && strings.HasPrefix(b.path, last) {
				continue
			}
			last = b.path
			raises += b.raised
			exact = exact && b.due == 0
			if b.origin == "SHARE" {
				shares += b.lim
				each = append(each, b.lim)
			} else {
				set += b.lim
			}
		}
		exact = exact && a.due == 0
		if strict {
			require.LessOrEqual(rt, set+a.reserve, a.lim, "no more is given for good than there is for good")
			require.LessOrEqual(rt, set+shares+a.reserve, a.lim+a.raised, "no more is given than there is")
		}
		if a.distribution == "POOL" {
			require.Empty(rt, each)
			continue
		}
		for _, s := range w.scopes {
			if s.parent == a.id && s.kind != "KEY" && s.kind != "AGENT" {
				require.True(rt, slices.ContainsFunc(list, func(b allotted) bool { return b.id == s.id }), "everybody has a budget")
			}
		}
		if len(each) > 0 && exact {
			require.Equal(rt, max(0, a.lim+a.raised-max(a.reserve, raises)-set), shares, "shares are exactly what is left")
			require.LessOrEqual(rt, slices.Max(each)-slices.Min(each), money.Nano(1))
		}
	}
}
