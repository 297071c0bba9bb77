package audit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Filter says which events are asked for; what is empty asks nothing.
type Filter struct {
	// Action is one, or the noun before its dot.
	Action            string
	ActorID, TargetID string
	// Search is text in the names of actor, via or target.
	Search  string
	Outcome auditevent.Outcome
	// From is inclusive, To exclusive.
	From, To time.Time
}

// Selection is a filter on the sealed events of an account.
type Selection struct {
	AccountID string
	// Within are the paths of subtrees; an event must lie in one of them. Empty
	// means the whole account.
	Within []string
	Filter
}

// Whole tells whether the selection leaves nothing of the account out.
func (s Selection) Whole() bool { return len(s.Within) == 0 && s.Filter == Filter{} }

const (
	// searchWindow is how many numbers one page of a search looks through, and
	// one query at most.
	searchWindow = 100_000
	// few events of a subtree are read and sorted; more are met often enough on
	// the way through the log.
	few = 10_000
	// skew is how far times and numbers may disagree: a number is given when a
	// transaction commits, its time is taken before.
	skew = 10 * time.Minute
)

// Page is one page of a selection.
type Page struct {
	Rows []*ent.AuditEvent
	// More says that there may be more behind the page.
	More bool
	// Reached is the number to go on from, not among the rows when a search
	// found too few on its way.
	Reached int64
}

// Bounds are numbers between which a page lies, both excluded; 0 is none.
type Bounds struct{ After, Before int64 }

// Page reads up to n events, the newest first or the oldest first.
func (s Selection) Page(ctx context.Context, c *ent.Client, b Bounds, n int, newestFirst bool) (p Page, err error) {
	if b.Before == 0 {
		b.Before = math.MaxInt64
	}
	if b, err = s.hints(ctx, c, b); err != nil {
		return p, err
	}
	sparse, err := s.sparse(ctx, c)
	if err != nil {
		return p, err
	}
	part := b
	if s.Search != "" {
		part = b.part(searchWindow, newestFirst)
	}
	if sparse || s.byIndex() {
		p.Rows, err = s.page(c, part, n+1, newestFirst, sparse).All(ctx)
	} else {
		p.Rows, err = s.walk(ctx, c, part, n+1, newestFirst)
	}
	if err != nil {
		return p, err
	}
	if p.More = len(p.Rows) > n; p.More { // one more tells whether there is more
		p.Rows = p.Rows[:n]
	}
	if len(p.Rows) > 0 {
		p.Reached = *p.Rows[len(p.Rows)-1].Seq
	}
	if !p.More && part != b { // the search goes on where its part ended
		p.More, p.Reached = true, part.Before-1
		if newestFirst {
			p.Reached = part.After + 1
		}
	}
	return p, nil
}

// walk goes through the numbers in ever larger steps until it has met n events:
// however a database misjudges how many there are, a step costs no more than
// its length.
func (s Selection) walk(ctx context.Context, c *ent.Client, b Bounds, n int, newestFirst bool) (out []*ent.AuditEvent, err error) {
	for size := int64(n); b.Before-b.After > 1; size = min(4*size, searchWindow) {
		step := b.part(size, newestFirst)
		rows, err := s.page(c, step, n-len(out), newestFirst, false).All(ctx)
		if err != nil {
			return nil, err
		}
		if out = append(out, rows...); len(out) == n {
			break
		}
		if newestFirst {
			b.Before = step.After + 1
		} else {
			b.After = step.Before - 1
		}
	}
	return out, nil
}

// part is the first of the numbers between two, so many at most.
func (b Bounds) part(size int64, newestFirst bool) Bounds {
	switch {
	case b.Before-b.After-1 <= size:
		return b
	case newestFirst:
		return Bounds{b.Before - 1 - size, b.Before}
	}
	return Bounds{b.After, b.After + 1 + size}
}

// page is the query of a page.
func (s Selection) page(c *ent.Client, window Bounds, n int, newestFirst, sparse bool) *ent.AuditEventQuery {
	column := func(sel *sql.Selector) string {
		if sparse {
			return sel.C(auditevent.FieldSeq) + " + 0" // not by the index over numbers
		}
		return sel.C(auditevent.FieldSeq)
	}
	return s.where(c, sparse).Where(func(sel *sql.Selector) {
		sel.Where(sql.P(func(b *sql.Builder) {
			likely, end := "", ""
			if sel.Dialect() == dialect.SQLite && s.byIndex() {
				// Without statistics it would take the index over numbers alone.
				likely, end = "likelihood(", ", 0.99)"
			}
			b.WriteString(likely + column(sel) + " BETWEEN ").Arg(window.After + 1).WriteString(" AND ").Arg(window.Before - 1).WriteString(end)
		}))
	}).Order(func(sel *sql.Selector) {
		direction := " ASC"
		if newestFirst {
			direction = " DESC"
		}
		sel.OrderExpr(sql.Expr(column(sel) + direction))
	}).Limit(n)
}

