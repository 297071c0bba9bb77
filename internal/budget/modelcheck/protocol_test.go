// Package modelcheck walks through every state that the lease protocol of
// package budget can get into within bounds: two replicas, up to three calls,
// one budget. It has nothing to do at run time.
package modelcheck

// The bounds. One budget stands for a path: all budgets of a path are taken or
// none.
const (
	slots = 2 // processes
	lives = 3 // nodes that a process can be, one after the other
	calls = 3 // at most; a run may have fewer
	limit = 3
)

// held is what each call holds: two of them fit at once. It uses that or less;
// nothing means that it is released.
var held = [calls]int8{2, 1, 1}

type mask uint8

func (m mask) has(h int) bool      { return m&(1<<h) != 0 }
func (m mask) with(h int) mask     { return m | 1<<h }
func (m mask) without(h int) mask  { return m &^ (1 << h) }
func (m mask) but(other mask) mask { return m &^ other }

// Where a call is in its life.
const (
	unsent   = iota // nobody holds it
	admitted        // held in memory; it hasn't gone out
	running         // it has gone out
	ended           // its end is known to its process
	aborted         // its process died before it went out
	orphaned        // its process died while it ran
)

// What the journal says of a call.
const (
	nothing = iota
	holds
	ends
)

// Where a round is that was sent.
const (
	idle = iota
	onItsWay
	stands
	failed
	fenced
)

// state is the whole of database, processes, journals and network. It is
// comparable.
type state struct {
	// The database.
	escrowed, folded int8
	nodes            [slots][lives]node
	leases           [slots][lives]lease
	rows             mask        // of holds
	charge           [calls]int8 // what the ledger says; -1 nothing
	doubt            mask        // of charges: in full, for nobody could tell
	late             bool        // something was charged above the limit

	procs  [slots]proc
	ghosts [slots]round // sent by processes that are dead by now

	// Calls.
	at      [calls]int8
	slot    [calls]int8 // whose it is
	life    [calls]int8
	act     [calls]int8 // what it uses, once it has gone out
	out     mask        // has gone out
	lost    mask        // its end died with its process's memory
	journal [calls]int8

	crashes, lapses int8 // so far
	silenced        bool // a node was given up for its silence
	wrong           string
}

type node struct {
	lives bool
	seq   int8 // modulo four: no more are ever on their way
	// silent for so long that others may give it up.
	silent bool
}

type lease struct {
	row                  bool
	granted, spent, held int8
}

// proc is a process's memory.
type proc struct {
	up     bool
	life   int8
	closed bool // admission has ended, until a round gets through
	// The lease as admission sees it.
	leased               bool
	granted, spent, held int8
	endedHeld, endedCost int8

	fresh, written, over, amends, replay mask
	sent                                 round
}

func (p *proc) free() int8 { return p.granted - p.spent - p.held }

// round is one that was sent and not heard of yet.
type round struct {
	where      int8
	doubted    bool // its answer was lost
	stale      bool // the node may be given up since it was sent
	life, seq  int8
	fresh      mask // holds that it writes
	mine       mask // all holds that it took off the queue
	over, gone mask // ends that it writes, rows that it deletes
	moved      bool
	spent      int8
	held       int8
	endedHeld  int8
	endedCost  int8
	give       int8
	fold       bool
	want       bool
	got        int8
}

// rules are the protocol, and what breaks it: each switch takes a rule away.
type rules struct {
	strict bool // calls go out once the database has their hold; no journal

	noFence, noNumber, resend, believe                  bool
	backEarly, giveAll, foldLess, foldHeld, freeOfSpent bool
	keepRow, twice, replayUnfenced, foldFirst, dropEnds bool
	dropUnknown, noHoldRecord, noEndRecord, dropEarly   bool
	releaseDead, byAnswer, neverEnds, hasty, buryLiving bool
	foldBeforeBury, keepLease                           bool
}

// bounds of a run.
type bounds struct{ calls, crashes, lapses int }

type step struct {
	state
	label string
}

type checker struct {
	rules
	bounds
	out []step
}

func (c *checker) add(s state, label string) { c.out = append(c.out, step{s, label}) }

