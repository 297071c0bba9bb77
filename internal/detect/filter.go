package detect

// Filter is all rules that look at texts of one direction, as one. It may be
// used by many at a time.
type Filter struct {
	rules   []*Rule
	program *program
}

// NewFilter makes the filter of some presets' rules; nil when none of them looks
// at that direction.
func NewFilter(d Direction, rules []*Rule) (*Filter, error) {
	f := &Filter{}
	var patterns []pattern
	for _, r := range rules {
		if r.Direction.applies(d) {
			f.rules, patterns = append(f.rules, r), append(patterns, r.compiled)
		}
	}
	if len(f.rules) == 0 {
		return nil, nil
	}
	var err error
	f.program, err = link(patterns)
	return f, err
}

// Stream begins a text that comes in pieces.
func (f *Filter) Stream() *Stream {
	n := len(f.rules)
	return &Stream{f: f, p: f.program, limit: -1, ended: make([]int, n), exempt: make([]int, n), counts: make([]int, n), flagged: make([]bool, n)}
}

// Text filters a whole text. Of a text that is blocked, what stands before the
// match is returned.
func (f *Filter) Text(text string) (clean string, s *Stream) {
	s = f.Stream()
	clean = s.Write(text)
	return clean + s.Close(), s
}
