package guardrail

import (
	"context"

	"github.com/alchemi/cockpit/internal/detect"
)

// Flow filters one text that comes in pieces. Where an outside service is asked
// too, the text is held back until it has answered: by windows of 4 kB.
type Flow struct {
	look   *Look
	stream *detect.Stream
	held   string
	whole  bool
}

// Flow begins a text that comes in pieces. All flows of a look end together: a
// rule that blocks one blocks all.
func (l *Look) Flow() *Flow {
	f := &Flow{look: l}
	if l.filter != nil {
		f.stream = l.filter.Stream()
	}
	return f
}

// Write takes a piece and returns what may go on by now. Ask the look's Refusal
// after it.
func (f *Flow) Write(ctx context.Context, piece string) string {
	if f.whole {
		f.keep(piece)
		return ""
	}
	if f.stream != nil {
		piece = f.stream.Write(piece)
		f.look.note(f.stream)
	}
	return f.release(ctx, piece, false)
}

// Close returns the rest.
func (f *Flow) Close(ctx context.Context) string {
	piece := ""
	if f.whole {
		piece = f.all()
	}
	if f.stream != nil {
		piece = f.stream.Close()
		f.look.note(f.stream)
	}
	return f.release(ctx, piece, true)
}

func (f *Flow) release(ctx context.Context, piece string, final bool) string {
	l := f.look
	if len(l.moderated) == 0 {
		return piece
	}
	if f.held += piece; l.failure != nil || f.held == "" || !final && l.blocked == nil && len(f.held) < moderationWindow {
		return ""
	}
	out := f.held
	f.held = ""
	if l.failure = l.moderate(ctx, out); l.failure != nil {
		return ""
	}
	return out
}