// byIndex tells whether a filter has an index that leaves few.
func (s Selection) byIndex() bool {
	return s.TargetID != "" || s.ActorID != "" || s.Action != "" || (s.Outcome != "" && s.Outcome != auditevent.OutcomeDONE)
}

// hints narrows the numbers to those that there are, and by the times that are
// asked for.
func (s Selection) hints(ctx context.Context, c *ent.Client, b Bounds) (Bounds, error) {
	// Within the viewer's reach the index over times wouldn't answer alone.
	ctx = tenancy.System(ctx, "which numbers there are, and which a time lies between; nothing else of the events is read")
	newest, err := c.Account.Query().Where(account.ID(s.AccountID)).Select(account.FieldAuditSeq).Int(ctx)
	if err != nil {
		return b, err
	}
	b.Before = min(b.Before, int64(newest)+1)
	near := func(o auditevent.OrderOption, p func(time.Time) func(*sql.Selector), at time.Time) (int64, error) {
		e, err := c.AuditEvent.Query().Where(auditevent.AccountID(s.AccountID), p(at)).Order(o).First(ctx)
		if ent.IsNotFound(err) || (err == nil && e.Seq == nil) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		return *e.Seq, nil
	}
	if !s.From.IsZero() {
		n, err := near(auditevent.ByAt(sql.OrderDesc()), func(t time.Time) func(*sql.Selector) { return auditevent.AtLT(t) }, s.From.Add(-skew))
		if err != nil {
			return b, err
		}
		b.After = max(b.After, n)
	}
	if !s.To.IsZero() {
		n, err := near(auditevent.ByAt(), func(t time.Time) func(*sql.Selector) { return auditevent.AtGTE(t) }, s.To.Add(skew))
		if err != nil {
			return b, err
		}
		if n > 0 {
			b.Before = min(b.Before, n)
		}
	}
	return b, nil
}

// sparse tells whether the subtrees hold few events.
func (s Selection) sparse(ctx context.Context, c *ent.Client) (bool, error) {
	ctx = tenancy.System(ctx, "whether there are few events or many; nothing of them is read")
	for _, path := range s.Within {
		one := Selection{AccountID: s.AccountID, Within: []string{path}}
		beyond, err := c.AuditEvent.Query().Where(auditevent.AccountID(s.AccountID), one.inRange()).
			Order(func(sel *sql.Selector) { // in the index's own order, of which it needs no more than it reads
				order := sel.C(auditevent.FieldScopePath)
				if sel.Dialect() == dialect.Postgres {
					order += " USING ~<~"
				}
				sel.OrderExpr(sql.Expr(order))
			}).Offset(few).Limit(1).IDs(ctx)
		if err != nil || len(beyond) > 0 {
			return false, err
		}
	}
	return len(s.Within) > 0, nil
}

// where begins a query of what is selected; sparse goes by the index over
// paths.
func (s Selection) where(c *ent.Client, sparse bool) *ent.AuditEventQuery {
	q := c.AuditEvent.Query().Where(auditevent.AccountID(s.AccountID))
	switch {
	case len(s.Within) == 0:
	case sparse:
		q.Where(s.inRange())
	default:
		q.Where(s.below())
	}
	// Of several, the one that leaves fewest answers by its index, and the others
	// are tested: databases without statistics choose badly.
	indexed := !sparse
	equal := func(column, value string) {
		if value == "" {
			return
		}
		q.Where(equals(column, value, indexed))
		indexed = false
	}
	equal(auditevent.FieldTargetID, s.TargetID)
	equal(auditevent.FieldActorID, s.ActorID)
	switch {
	case strings.Contains(s.Action, "."):
		equal(auditevent.FieldAction, s.Action)
	case s.Action != "":
		q.Where(noun(s.Action, indexed))
		indexed = false
	}
	if s.Outcome == auditevent.OutcomeDONE {
		indexed = false // nearly all are
	}
	equal(auditevent.FieldOutcome, string(s.Outcome))
	if s.Search != "" {
		q.Where(auditevent.Or(auditevent.ActorNameContainsFold(s.Search), auditevent.ViaNameContainsFold(s.Search), auditevent.TargetNameContainsFold(s.Search)))
	}
	if !s.From.IsZero() {
		q.Where(auditevent.AtGTE(s.From.UTC()))
	}
	if !s.To.IsZero() {
		q.Where(auditevent.AtLT(s.To.UTC()))
	}
	return q
}

// equals tests a column, by its index or on each event that is met.
func equals(column, value string, indexed bool) func(*sql.Selector) {
	return func(sel *sql.Selector) { sel.Where(test(sel.C(column), value, indexed)) }
}