func start(b bounds) state {
	var s state
	for h := range s.charge {
		s.charge[h] = -1
	}
	for n := range slots {
		s.procs[n].up = true
		s.nodes[n][0].lives = true
	}
	return s
}

var names = [slots]string{"A", "B"}

// next are the states that one step leads to.
func (c *checker) next(s *state) []step {
	c.out = c.out[:0]
	for n := range slots {
		p := &s.procs[n]
		c.database(s, n, &p.sent, false)
		c.database(s, n, &s.ghosts[n], true)
		c.giveUp(s, n)
		if !p.up {
			c.restart(s, n)
			continue
		}
		if int(s.crashes) < c.crashes {
			t := *s
			t.crash(n)
			c.add(t, "crash "+names[n])
		}
		// Time passes: the node ends admission by itself, and then others may give
		// it up.
		if nd := s.nodes[n][p.life]; int(s.lapses) < c.lapses && nd.lives && !nd.silent {
			t := *s
			t.lapses++
			t.nodes[n][p.life].silent = true
			t.procs[n].closed = !c.neverEnds
			t.procs[n].sent.stale = true
			c.add(t, "silence of "+names[n])
		}
		c.send(s, n)
		c.hear(s, n)
		c.correct(s, n)
	}
	for h := range c.calls {
		c.call(s, h)
	}
	return c.out
}

// crash takes a process with all that it remembers; what it has sent may still
// come through.
func (s *state) crash(n int) {
	s.crashes++
	p := &s.procs[n]
	if p.sent.where == onItsWay {
		s.ghosts[n] = p.sent
	}
	for h := range calls {
		if int(s.slot[h]) != n {
			continue
		}
		switch s.at[h] {
		case admitted:
			s.at[h] = aborted
		case running:
			s.at[h] = orphaned
		case ended:
			if p.over.has(h) || p.amends.has(h) || p.sent.over.has(h) {
				s.lost = s.lost.with(h)
			}
		}
	}
	*p = proc{life: p.life}
}

// restart: a process is another node than before. Its journal's nodes are
// fenced, and what they held and charged is brought in.
func (c *checker) restart(s *state, n int) {
	p := s.procs[n]
	if p.life+1 == lives {
		return
	}
	t := *s
	q := proc{up: true, life: p.life + 1}
	t.nodes[n][q.life].lives = true
	for h := range calls {
		if t.at[h] != unsent && int(t.slot[h]) == n && t.journal[h] != nothing {
			q.replay = q.replay.with(h)
		}
	}
	if !c.strict && !c.replayUnfenced {
		for k := range q.life {
			t.fence(n, int(k), c.foldFirst || q.replay == 0)
		}
	}
	t.procs[n] = q
	c.add(t, "restart "+names[n])
}

// fence lets no round of a node stand any more: its number jumps. Deleted, its
// holds are anybody's to charge, and its leases to fold.
func (s *state) fence(n, k int, remove bool) {
	nd := &s.nodes[n][k]
	if !nd.lives {
		return
	}
	nd.seq, nd.silent = -1, false
	if remove {
		*nd = node{}
	}
}

// giveUp deletes the row of a node that was silent, and buries dead ones: their
// holds are charged in full, then their leases are folded. Any process does.
func (c *checker) giveUp(s *state, n int) {
	if !s.procs[0].up && !s.procs[1].up {
		return
	}
	for k := range lives {
		nd := s.nodes[n][k]
		dead := !s.procs[n].up || int(s.procs[n].life) != k
		if nd.lives && nd.seq >= 0 && (nd.silent || dead) {
			t := *s
			t.nodes[n][k] = node{}
			t.silenced = true
			c.add(t, "give up "+names[n])
		}
		if nd.lives && !c.buryLiving {
			continue
		}
		open := false
		for h := range c.calls {
			if s.rows.has(h) && int(s.slot[h]) == n && int(s.life[h]) == k {
				open = true
				t := *s
				cost := held[h]
				if c.releaseDead {
					cost = 0
				}
				c.amend(&t, h, cost, true)
				c.add(t, "charge a dead node's hold")
			}
		}
		if l := s.leases[n][k]; l.row && !nd.lives && (!open || c.foldBeforeBury) {
			t := *s
			t.escrowed -= l.granted - l.spent
			t.folded += l.spent
			t.leases[n][k] = lease{}
			c.add(t, "fold a dead node's lease")
		}
	}
}

