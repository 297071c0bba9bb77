package detect

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

const (
	// Window is the longest match in bytes that is redacted or judged by itself;
	// a longer one of a rule that blocks or redacts is blocked.
	Window = 512
	// tallWindow is that of private keys.
	tallWindow = 8192
	// maxInstructions bounds one pattern's program, maxProgram that of all the
	// rules that hold together.
	maxInstructions = 5_000
	maxProgram      = 200_000
	// maxCells bounds the memory of an automaton: states times classes.
	maxCells = 1 << 18
)

// kinds of runes, as the assertions of patterns tell them apart.
const (
	beyond  uint8 = iota // before the text, or after it
	newline              // a line feed
	word                 // a letter, digit or underscore of ASCII
	other                // anything else
)

func kindOf(r rune) uint8 {
	switch {
	case r == '\n':
		return newline
	case syntax.IsWordChar(r):
		return word
	}
	return other
}

// sample is a rune of each kind, for asking which assertions hold.
var sample = [...]rune{beyond: -1, newline: '\n', word: 'a', other: ' '}

// program is all patterns as one automaton that is built while it is used: a
// state is where each pattern may be, after what was read since a start.
type program struct {
	insts []inst
	// starts are where the patterns begin.
	starts []uint32
	// tall tells of a pattern whether it has the large window.
	tall    []bool
	anyTall bool
	// ranges divide the runes into classes that no pattern tells apart.
	bounds []rune
	ascii  [utf8.RuneSelf]uint16
	kinds  []uint8 // of each class
	reps   []rune  // a rune of each class
	end    uint16  // the class of the text's end

	mu     sync.Mutex
	states map[string]*state
	cells  int
	start  [4]*state // by the kind of the rune before
}

// inst is an instruction of one of the patterns.
type inst struct {
	syntax.Inst
	rule int
}

// state is a set of instructions that wait for the next rune.
type state struct {
	pcs  []uint32
	prev uint8
	next []atomic.Pointer[step] // by class; nil in states that aren't kept
	// tallOnly and shortOnly are the state without the patterns of the other
	// window, made when first asked for.
	tallOnly, shortOnly atomic.Pointer[state]
}

func (s *state) dead() bool { return len(s.pcs) == 0 }

// step is where a rune leads, and which rules match up to before it.
type step struct {
	to      *state
	matches []int
}

// link makes one program of some patterns.
func link(patterns []pattern) (*program, error) {
	p := &program{states: map[string]*state{}}
	cuts := []rune{0, '\n', '\n' + 1, '0', '9' + 1, 'A', 'Z' + 1, '_', '_' + 1, 'a', 'z' + 1, utf8.MaxRune + 1}
	for i, pat := range patterns {
		base := uint32(len(p.insts))
		for _, in := range pat.prog.Inst {
			in.Out += base
			if in.Op == syntax.InstAlt || in.Op == syntax.InstAltMatch {
				in.Arg += base
			}
			cuts = append(cuts, cutsOf(&in)...)
			p.insts = append(p.insts, inst{in, i})
		}
		p.starts = append(p.starts, base+uint32(pat.prog.Start))
		p.tall = append(p.tall, pat.tall)
		p.anyTall = p.anyTall || pat.tall
	}
	if len(p.insts) > maxProgram {
		return nil, fmt.Errorf("the rules that hold together are too large: %d of %d instructions", len(p.insts), maxProgram)
	}
	slices.Sort(cuts)
	p.bounds = slices.Compact(cuts)
	for i, r := range p.bounds[:len(p.bounds)-1] {
		p.reps, p.kinds = append(p.reps, r), append(p.kinds, kindOf(r))
		for c := r; c < p.bounds[i+1] && c < utf8.RuneSelf; c++ {
			p.ascii[c] = uint16(i)
		}
	}
	p.end = uint16(len(p.reps))
	p.reps, p.kinds = append(p.reps, -1), append(p.kinds, beyond)
	for kind := range p.start {
		p.start[kind] = p.intern(slices.Clone(p.starts), uint8(kind))
	}
	return p, nil
}

