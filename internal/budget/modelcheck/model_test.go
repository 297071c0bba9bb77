package modelcheck

import (
	"hash/maphash"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// found is what a walk came upon.
type found struct {
	states   int
	complete bool
	wrong    string
	trace    []string
}

// walk goes through states breadth-first, so that the first trace found is a
// shortest one. It keeps a hash of each state it has seen.
func walk(r rules, b bounds, most int) found {
	c := &checker{rules: r, bounds: b}
	seed := maphash.MakeSeed()
	type came struct {
		from  int32
		label string
	}
	first := start(b)
	seen := map[uint64]struct{}{maphash.Comparable(seed, first): {}}
	way := []came{{from: -1}}
	trace := func(i int32) (out []string) {
		for ; i > 0; i = way[i].from {
			out = append([]string{way[i].label}, out...)
		}
		return out
	}
	type at struct {
		state
		i int32
	}
	for now := []at{{first, 0}}; len(now) > 0; {
		var later []at
		for k := range now {
			s := &now[k]
			for _, next := range c.next(&s.state) {
				h := maphash.Comparable(seed, next.state)
				if _, known := seen[h]; known {
					continue
				}
				seen[h] = struct{}{}
				i := int32(len(way)) //nolint:gosec // bounded by most
				way = append(way, came{s.i, next.label})
				if wrong := c.check(&next.state); wrong != "" {
					return found{states: len(way), wrong: wrong, trace: trace(i)}
				}
				if len(way) >= most {
					return found{states: len(way)}
				}
				later = append(later, at{next.state, i})
			}
		}
		now = later
	}
	return found{states: len(way), complete: true}
}

// states is how many states a walk looks at: a share of MODELCHECK_STATES, or of
// what a slow machine does in less than a minute.
func states(t *testing.T, share int) int {
	most := 1_000_000
	if testing.Short() {
		most = 100_000
	}
	if v := os.Getenv("MODELCHECK_STATES"); v != "" {
		var err error
		most, err = strconv.Atoi(v)
		require.NoError(t, err)
	}
	return most / share
}

// Whatever happens in whatever order, within bounds, no state breaks a promise.
func TestProtocolKeepsItsPromises(t *testing.T) {
	for _, run := range []struct {
		name string
		rules
		bounds
		share int
	}{
		{"journal", rules{}, bounds{calls: 2, crashes: 2, lapses: 1}, 3},
		{"journal, three calls", rules{}, bounds{calls: 3, crashes: 1, lapses: 1}, 6},
		{"strict", rules{strict: true}, bounds{calls: 2, crashes: 2, lapses: 1}, 3},
		{"strict, three calls", rules{strict: true}, bounds{calls: 3, crashes: 1, lapses: 1}, 6},
	} {
		t.Run(run.name, func(t *testing.T) {
			f := walk(run.rules, run.bounds, states(t, run.share))
			require.Empty(t, f.wrong, strings.Join(f.trace, "\n"))
			t.Log(f.states, "states, all of them:", f.complete)
		})
	}
}

// Each rule is there for a reason: without it the walk finds what goes wrong.
func TestEveryRuleIsNeeded(t *testing.T) {
	journal, strict := rules{}, rules{strict: true}
	for _, m := range []struct {
		rule  string
		of    rules
		broke func(*rules)
		bounds
		wrong string
	}{
		{"a round stands only where its node lives", strict, func(r *rules) { r.noFence = true }, bounds{1, 1, 1}, ""},
		{"a round whose answer was lost is asked for, not sent again (and numbers are compared)", journal, func(r *rules) { r.resend, r.noNumber = true, true }, bounds{1, 0, 0}, ""},
		{"a round whose answer was lost isn't taken to stand", journal, func(r *rules) { r.believe = true }, bounds{1, 0, 0}, ""},
		{"what ended comes back with its round, not before", journal, func(r *rules) { r.backEarly = true }, bounds{2, 0, 0}, ""},
		{"only what is free goes back", journal, func(r *rules) { r.giveAll = true }, bounds{2, 0, 0}, ""},
		{"a folded lease takes all with it", journal, func(r *rules) { r.foldLess = true }, bounds{1, 0, 0}, ""},
		{"a lease with running calls isn't folded", journal, func(r *rules) { r.foldHeld = true }, bounds{1, 0, 0}, ""},
		{"granted is what isn't leased, not what isn't spent", journal, func(r *rules) { r.freeOfSpent = true }, bounds{1, 0, 0}, ""},
		{"a released call leaves no row", journal, func(r *rules) { r.keepRow = true }, bounds{1, 0, 0}, ""},
		{"what the database has already, it keeps", journal, func(r *rules) { r.twice = true }, bounds{1, 1, 0}, ""},
		{"a journal's nodes are fenced before it is brought in", journal, func(r *rules) { r.replayUnfenced = true }, bounds{1, 1, 0}, ""},
		{"a journal's nodes aren't buried before it is brought in", journal, func(r *rules) { r.foldFirst = true }, bounds{2, 1, 0}, ""},
		{"what a given-up node had to write is brought in", strict, func(r *rules) { r.dropEnds = true }, bounds{1, 0, 1}, ""},
		{"a call unknown to the database is charged", journal, func(r *rules) { r.dropUnknown = true }, bounds{1, 1, 0}, ""},
		{"a hold is journaled before its call goes out", journal, func(r *rules) { r.noHoldRecord = true }, bounds{1, 1, 0}, ""},
		{"an end is journaled before it is answered", journal, func(r *rules) { r.noEndRecord = true }, bounds{1, 1, 0}, ""},
		{"the journal drops what stands, not what was sent", journal, func(r *rules) { r.dropEarly = true }, bounds{1, 1, 0}, ""},
		{"a dead node's holds are charged", strict, func(r *rules) { r.releaseDead = true }, bounds{1, 1, 0}, ""},
		{"admission is counted from when a round was sent", journal, func(r *rules) { r.byAnswer = true }, bounds{1, 0, 1}, ""},
		{"admission ends", journal, func(r *rules) { r.neverEnds = true }, bounds{1, 0, 1}, ""},
		{"strict calls wait for their round", strict, func(r *rules) { r.hasty = true }, bounds{1, 0, 0}, ""},
		{"a living node's holds are nobody else's", journal, func(r *rules) { r.buryLiving = true }, bounds{1, 0, 0}, ""},
		{"a dead node's lease is folded after its holds", strict, func(r *rules) { r.foldBeforeBury = true }, bounds{1, 1, 0}, ""},
		{"a new node begins without leases", journal, func(r *rules) { r.keepLease = true }, bounds{2, 0, 1}, ""},
	} {
		t.Run(m.rule, func(t *testing.T) {
			r := m.of
			m.broke(&r)
			f := walk(r, m.bounds, 2_000_000)
			require.NotEmpty(t, f.wrong, "nothing found in %d states", f.states)
			t.Logf("%s: %d steps, %d states", f.wrong, len(f.trace), f.states)
		})
	}
}
