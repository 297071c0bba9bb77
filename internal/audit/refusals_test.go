package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	for len(r.queue) > 0 {
		time.Sleep(time.Millisecond)
	}
	r.minutePasses(b)
	r.Close()
	require.LessOrEqual(t, len(b.rows), manySubjects+2)
	last := b.rows[len(b.rows)-1]
	require.Equal(t, "many", last.TargetName)
	require.Equal(t, 2*manySubjects-1, last.Count)
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
