package modelcheck

import "strconv"

// check says what is wrong with a state; "" if nothing is.
func (c *checker) check(s *state) string {
	if s.wrong != "" {
		return s.wrong
	}
	granted, spent, holding := s.folded, s.folded, int8(0)
	for n := range slots {
		for _, l := range s.leases[n] {
			granted, spent, holding = granted+l.granted, spent+l.spent, holding+l.held
			if l.spent+l.held > l.granted || l.spent < 0 || l.held < 0 {
				return "a lease has spent and holds more than was granted"
			}
		}
	}
	var ledger, open int8
	for h := range c.calls {
		ledger += max(0, s.charge[h])
		if s.rows.has(h) {
			open += held[h]
		}
	}
	switch {
	case granted != s.escrowed:
		return "what is escrowed isn't what was folded and is leased"
	case s.escrowed > limit && !s.late:
		return "more than the limit is escrowed"
	case ledger != spent:
		return "the counters aren't the ledger's"
	case open != holding:
		return "the leases' holds aren't the rows'"
	case ledger > limit && !s.late:
		return "more than the limit was charged"
	case s.late && c.strict:
		return "a strict call was charged above the limit"
	case s.late && !s.silenced:
		return "a call was charged above the limit though no node was given up for its silence"
	}
	for h := range c.calls {
		if c.strict && s.out.has(h) && s.act[h] > 0 && !s.rows.has(h) && s.charge[h] < s.act[h] {
			return "a strict call went out that the database doesn't know of"
		}
	}
	if c.quiet(s) {
		return c.final(s)
	}
	return ""
}

// quiet tells that nothing is left to be done: no hold, no lease, no round, no
// journal.
func (c *checker) quiet(s *state) bool {
	for n := range slots {
		p := &s.procs[n]
		if p.fresh|p.over|p.amends|p.replay != 0 || p.sent.where != idle || s.ghosts[n].where != idle {
			return false
		}
		for _, l := range s.leases[n] {
			if l.row {
				return false
			}
		}
	}
	for h := range c.calls {
		if s.at[h] == admitted || s.at[h] == running {
			return false
		}
		// The journal of a process that lives on is dropped with its round; a dead
		// one's is there to be brought in.
		if s.journal[h] != nothing && !s.procs[s.slot[h]].up {
			return false
		}
	}
	return s.rows == 0
}

// final: every call that has gone out is charged what it used, or in full where
// nobody can tell.
func (c *checker) final(s *state) string {
	if s.escrowed != s.folded {
		return "something stays escrowed for good"
	}
	for h := range c.calls {
		charged := max(0, s.charge[h])
		switch {
		case !s.out.has(h):
			if charged > 0 && s.at[h] != aborted && !s.lost.has(h) {
				return "a call that never went out was charged"
			}
		case charged < s.act[h]:
			return "a call's charge was lost"
		case s.at[h] == ended && charged != s.act[h] && (!c.strict || !s.lost.has(h)):
			return "call " + strconv.Itoa(h) + " was charged more than it used, though its end was known"
		}
	}
	return ""
}