// database applies a round, or loses it.
func (c *checker) database(s *state, n int, r *round, ghost bool) {
	if r.where != onItsWay {
		return
	}
	at := func(t *state) *round {
		if ghost {
			return &t.ghosts[n]
		}
		return &t.procs[n].sent
	}
	end := func(t *state, where int8) {
		if ghost {
			t.ghosts[n] = round{}
			return
		}
		at(t).where = where
	}
	t := *s
	end(&t, failed)
	c.add(t, "round of "+names[n]+" fails")

	nd := s.nodes[n][r.life]
	if !nd.lives && !c.noFence || !c.noNumber && nd.lives && nd.seq != (r.seq+3)%4 {
		t = *s
		end(&t, fenced)
		c.add(t, "round of "+names[n]+" is fenced")
		return
	}
	free := int8(limit) - s.escrowed
	if c.freeOfSpent { // what others have leased and not spent is taken to be free
		free = limit - s.folded
		for _, ls := range s.leases {
			for _, l := range ls {
				free -= l.spent + l.held
			}
		}
	}
	least := int8(0)
	if r.want && free > 0 {
		least = 1
	}
	for got := least; got == least || r.want && got <= free; got++ {
		t = *s
		c.apply(&t, n, at(&t), got)
		end(&t, stands)
		c.add(t, "round of "+names[n]+" stands")
	}
}

func (c *checker) apply(s *state, n int, r *round, got int8) {
	k := r.life
	if s.nodes[n][k].lives {
		s.nodes[n][k].seq, s.nodes[n][k].silent = r.seq, false
	}
	l := &s.leases[n][k]
	r.got = got
	s.escrowed += got
	fold := r.fold && !r.want && l.row
	switch {
	case fold:
		back := l.granted - r.spent
		if c.foldLess {
			back = r.give
		}
		s.escrowed -= back
		s.folded += r.spent
		*l = lease{}
	case l.row:
		s.escrowed -= r.give
		l.granted += got - r.give
		if r.moved {
			l.spent, l.held = r.spent, r.held
		}
	case got > 0:
		*l = lease{row: true, granted: got}
		if r.moved {
			l.spent, l.held = r.spent, r.held
		}
	}
	r.fold = fold
	for h := range calls {
		if r.gone.has(h) && (!c.keepRow || s.act[h] > 0) {
			s.rows = s.rows.without(h)
		}
		if r.fresh.has(h) {
			s.rows = s.rows.with(h)
		}
		if r.over.has(h) && s.act[h] > 0 {
			s.write(h, s.act[h], false)
		}
	}
}

// write puts a charge into the ledger, which has one line for each call.
func (s *state) write(h int, cost int8, doubt bool) {
	if s.charge[h] >= 0 {
		s.wrong = "a call was charged twice"
	}
	s.charge[h] = cost
	if doubt {
		s.doubt = s.doubt.with(h)
	}
}

// amend ends a hold whose node is no more, or corrects what was charged.
func (c *checker) amend(s *state, h int, cost int8, doubt bool) {
	l := &s.leases[s.slot[h]][s.life[h]]
	known := s.rows.has(h)
	switch {
	case s.charge[h] >= 0 && !known && !c.twice:
		if !doubt && s.doubt.has(h) && cost < s.charge[h] {
			back := s.charge[h] - cost
			s.escrowed -= back
			s.folded -= back
			s.charge[h] = cost
		}
		return
	case !known && (cost == 0 || c.dropUnknown):
		return
	}
	rest := cost
	if l.row {
		if known {
			l.held -= held[h]
		}
		l.spent += cost
		rest = max(0, l.spent+l.held-l.granted)
		l.granted += rest
	}
	s.rows = s.rows.without(h)
	s.late = s.late || rest > max(0, limit-s.escrowed)
	s.escrowed += rest
	if !l.row {
		s.folded += rest
	}
	if cost > 0 {
		s.write(h, cost, doubt)
	}
}

