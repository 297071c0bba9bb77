package budget

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Origin says where a budget's limit comes from.
type Origin string

// Set by an admin, or the share of its parent's equal distribution.
const (
	BySet   Origin = "SET"
	ByShare Origin = "SHARE"
)

// Distribution says what a budget gives to what lies below it.
type Distribution string

// Everybody below draws on the budget itself; or each child without a limit of
// its own gets the same share of what is left.
const (
	Pool  Distribution = "POOL"
	Equal Distribution = "EQUAL"
)

// Terms are what a budget is set to, but for its cycle.
type Terms struct {
	Limit, Overflow, Reserve money.Nano
	Origin                   Origin
	Distribution             Distribution
	// Raised is what temporary increases add to Limit at the moment.
	Raised money.Nano
}

// total is what there is to give at the moment.
func (t *Terms) total() money.Nano { return add(t.Limit, t.Raised) }

// entry is a scope with a budget, or about to get one.
type entry struct {
	scopeID, parentID, path, name string
	kind                          tenancy.Kind
	archived                      bool
	budgetID                      string
	was, is                       *Terms // nil: no budget
	carried                       money.Nano
	raises                        []raise
	standing                      *standing  // nil for a new budget
	prior                         money.Nano // spent by the scope before a new budget
	reason                        string
	saved                         bool // its row is written already
}

// raise is a temporary increase in force.
type raise struct {
	id     string
	amount money.Nano
	endsAt time.Time
}

// after is what of an entry's increases lasts beyond a moment, but for one.
func (e *entry) after(t time.Time, but string) (sum money.Nano) {
	for _, r := range e.raises {
		if r.id != but && r.endsAt.After(t) {
			sum = add(sum, r.amount)
		}
	}
	return sum
}

// draft is a plane's budgets while they are changed: first in memory, then
// checked, then written.
type draft struct {
	dialect
	accountID string
	plane     tenancy.Plane
	now       time.Time
	// entries by path, parents before what lies below them. Keys have caps, not
	// shares: none is here but the one that is to be changed.
	entries   []*entry
	byScope   map[string]*entry
	archived  []string // paths
	strictNow bool     // by the pool's switch, as it stands before
	strict    bool
	rules     map[string]*standing
	// fresh is the increase that is being made.
	fresh string
	// Cycles that apply has removed, and whose limits it has lowered.
	lost, lowered []string
}

// sketch reads a plane's budgets with the tree as it stands in tx, and opens
// the cycles that now lies in. The plane must be serialized.
func (d dialect) sketch(ctx context.Context, tx *store.Tx, accountID string, plane tenancy.Plane, keyID string, now time.Time) (*draft, error) {
	standings, err := d.openWhere(ctx, tx.SQL(), "b.account_id = $1 AND b.plane = $2", []any{accountID, string(plane)}, now)
	if err != nil {
		return nil, err
	}
	out := &draft{dialect: d, accountID: accountID, plane: plane, now: now, byScope: map[string]*entry{}, rules: standings}
	if err := out.read(ctx, tx.SQL(), keyID); err != nil {
		return nil, err
	}
	for _, e := range out.entries {
		e.standing = standings[e.scopeID]
	}
	out.strict = out.strictNow
	return out, nil
}

const termsFrom = `SELECT s.id, coalesce(s.parent_id, ''), s.path, s.name, s.kind, b.id, b.lim, b.overflow, b.reserve, b.origin, b.distribution, b.strict, c.carried, c.raised,
	(SELECT CAST(coalesce(sum(i.amount), 0) AS BIGINT) FROM budget_increases i WHERE i.budget_id = b.id AND i.ended_at IS NULL AND i.ends_at > $3)
	FROM budgets b JOIN scopes s ON s.id = b.scope_id
	JOIN budget_cycles c ON c.budget_id = b.id AND c.starts_at = (SELECT max(l.starts_at) FROM budget_cycles l WHERE l.budget_id = b.id)
	WHERE b.account_id = $1 AND b.plane = $2 AND (s.kind <> 'KEY' OR s.id = $4 OR $4 = 'ALL')`

