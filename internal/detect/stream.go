package detect

import (
	"unicode/utf8"
)

// maxFindings bounds how many findings of one text are listed; all are counted.
const maxFindings = 1000

// Finding is one place where a rule matched. It never holds the text.
type Finding struct {
	Rule *Rule
	// From and To are bytes of the text that was looked at.
	From, To int
}

// Stream filters one text that comes in pieces. What it lets out is the same
// however the text is cut. Make one with Filter.Stream.
type Stream struct {
	f    *Filter
	p    *program
	buf  []byte
	base int // the place of buf[0] in the text
	at   int // the next start, in buf
	prev uint8
	run  run
	out  []byte
	from int // buf[from:at] is clean and not yet in out

	regions []region
	// long is where matches are that have outgrown their window, longAt how far
	// they have been followed; limit is where the first of them ends.
	long     *state
	longAt   int
	limit    int
	limiting *Rule

	// Of each rule: where its last match ended, and what was exempt.
	ended, exempt []int
	flagged       []bool // matches that outgrew their window
	findings      []Finding
	counts        []int
	blocked       *Rule
}

// region is what becomes a mark.
type region struct {
	from, to int
	mark     string
	written  bool
}

// run follows the matches that begin at one place.
type run struct {
	begun, split bool
	pos          int // in buf
	state        *state
	ends         []ending
}

type ending struct{ rule, at int }

// Write takes a piece and returns what is clean by now. After a rule has
// blocked, nothing comes out any more.
func (s *Stream) Write(piece string) string {
	if s.blocked != nil {
		return ""
	}
	s.buf = append(s.buf, piece...)
	s.follow(false)
	s.advance(false)
	return s.take()
}

// Close returns the rest.
func (s *Stream) Close() string {
	if s.blocked != nil {
		return ""
	}
	s.follow(true)
	s.advance(true)
	return s.take()
}

// Blocked is the rule that ended the text; nil while none has.
func (s *Stream) Blocked() *Rule { return s.blocked }

// Findings lists where rules matched, at most a thousand places.
func (s *Stream) Findings() []Finding { return s.findings }

// Counts is how often each rule matched.
func (s *Stream) Counts(each func(r *Rule, n int)) {
	for i, n := range s.counts {
		if n > 0 {
			each(s.f.rules[i], n)
		}
	}
}

func (s *Stream) take() string {
	s.flush()
	out := string(s.out)
	s.out = s.out[:0]
	// What lies before the next start is of no use any more.
	if s.at > 0 {
		n := copy(s.buf, s.buf[s.at:])
		s.buf = s.buf[:n]
		s.base += s.at
		s.run.pos -= s.at
		s.at, s.from = 0, 0
	}
	return out
}

// flush puts out what is clean up to the next start.
func (s *Stream) flush() {
	s.out = append(s.out, s.buf[s.from:s.at]...)
	s.from = s.at
}

// advance decides about one start after the other, as far as it can.
func (s *Stream) advance(final bool) {
	for s.at < len(s.buf) {
		class, kind, size, whole := s.next(s.at, final)
		if !whole {
			return
		}
		end := s.base + s.at + size
		if s.limit >= 0 && end >= s.limit {
			s.block(s.limiting, s.base+s.at, s.limit)
			return
		}
		if s.long != nil && !final && end >= s.longAt {
			return // the rune may be the last of a match
		}
		if !s.run.begun {
			start := s.p.start[s.prev]
			first := s.p.step(start, class)
			if !first.to.dead() || len(first.matches) > 0 {
				s.run = run{begun: true, pos: s.at, state: start, ends: s.run.ends[:0]}
			}
		}
		if s.run.begun {
			if !s.pursue(final) {
				return
			}
			s.run.begun = false
			if s.judge(); s.blocked != nil {
				return
			}
		}
		s.pass(size)
		s.prev = kind
	}
}

// next reads the rune at a place of buf; whole is false where more of it may
// come.
func (s *Stream) next(at int, final bool) (class uint16, kind uint8, size int, whole bool) {
	if b := s.buf[at]; b < utf8.RuneSelf {
		class = s.p.ascii[b]
		return class, s.p.kinds[class], 1, true
	}
	if !final && !utf8.FullRune(s.buf[at:]) {
		return 0, 0, 0, false
	}
	r, size := utf8.DecodeRune(s.buf[at:])
	class = s.p.class(r)
	return class, s.p.kinds[class], size, true
}

// pass puts the rune at the start out, or the mark of the region it lies in.
func (s *Stream) pass(size int) {
	here := s.base + s.at
	for len(s.regions) > 0 && s.regions[0].to <= here {
		s.regions = s.regions[1:]
	}
	if len(s.regions) == 0 || here < s.regions[0].from {
		s.at += size
		return
	}
	s.flush()
	if r := &s.regions[0]; !r.written {
		s.out = append(s.out, r.mark...)
		r.written = true
	}
	s.at += size
	s.from = s.at
}

