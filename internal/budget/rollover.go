package budget

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// rooms are the limits in force of a tree at a moment, and whether children's
// must fit into their parent's.
type rooms struct {
	strict bool
	shares []share // by path; lim is the cycle's, the parent's reserve beside it
	keep   map[string]money.Nano
}

// share is a budget's limit in a cycle as its parent sees it, without what
// increases add for a while.
type share struct {
	scopeID, path string
	kind          tenancy.Kind
	lim           money.Nano
}

// sumBelow adds the shares directly below a path: not those that lie below
// another one of them.
func sumBelow(shares []share, path string) money.Nano {
	var sum money.Nano
	last := ""
	for _, s := range shares {
		if s.path == path || !strings.HasPrefix(s.path, path) || last != "" && strings.HasPrefix(s.path, last) {
			continue
		}
		last = s.path
		sum = add(sum, s.lim)
	}
	return sum
}

// fits is as much of an amount as may be carried over: where limits are
// allocated, what children carry must fit into what their parent has left to
// give in that cycle. Keys and agents are caps and take nothing from anybody.
func (c *closing) fits(ctx context.Context, x *ended, amount money.Nano) (money.Nano, error) {
	if amount == 0 || x.kind.Leaf() {
		return amount, nil
	}
	at := c.cycles[c.next[x.id]].startsAt
	r := c.rooms[at]
	if r == nil {
		var err error
		if r, err = c.roomsAt(ctx, c.tx, c.place, at); err != nil {
			return 0, err
		}
		c.rooms[at] = r
	}
	own := slices.IndexFunc(r.shares, func(s share) bool { return s.scopeID == x.scopeID })
	if own < 0 {
		return 0, nil
	}
	if r.strict {
		var parent *share
		for i := range r.shares[:own] {
			if strings.HasPrefix(x.path, r.shares[i].path) {
				parent = &r.shares[i] // sorted by path: the nearest one stays
			}
		}
		if parent != nil {
			amount = min(amount, max(0, parent.lim-r.keep[parent.scopeID]-sumBelow(r.shares, parent.path)))
		}
	}
	r.shares[own].lim += amount
	return amount, nil
}

func (d dialect) roomsAt(ctx context.Context, c conn, p place, at time.Time) (*rooms, error) {
	r := &rooms{strict: p.plane == tenancy.Copilot, keep: map[string]money.Nano{}}
	err := d.query(ctx, c, `SELECT s.id, s.path, s.kind, c.lim - c.raised, b.reserve, b.strict FROM budgets b JOIN scopes s ON s.id = b.scope_id
		JOIN budget_cycles c ON c.budget_id = b.id AND c.starts_at = (SELECT max(l.starts_at) FROM budget_cycles l WHERE l.budget_id = b.id AND l.starts_at <= $3)
		WHERE b.account_id = $1 AND b.plane = $2 AND s.kind NOT IN ('KEY', 'AGENT')`, []any{p.accountID, string(p.plane), stamp(at)}, func(rows *sql.Rows) error {
		var s share
		var reserve money.Nano
		var strict bool
		err := rows.Scan(&s.scopeID, &s.path, &s.kind, &s.lim, &reserve, &strict)
		r.strict = r.strict || strict && (s.kind == tenancy.KindConsole || s.kind == tenancy.KindCopilot)
		r.shares, r.keep[s.scopeID] = append(r.shares, s), reserve
		return err
	})
	slices.SortFunc(r.shares, func(a, b share) int { return strings.Compare(a.path, b.path) })
	return r, err
}

// beside is what a cycle's row holds besides its counters.
type beside struct {
	carried, raised, prior, corrections money.Nano
	closed                              bool
}

func (d dialect) lookUp(ctx context.Context, c conn, cycleIDs []string) (map[string]beside, error) {
	out := make(map[string]beside, len(cycleIDs))
	for some := range slices.Chunk(cycleIDs, maxBatch) {
		var p params
		err := d.query(ctx, c, "SELECT id, carried, raised, prior, corrections, closed_at FROM budget_cycles WHERE id IN ("+p.list(some)+")", p, func(r *sql.Rows) error {
			var k string
			var b beside
			var closed sql.NullTime
			err := r.Scan(&k, &b.carried, &b.raised, &b.prior, &b.corrections, &closed)
			b.closed = closed.Valid
			out[k] = b
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