// cutsOf are the runes at which what an instruction takes begins or ends.
func cutsOf(in *syntax.Inst) []rune {
	switch in.Op {
	case syntax.InstRune1, syntax.InstRune:
		var out []rune
		pairs := in.Rune
		if len(pairs) == 1 {
			pairs = []rune{pairs[0], pairs[0]}
			if syntax.Flags(in.Arg)&syntax.FoldCase != 0 {
				for _, r := range folds(pairs[0]) {
					out = append(out, r, r+1)
				}
			}
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			out = append(out, pairs[i], pairs[i+1]+1)
		}
		return out
	}
	return nil
}

func (p *program) class(r rune) uint16 {
	if r < utf8.RuneSelf {
		return p.ascii[r]
	}
	return uint16(sort.Search(len(p.bounds), func(i int) bool { return p.bounds[i] > r }) - 1)
}

// intern keeps one state of each kind, as long as there is room.
func (p *program) intern(pcs []uint32, prev uint8) *state {
	slices.Sort(pcs)
	pcs = slices.Compact(pcs)
	key := make([]byte, 0, 4*len(pcs)+1)
	for _, pc := range pcs {
		key = append(key, byte(pc), byte(pc>>8), byte(pc>>16))
	}
	key = append(key, prev)
	if s := p.states[string(key)]; s != nil {
		return s
	}
	s := &state{pcs: pcs, prev: prev}
	if p.cells+len(p.reps) <= maxCells {
		p.cells += len(p.reps)
		s.next = make([]atomic.Pointer[step], len(p.reps))
		p.states[string(key)] = s
	}
	return s
}

// step reads a rune of some class.
func (p *program) step(s *state, class uint16) *step {
	if s.next != nil {
		if known := s.next[class].Load(); known != nil {
			return known
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	w := walk{p: p, holds: syntax.EmptyOpContext(sample[s.prev], sample[p.kinds[class]]), rune: p.reps[class], seen: map[uint32]bool{}}
	for _, pc := range s.pcs {
		w.visit(pc)
	}
	slices.Sort(w.matches)
	made := &step{to: p.intern(w.next, p.kinds[class]), matches: slices.Compact(w.matches)}
	if s.next != nil {
		s.next[class].Store(made)
	}
	return made
}

// walk follows what reads nothing, and takes one rune.
type walk struct {
	p       *program
	holds   syntax.EmptyOp
	rune    rune
	seen    map[uint32]bool
	next    []uint32
	matches []int
}

func (w *walk) visit(pc uint32) {
	if w.seen[pc] {
		return
	}
	w.seen[pc] = true
	in := &w.p.insts[pc]
	switch in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		w.visit(in.Out)
		w.visit(in.Arg)
	case syntax.InstCapture, syntax.InstNop:
		w.visit(in.Out)
	case syntax.InstEmptyWidth:
		if syntax.EmptyOp(in.Arg)&^w.holds == 0 {
			w.visit(in.Out)
		}
	case syntax.InstMatch:
		w.matches = append(w.matches, in.rule)
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		if w.rune >= 0 && in.MatchRune(w.rune) {
			w.next = append(w.next, in.Out)
		}
	}
}

// only is the state without the patterns of the other window.
func (p *program) only(s *state, tall bool) *state {
	slot := &s.shortOnly
	if tall {
		slot = &s.tallOnly
	}
	if known := slot.Load(); known != nil {
		return known
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var pcs []uint32
	for _, pc := range s.pcs {
		if p.tall[p.insts[pc].rule] == tall {
			pcs = append(pcs, pc)
		}
	}
	made := p.intern(pcs, s.prev)
	slot.Store(made)
	return made
}

// both is the union of two states that stand at the same place.
func (p *program) both(a, b *state) *state {
	switch {
	case a == nil || a.dead():
		return b
	case b.dead():
		return a
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.intern(append(slices.Clone(a.pcs), b.pcs...), a.prev)
}