// pursue follows the matches from the start until all have ended; false where
// that needs more text.
func (s *Stream) pursue(final bool) bool {
	r := &s.run
	for !r.state.dead() {
		n := r.pos - s.at
		if n > Window && !r.split {
			r.split = true
			s.outgrow(s.p.only(r.state, false), r.pos, final)
			r.state = s.p.only(r.state, true)
			continue
		}
		if n > tallWindow {
			s.outgrow(r.state, r.pos, final)
			return true
		}
		class, size := s.p.end, 0
		if r.pos < len(s.buf) {
			var whole bool
			if class, _, size, whole = s.next(r.pos, final); !whole {
				return false
			}
		} else if !final {
			return false
		}
		st := s.p.step(r.state, class)
		for _, rule := range st.matches {
			r.end(rule, s.base+r.pos, s.f.rules[rule].check != nil)
		}
		if size == 0 {
			return true
		}
		r.state = st.to
		r.pos += size
	}
	return true
}

// end notes that a rule matches up to a place. The longest match counts, but
// for rules that check what they have found.
func (r *run) end(rule, at int, all bool) {
	if !all {
		for i := range r.ends {
			if r.ends[i].rule == rule {
				r.ends[i].at = at
				return
			}
		}
	}
	r.ends = append(r.ends, ending{rule, at})
}

// judge says what becomes of the matches that begin at the start.
func (s *Stream) judge() {
	here := s.base + s.at
	var redact []ending
	for i := range s.run.ends {
		// The longest first: the ends of a rule were noted in their order.
		e := s.run.ends[len(s.run.ends)-1-i]
		if e.at <= here || s.decided(e.rule, i) {
			continue
		}
		rule := s.f.rules[e.rule]
		found := string(s.buf[s.at : e.at-s.base])
		skip := 0
		if rule.check != nil {
			var ok bool
			if skip, ok = rule.check(found); !ok {
				continue
			}
		}
		s.run.ends[len(s.run.ends)-1-i].at = -e.at // decided
		if rule.exempts(found[skip:]) {
			s.exempt[e.rule] = max(s.exempt[e.rule], e.at)
		}
		if e.at <= s.exempt[e.rule] {
			continue
		}
		if rule.Action == Block {
			s.block(rule, here+skip, e.at)
			return
		}
		if here+skip >= s.ended[e.rule] {
			s.count(e.rule, here+skip, e.at)
		}
		s.ended[e.rule] = max(s.ended[e.rule], e.at)
		if rule.Action == Redact {
			redact = append(redact, ending{e.rule, e.at}, ending{skip, 0})
		}
	}
	for i := 0; i < len(redact); i += 2 {
		s.mark(region{from: here + redact[i+1].rule, to: redact[i].at, mark: s.f.rules[redact[i].rule].mark()})
	}
}

// decided tells whether a longer match of the rule has been taken already.
func (s *Stream) decided(rule, before int) bool {
	for i := range before {
		if e := s.run.ends[len(s.run.ends)-1-i]; e.rule == rule && e.at < 0 {
			return true
		}
	}
	return false
}

// mark adds a region; regions that overlap become one.
func (s *Stream) mark(r region) {
	kept := s.regions[:0:0]
	for _, o := range s.regions {
		if o.from < r.to && r.from < o.to {
			if o.from <= r.from {
				r.mark = o.mark
			}
			r = region{min(o.from, r.from), max(o.to, r.to), r.mark, o.written || r.written}
		} else {
			kept = append(kept, o)
		}
	}
	at := len(kept)
	for at > 0 && kept[at-1].from > r.from {
		at--
	}
	s.regions = append(kept[:at:at], append([]region{r}, kept[at:]...)...)
}

func (s *Stream) count(rule, from, to int) {
	s.counts[rule]++
	if len(s.findings) < maxFindings {
		s.findings = append(s.findings, Finding{s.f.rules[rule], from, to})
	}
}

func (s *Stream) block(rule *Rule, from, to int) {
	for i, r := range s.f.rules {
		if r == rule {
			s.count(i, from, to)
		}
	}
	s.flush()
	s.blocked = rule
}

// outgrow hands over the matches that are longer than their window. All that
// is known of them is where one ends: it is blocked there.
func (s *Stream) outgrow(st *state, pos int, final bool) {
	if st.dead() {
		return
	}
	if s.long == nil {
		s.long, s.longAt = st, s.base+pos
		s.follow(final)
		return
	}
	for at := s.base + pos; at < s.longAt; {
		class, _, size, _ := s.next(at-s.base, true)
		st = s.longStep(st, class, at)
		at += size
	}
	if s.long = s.p.both(s.long, st); final {
		s.longStep(st, s.p.end, s.base+len(s.buf))
	}
}

// follow goes on with long matches as far as there is text.
func (s *Stream) follow(final bool) {
	if s.long == nil {
		return
	}
	for s.longAt < s.base+len(s.buf) && !s.long.dead() {
		class, _, size, whole := s.next(s.longAt-s.base, final)
		if !whole {
			return
		}
		s.long = s.longStep(s.long, class, s.longAt)
		s.longAt += size
	}
	if final {
		s.longStep(s.long, s.p.end, s.longAt)
	}
	if s.long.dead() {
		s.long = nil
	}
}

func (s *Stream) longStep(st *state, class uint16, at int) *state {
	to := s.p.step(st, class)
	for _, i := range to.matches {
		if rule := s.f.rules[i]; rule.Action != Flag {
			if s.limit < 0 || at < s.limit {
				s.limit, s.limiting = at, rule
			}
		} else if !s.flagged[i] {
			s.flagged[i] = true
			s.counts[i]++
		}
	}
	return to.to
}