// read takes in what there is; of keys the given one, or ALL.
func (d *draft) read(ctx context.Context, c conn, keyID string) error {
	err := d.query(ctx, c, "SELECT path FROM scopes WHERE account_id = $1 AND plane = $2 AND archived_at IS NOT NULL AND deleted_at IS NULL",
		[]any{d.accountID, string(d.plane)}, func(r *sql.Rows) error {
			var path string
			err := r.Scan(&path)
			d.archived = append(d.archived, path)
			return err
		})
	if err != nil {
		return err
	}
	d.strictNow = d.plane == tenancy.Copilot
	err = d.query(ctx, c, termsFrom, []any{d.accountID, string(d.plane), d.now, keyID}, func(r *sql.Rows) error {
		var e entry
		var t Terms
		var strict bool
		var raise money.Nano
		err := r.Scan(&e.scopeID, &e.parentID, &e.path, &e.name, &e.kind, &e.budgetID, &t.Limit, &t.Overflow, &t.Reserve, &t.Origin, &t.Distribution, &strict,
			&e.carried, &t.Raised, &raise)
		e.was = &t
		now := t
		now.Raised = raise
		e.is = &now
		d.strictNow = d.strictNow || strict && isRoot(e.kind)
		d.put(&e)
		return err
	})
	d.sort()
	if err != nil {
		return err
	}
	return d.query(ctx, c, `SELECT b.scope_id, i.id, i.amount, i.ends_at FROM budget_increases i JOIN budgets b ON b.id = i.budget_id
		WHERE b.account_id = $1 AND b.plane = $2 AND i.ended_at IS NULL AND i.ends_at > $3`, []any{d.accountID, string(d.plane), d.now}, func(r *sql.Rows) error {
		var scopeID string
		var of raise
		err := r.Scan(&scopeID, &of.id, &of.amount, &of.endsAt)
		if e := d.byScope[scopeID]; e != nil {
			e.raises = append(e.raises, of)
		}
		return err
	})
}

func isRoot(k tenancy.Kind) bool { return k == tenancy.KindConsole || k == tenancy.KindCopilot }

func (d *draft) put(e *entry) {
	e.archived = slices.ContainsFunc(d.archived, func(path string) bool { return strings.HasPrefix(e.path, path) })
	d.entries = append(d.entries, e)
	d.byScope[e.scopeID] = e
}

func (d *draft) sort() {
	slices.SortFunc(d.entries, func(a, b *entry) int { return strings.Compare(a.path, b.path) })
}

// resting refuses to give more to what is archived with something above it: it is
// counted nowhere until it is restored.
func (e *entry) resting(path string) error {
	if e.archived {
		return fault.At(path, "%s lies in something that is archived, and can't be given a budget. Restore that first.", e.name)
	}
	return nil
}