// noun tests what stands before an action's dot, in the words of the index over
// nouns.
func noun(noun string, indexed bool) func(*sql.Selector) {
	return func(sel *sql.Selector) {
		column := sel.C(auditevent.FieldAction)
		text := "substr(" + column + ", 1, instr(" + column + " || '.', '.') - 1)"
		if sel.Dialect() == dialect.Postgres {
			text = sel.C("tenant_noun") // row-level security lets a plain column alone go by an index
		}
		sel.Where(test(text, noun, indexed))
	}
}

func test(text, value string, indexed bool) *sql.Predicate {
	if !indexed {
		text += " || ''"
	}
	return sql.P(func(b *sql.Builder) { b.WriteString(text + " = ").Arg(value) })
}

// inRange finds subtrees by the index over paths. A path ends in a slash, and
// what lies below it comes before the same path with the next byte.
func (s Selection) inRange() func(*sql.Selector) {
	return s.anyPath(func(b *sql.Builder, column, path string) {
		from, to := " >= ", " < "
		if b.Dialect() == dialect.Postgres {
			from, to = " ~>=~ ", " ~<~ " // byte by byte, under any collation
		}
		b.WriteString(column).WriteString(from).Arg(path).WriteString(" AND ").WriteString(column).WriteString(to).Arg(strings.TrimSuffix(path, "/") + "0")
	})
}

// below tests each event that is met.
func (s Selection) below() func(*sql.Selector) {
	return s.anyPath(func(b *sql.Builder, column, path string) {
		b.WriteString("substr(").WriteString(column).WriteString(", 1, ").Arg(len(path)).WriteString(") = ").Arg(path)
	})
}

func (s Selection) anyPath(p func(b *sql.Builder, column, path string)) func(*sql.Selector) {
	return func(sel *sql.Selector) {
		var ps []*sql.Predicate
		for _, path := range s.Within {
			ps = append(ps, sql.P(func(b *sql.Builder) { p(b, sel.C(auditevent.FieldScopePath), path) }))
		}
		sel.Where(sql.Or(ps...))
	}
}

// Bucket is one part of a histogram.
type Bucket struct {
	From time.Time
	// Done counts events that happened, Refused those that were refused or went
	// wrong; repeats are counted.
	Done, Refused int
}

// MaxBuckets bounds a histogram.
const MaxBuckets = 200

// Histogram counts what is selected in n parts of equal length between From
// and To, which must be set.
func (s Selection) Histogram(ctx context.Context, c *ent.Client, n int) ([]Bucket, error) {
	from, to := s.From.UnixMilli(), s.To.UnixMilli()
	span := to - from
	if n < 1 || n > MaxBuckets || span < int64(n) {
		return nil, errors.New("audit: no such histogram")
	}
	out := make([]Bucket, n)
	for i := range out {
		out[i].From = time.UnixMilli(from + (int64(i)*span+int64(n)-1)/int64(n)).UTC()
	}
	sparse, err := s.sparse(ctx, c)
	if err != nil {
		return nil, err
	}
	var sums []struct {
		Bucket  int `json:"bucket"`
		Done    int `json:"done"`
		Refused int `json:"refused"`
	}
	if len(s.Within) == 0 {
		// So that the index over times holds all that is counted.
		ctx = tenancy.System(ctx, "counts over a whole account, whose whole log the caller may read")
	}
	if err := s.where(c, sparse).Where(auditevent.SeqNotNil()).Aggregate(func(sel *sql.Selector) string {
		sel.GroupBy("bucket")
		at := "CAST(unixepoch(" + sel.C(auditevent.FieldAt) + ", 'subsec') * 1000 AS INTEGER)"
		if sel.Dialect() == dialect.Postgres {
			at = "CAST(floor(extract(epoch FROM " + sel.C(auditevent.FieldAt) + ") * 1000) AS bigint)"
		}
		return fmt.Sprintf("((%s - %d) * %d) / %d AS bucket", at, from, n, span)
	}, sumOf("done", " = 'DONE'"), sumOf("refused", " <> 'DONE'")).Scan(ctx, &sums); err != nil {
		return nil, err
	}
	for _, b := range sums {
		i := min(max(b.Bucket, 0), n-1) // the first and last are cut within their millisecond
		out[i].Done += b.Done
		out[i].Refused += b.Refused
	}
	return out, nil
}

func sumOf(name, condition string) ent.AggregateFunc {
	return func(sel *sql.Selector) string {
		return fmt.Sprintf("CAST(SUM(CASE WHEN %s%s THEN %s ELSE 0 END) AS bigint) AS %s", sel.C(auditevent.FieldOutcome), condition, sel.C(auditevent.FieldCount), name)
	}
}

// Narrow keeps of the subtrees what lies below a path: the path itself where
// one of them holds it, else those that lie below it.
func Narrow(within []string, path string) []string {
	if len(within) == 0 || slices.ContainsFunc(within, func(w string) bool { return strings.HasPrefix(path, w) }) {
		return []string{path}
	}
	var out []string
	for _, w := range within {
		if strings.HasPrefix(w, path) {
			out = append(out, w)
		}
	}
	return out
}
