package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/auditevent"
)

// book is where a test's refusals are written.
type book struct {
	mu   sync.Mutex
	rows []Event
	now  time.Time
	fail bool
}

func (b *book) write(_ context.Context, e Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail {
		return errors.New("the database is away")
	}
	b.rows = append(b.rows, e)
	return nil
}

func (b *book) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *book) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func newBook() (*book, *Refusals) {
	b := &book{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	return b, NewRefusals(b.write, b.clock, slog.New(slog.DiscardHandler))
}

func refused(who, what string) Event {
	return Event{Action: "session.create", Outcome: auditevent.OutcomeREFUSED, TargetName: who, Reason: what,
		Actor: &Actor{Kind: auditevent.ActorKindANONYMOUS, Name: "Somebody"}}
}

func (r *Refusals) minutePasses(b *book) {
	b.advance(time.Minute)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flush(time.Minute)
}

func TestRepeatsBecomeOneCountedRow(t *testing.T) {
	t.Parallel()
	b, r := newBook()
	for range 1000 {
		r.Record(t.Context(), refused("ada@a.example", "wrong"))
	}
	r.Record(t.Context(), refused("bob@a.example", "wrong"))
	r.minutePasses(b)
	r.Record(t.Context(), refused("ada@a.example", "wrong")) // a new minute
	r.Close()
	require.Len(t, b.rows, 4)
	require.Equal(t, []int{0, 0, 999, 0}, []int{b.rows[0].Count, b.rows[1].Count, b.rows[2].Count, b.rows[3].Count}, "0 is written as 1")
	require.Equal(t, "ada@a.example", b.rows[2].TargetName)
}

// Different made-up names don't flood the log either.
func TestManySubjectsAreCountedTogether(t *testing.T) {
	t.Parallel()
	b, r := newBook()
	for i := range 3 * manySubjects {
		r.Record(t.Context(), refused(fmt.Sprint("x", i, "@a.example"), "wrong"))
	}
	require.LessOrEqual(t, len(r.minute), manySubjects+1)
	for len(r.minute) > 0 { // as much as there is room for, each time
		for len(r.queue) > 0 {
			time.Sleep(time.Millisecond)
		}
		r.minutePasses(b)
	}
	r.Close()
	require.LessOrEqual(t, len(b.rows), manySubjects+2)
	most := slices.MaxFunc(b.rows, func(a, b Event) int { return a.Count - b.Count })
	require.Equal(t, "many", most.TargetName)
	require.GreaterOrEqual(t, most.Count, 2*manySubjects-1)
}

func TestRefusalsOutliveTheirWriterAndTheirClose(t *testing.T) {
	t.Parallel()
	b, r := newBook()
	b.fail = true
	r.Record(t.Context(), refused("ada@a.example", "wrong"))
	r.Close()
	r.Close()
	r.Record(t.Context(), refused("ada@a.example", "wrong"))
	r.minutePasses(b)
	require.Empty(t, b.rows)
}

func TestCloseWritesWhatWasCounted(t *testing.T) {
	t.Parallel()
	b, r := newBook()
	for range 5 {
		r.Record(t.Context(), refused("ada@a.example", "wrong"))
	}
	r.Close()
	require.Len(t, b.rows, 2)
	require.Equal(t, 4, b.rows[1].Count)
}

// Repeats are counted on the row of whoever repeats: the same person through
// another program, or in another account, is another subject.
func TestSubjectsAreToldApart(t *testing.T) {
	t.Parallel()
	b, r := newBook()
	ada := Actor{Kind: auditevent.ActorKindUSER, ID: "usr_1", Name: "Ada"}
	through := func(kind auditevent.ViaKind, id string) *Actor {
		a := ada
		a.Via, a.ViaID = kind, id
		return &a
	}
	event := func(a *Actor, account, scope string) Event {
		return Event{Action: "budget.set", Outcome: auditevent.OutcomeREFUSED, Reason: "no", AccountID: account, ScopeID: scope, Actor: a}
	}
	different := []Event{
		event(&ada, "acc_1", "team_1"), event(through(auditevent.ViaKindCLIENT, "cli_1"), "acc_1", "team_1"), event(through(auditevent.ViaKindCLIENT, "cli_2"), "acc_1", "team_1"),
		event(through(auditevent.ViaKindTOKEN, "cli_1"), "acc_1", "team_1"), event(through(auditevent.ViaKindSUPPORT, "sup_1"), "acc_1", "team_1"),
		event(&ada, "acc_2", "team_1"), event(&ada, "acc_1", "team_2"),
		event(&Actor{Kind: auditevent.ActorKindKEY, ID: "usr_1", Name: "Ada"}, "acc_1", "team_1"),
	}
	for range 3 {
		for _, e := range different {
			r.Record(WithRequestID(t.Context(), "req_1"), e)
		}
	}
	r.Close()
	require.Len(t, b.rows, 2*len(different))
	for i, row := range b.rows {
		require.Equal(t, "req_1", row.requestID)
		if i >= len(different) {
			require.Equal(t, 2, row.Count)
		}
	}
}

// Somebody known can't fill the log by being refused over and over in other
// words, and takes nobody else's place.
func TestOneSubjectCantFloodTheLog(t *testing.T) {
	t.Parallel()
	b, r := newBook()
	for i := range 5 * manyOfOne {
		e := refused(fmt.Sprint("field", i), "no")
		e.Actor = &Actor{Kind: auditevent.ActorKindUSER, ID: "usr_1", Name: "Ada"}
		r.Record(t.Context(), e)
	}
	e := refused("field", "no")
	e.Actor = &Actor{Kind: auditevent.ActorKindUSER, ID: "usr_2", Name: "Bob"}
	r.Record(t.Context(), e)
	r.Close()
	require.Len(t, b.rows, manyOfOne+3)
	require.Equal(t, "many", b.rows[manyOfOne].TargetName)
	require.Equal(t, "Ada", b.rows[manyOfOne].Actor.Name)
	require.Equal(t, "Bob", b.rows[manyOfOne+1].Actor.Name)
	require.Equal(t, 4*manyOfOne-1, b.rows[manyOfOne+2].Count)
	require.Empty(t, r.by)
}

// What doesn't fit is counted, not lost.
func TestRefusalsBeyondTheQueueAreCounted(t *testing.T) {
	t.Parallel()
	b := &book{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	gate := make(chan struct{}) // where the writer waits
	r := NewRefusals(func(ctx context.Context, e Event) error { <-gate; return b.write(ctx, e) }, b.clock, slog.New(slog.DiscardHandler))
	for i := range refusalQueue + 10 {
		r.Record(t.Context(), refused(fmt.Sprint("x", i), "wrong"))
	}
	close(gate)
	for len(r.queue) > 0 {
		time.Sleep(time.Millisecond)
	}
	r.minutePasses(b)
	r.Close()
	require.Len(t, b.rows, refusalQueue+10)
}