// send takes what waits off a process's queues and sends it as one round. What is
// free may go back with it: others want it, the lease lies idle or its cycle is
// over; the model doesn't ask why.
func (c *checker) send(s *state, n int) {
	p := &s.procs[n]
	if p.sent.where != idle {
		return
	}
	for _, back := range []bool{false, true} {
		for _, want := range []bool{false, true} {
			r := round{where: onItsWay, life: p.life, seq: (s.nodes[n][p.life].seq + 1) % 4, want: want}
			if !s.nodes[n][p.life].lives {
				r.seq = 1
			}
			r.mine, r.over = p.fresh, p.over
			r.fresh = p.fresh.but(p.over)
			r.gone = p.over & p.written
			r.moved = p.leased || p.held+p.spent > 0
			r.endedHeld, r.endedCost = p.endedHeld, p.endedCost
			r.spent, r.held = p.spent+p.endedCost, p.held-p.endedHeld
			if back {
				if r.give = max(0, p.free()); c.giveAll {
					r.give += p.endedHeld
				}
				r.fold = p.leased && (r.held == 0 || c.foldHeld)
				if r.give == 0 && !r.fold {
					continue
				}
			}
			if want && p.free() >= c.waits(s) {
				continue
			}
			if !back && !want && r.mine|r.over == 0 && !s.nodes[n][p.life].silent && !p.closed && s.nodes[n][p.life].lives {
				continue // nothing to say, and nobody waits to hear that it lives
			}
			t := *s
			q := &t.procs[n]
			q.granted -= r.give
			q.fresh, q.over = 0, 0
			q.sent = r
			if c.dropEarly {
				t.forget(r.over)
			}
			c.add(t, "round of "+names[n]+label(back, want))
		}
	}
}

func label(back, want bool) string {
	switch {
	case back && want:
		return " gives back and asks"
	case back:
		return " gives back"
	case want:
		return " asks"
	}
	return ""
}

// waits is what the next call needs to be admitted; 0 if none is left.
func (c *checker) waits(s *state) int8 {
	for h := range c.calls {
		if s.at[h] == unsent {
			return held[h]
		}
	}
	return 0
}

// forget drops from the journal what the database has.
func (s *state) forget(m mask) {
	for h := range calls {
		if m.has(h) {
			s.journal[h] = nothing
		}
	}
}

// hear: the answer comes, or is lost and asked for. The question waits for a
// round that is still on its way.
func (c *checker) hear(s *state, n int) {
	p := &s.procs[n]
	r := p.sent
	if r.where == idle {
		return
	}
	if !r.doubted && r.where != fenced { // the connection breaks
		t := *s
		q := &t.procs[n]
		q.sent.doubted = true
		if c.strict { // those who wait for it are told so, and give up
			for h := range c.calls {
				if r.fresh.has(h) && t.at[h] == admitted {
					t.end(n, h, c)
				}
			}
		}
		c.add(t, "the answer to "+names[n]+" is lost")
	}
	if r.doubted && c.believe {
		t := *s
		t.ghostly(n)
		t.stands(n, c)
		c.add(t, names[n]+" takes it to stand")
		return
	}
	if r.doubted && c.resend {
		t := *s
		t.ghostly(n)
		t.fails(n)
		c.add(t, names[n]+" sends it again")
		return
	}
	t := *s
	switch r.where {
	case onItsWay:
		return
	case stands:
		t.stands(n, c)
	case failed:
		t.fails(n)
	case fenced:
		if p.life+1 == lives {
			return
		}
		t.outlaw(n, c)
	}
	c.add(t, names[n]+" hears of its round")
}

// ghostly leaves a round to itself whose process doesn't ask for it.
func (s *state) ghostly(n int) {
	if s.procs[n].sent.where == onItsWay {
		s.ghosts[n] = s.procs[n].sent
	}
}

func (s *state) stands(n int, c *checker) {
	p := &s.procs[n]
	r := p.sent
	p.held -= r.endedHeld
	p.endedHeld -= r.endedHeld
	p.spent += r.endedCost
	p.endedCost -= r.endedCost
	p.granted += r.got
	p.leased = p.leased || r.got > 0
	if r.fold {
		p.granted, p.spent, p.leased = 0, 0, false
	}
	p.written = (p.written | r.fresh).but(r.over)
	p.closed = p.closed && r.stale && !c.byAnswer
	s.forget(r.over)
	p.sent = round{}
}