// children adds those scopes that have no budget yet and get a share.
func (d *draft) children(ctx context.Context, c conn) error {
	var sharing []string
	for _, e := range d.entries {
		if e.is != nil && e.is.Distribution == Equal {
			sharing = append(sharing, e.scopeID)
		}
	}
	for some := range slices.Chunk(sharing, 500) {
		var p params
		err := d.query(ctx, c, `SELECT s.id, s.parent_id, s.path, s.name, s.kind FROM scopes s WHERE s.parent_id IN (`+p.list(some)+`)
			AND s.deleted_at IS NULL AND s.kind NOT IN ('KEY', 'AGENT') AND NOT EXISTS (SELECT 1 FROM budgets b WHERE b.scope_id = s.id)`, p, func(r *sql.Rows) error {
			var e entry
			err := r.Scan(&e.scopeID, &e.parentID, &e.path, &e.name, &e.kind)
			if d.byScope[e.scopeID] == nil {
				d.put(&e)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	d.sort()
	return nil
}

// under are the entries below a path.
func (d *draft) under(path string) []*entry {
	from, _ := slices.BinarySearchFunc(d.entries, path, func(e *entry, p string) int { return strings.Compare(e.path, p) })
	to := from
	for to < len(d.entries) && strings.HasPrefix(d.entries[to].path, path) {
		to++
	}
	out := d.entries[from:to]
	if len(out) > 0 && out[0].path == path {
		out = out[1:]
	}
	return out
}

// above is the nearest budget over a path, as things are now.
func (d *draft) above(path string) *entry {
	ids := strings.Split(strings.Trim(path, "/"), "/")
	for i := len(ids) - 2; i >= 0; i-- {
		if e := d.byScope[ids[i]]; e != nil && e.is != nil {
			return e
		}
	}
	return nil
}

// given is what the budgets directly below a path take of the one above them:
// not those that lie below another one.
type given struct {
	set    money.Nano // limits that admins set
	shares money.Nano
	raised money.Nano // by temporary increases
	count  int
}

func (g given) limits() money.Nano { return add(g.set, g.shares) }

func (d *draft) given(path string, terms func(*entry) *Terms) given {
	var out given
	for _, e := range d.below(path, terms) {
		t := terms(e)
		out.count++
		if t.Origin == ByShare {
			out.shares = add(out.shares, t.Limit)
		} else {
			out.set = add(out.set, t.Limit)
		}
		out.raised = add(out.raised, t.Raised)
	}
	return out
}

// below are the entries with a budget directly below a path, but for caps.
func (d *draft) below(path string, terms func(*entry) *Terms) (out []*entry) {
	last := ""
	for _, e := range d.under(path) {
		if terms(e) == nil || e.kind.Leaf() || last != "" && strings.HasPrefix(e.path, last) {
			continue
		}
		last = e.path
		out = append(out, e)
	}
	return out
}

// later is by how much a budget will have given more than it has once one of its
// increases has ended, and those below it haven't, and when that is.
func (d *draft) later(e *entry, terms func(*entry) *Terms) (lack money.Nano, at time.Time) {
	if len(e.raises) == 0 {
		return 0, at
	}
	set := d.given(e.path, terms).set
	but := ""
	if terms(e) == e.was {
		but = d.fresh
	}
	children := d.below(e.path, terms)
	for _, r := range e.raises {
		var raised money.Nano
		for _, child := range children {
			raised = add(raised, child.after(r.endsAt, but))
		}
		if more := add(set, raised) - add(terms(e).Limit, e.after(r.endsAt, but)); more > lack {
			lack, at = more, r.endsAt
		}
	}
	return lack, at
}

func before(e *entry) *Terms { return e.was }
func after(e *entry) *Terms  { return e.is }

// lack is by how much a budget has given more than it has: lasting limits and
// the reserve more than its own limit, or, with temporary increases, which may
// draw on the reserve, more than there is at the moment.
func (d *draft) lack(e *entry, terms func(*entry) *Terms) money.Nano {
	t := terms(e)
	if t == nil || e.archived || e.kind.Leaf() {
		return 0
	}
	g := d.given(e.path, terms)
	if g.count == 0 && t.Reserve <= t.Limit {
		return 0
	}
	lasting := add(g.set, t.Reserve) - t.Limit
	atPresent := add(g.limits(), max(t.Reserve, g.raised)) - t.total()
	later, _ := d.later(e, terms)
	return max(0, lasting, atPresent, later)
}

// short is the first budget of a strict plane that would have given more than
// it has, by more than it has already.
func (d *draft) short() (*entry, money.Nano) {
	if !d.strict {
		return nil, 0
	}
	for _, e := range d.entries {
		lack := d.lack(e, after)
		if lack > 0 && (!d.strictNow || lack > d.lack(e, before)) {
			return e, lack
		}
	}
	return nil, 0
}

// add is the sum, cut at the largest amount.
func add(a, b money.Nano) money.Nano {
	sum, err := money.Add(a, b)
	if err != nil {
		return money.Max
	}
	return sum
}