func (s *state) fails(n int) {
	p := &s.procs[n]
	r := p.sent
	p.fresh |= r.mine
	p.over |= r.over
	p.granted += r.give
	p.sent = round{}
}

// outlaw: the node was given up. It registers anew; what has ended meanwhile
// corrects what others have charged.
func (s *state) outlaw(n int, c *checker) {
	p := &s.procs[n]
	r := p.sent
	q := proc{up: true, life: p.life + 1, amends: p.amends | p.over, replay: p.replay}
	if c.keepLease {
		q.granted, q.spent, q.held, q.leased = p.granted, p.spent, p.held, p.leased
	}
	if !c.dropEnds {
		q.amends |= r.over
	}
	if c.strict { // they never went out, and are admitted anew
		for h := range calls {
			if (r.mine | p.fresh).has(h) && s.at[h] == admitted && int(s.slot[h]) == n {
				s.at[h] = unsent
			}
		}
	}
	s.nodes[n][q.life] = node{lives: true}
	*p = q
}

// correct runs amendments: of calls whose node was given up, and of the journal.
func (c *checker) correct(s *state, n int) {
	p := &s.procs[n]
	for h := range c.calls {
		if p.amends.has(h) {
			for _, heard := range []bool{true, false} { // it may be run again
				t := *s
				c.amend(&t, h, t.act[h], false)
				if heard {
					t.procs[n].amends = p.amends.without(h)
					t.forget(mask(0).with(h))
				} else if t == *s {
					continue
				}
				c.add(t, names[n]+" corrects a charge")
			}
		}
		if p.replay.has(h) {
			for _, heard := range []bool{true, false} {
				t := *s
				if s.journal[h] == ends {
					c.amend(&t, h, t.act[h], false)
				} else {
					c.amend(&t, h, held[h], true)
				}
				if heard {
					q := &t.procs[n]
					q.replay = p.replay.without(h)
					t.forget(mask(0).with(h))
					if q.replay == 0 { // all is in: its nodes are anybody's to bury
						for k := range q.life {
							if t.nodes[n][k].seq < 0 {
								t.nodes[n][k] = node{}
							}
						}
					}
				} else if t == *s {
					continue
				}
				c.add(t, names[n]+" brings in its journal")
			}
		}
	}
}

// call moves a call on.
func (c *checker) call(s *state, h int) {
	n := int(s.slot[h])
	switch s.at[h] {
	case unsent:
		if h > 0 && s.at[h-1] == unsent {
			return // they come one after the other
		}
		for n := range slots {
			p := &s.procs[n]
			if !p.up || p.closed || p.free() < held[h] || p.replay != 0 {
				continue
			}
			t := *s
			q := &t.procs[n]
			q.held += held[h]
			q.fresh = q.fresh.with(h)
			t.at[h], t.slot[h], t.life[h] = admitted, int8(n), p.life
			if nd := s.nodes[n][p.life]; !nd.lives || nd.seq < 0 {
				t.wrong = "a node that was given up admits a call"
			}
			c.add(t, "admit a call on "+names[n])
		}
	case admitted:
		if c.strict && !c.hasty && !s.procs[n].written.has(h) {
			return
		}
		for cost := int8(0); cost <= held[h]; cost++ {
			t := *s
			t.at[h], t.act[h], t.out = running, cost, t.out.with(h)
			if !c.strict && !c.noHoldRecord {
				t.journal[h] = holds
			}
			c.add(t, "it goes out")
		}
	case running:
		t := *s
		t.end(n, h, c)
		c.add(t, "it ends")
	}
}

// end puts down what a call used, and queues it.
func (s *state) end(n, h int, c *checker) {
	p := &s.procs[n]
	s.at[h] = ended
	if !c.strict && !c.noEndRecord && s.journal[h] == holds {
		s.journal[h] = ends
	}
	if s.life[h] != p.life {
		p.amends = p.amends.with(h)
		return
	}
	p.over = p.over.with(h)
	p.endedCost += s.act[h]
	if c.backEarly {
		p.held -= held[h]
	} else {
		p.endedHeld += held[h]
	}
}
