package audit

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/alchemi/cockpit/ent"
)

// Format of an export.
type Format string

// The formats: a table for people, and lines that can be verified.
const (
	CSV    Format = "csv"
	NDJSON Format = "ndjson"
)

// Export writes a selection to a stream, a page at a time.
type Export struct {
	Client    *ent.Client
	Selection Selection
	Format    Format
	Header    Header
	// Checkpoint is the account's newest; at UpTo in a whole export.
	Checkpoint *Checkpoint
	// Still is asked before each page whether the reader may go on; nil: yes.
	Still func() error
}

// Header is the first line of an NDJSON export, under "export".
type Header struct {
	Account string    `json:"account"`
	Slug    string    `json:"slug"`
	Scope   string    `json:"scope"`
	At      time.Time `json:"at"`
	// UpTo is the newest number that was sealed when the export began.
	UpTo int64 `json:"upTo"`
	// Whole exports hold every event of the account and can be verified.
	Whole  bool              `json:"whole"`
	Filter map[string]string `json:"filter,omitempty"`
	// Anchor is the checkpoint that retention left.
	Anchor *Checkpoint `json:"anchor,omitempty"`
}

// Footer is the last line, under "end".
type Footer struct {
	Events     int64       `json:"events"`
	Checkpoint *Checkpoint `json:"checkpoint,omitempty"`
}

type headerLine struct {
	Export *Header `json:"export"`
}

type footerLine struct {
	End *Footer `json:"end"`
}

const exportPage = 1000

// Anchor is the checkpoint that an account's log begins behind; nil when
// nothing was deleted. ErrUnsettled asks to come again.
func Anchor(ctx context.Context, db querier, dialectName, account string) (*Checkpoint, error) {
	gone, sealed, err := pruned(ctx, db, dialectName, account)
	if err != nil || gone == 0 {
		return nil, wrap(err)
	}
	if !sealed {
		return nil, ErrUnsettled
	}
	at, err := checkpoints(ctx, db, dialectName, account, gone, gone)
	if err != nil {
		return nil, wrap(err)
	}
	return anchorOf(account, at, gone)
}

// ErrUnsettled says that events are just being deleted.
var ErrUnsettled = errors.New("audit: events are just being deleted")

// Newest is an account's newest checkpoint, nil without one.
func Newest(ctx context.Context, db querier, dialectName, account string) (*Checkpoint, error) {
	var seq int64
	if err := db.QueryRowContext(ctx, places(dialectName, "SELECT COALESCE(max(seq), 0) FROM audit_checkpoints WHERE account_id = ?"), account).Scan(&seq); err != nil || seq == 0 {
		return nil, wrap(err)
	}
	all, err := checkpoints(ctx, db, dialectName, account, seq, seq)
	if err != nil || len(all) == 0 {
		return nil, wrap(err)
	}
	return &all[0], nil
}

// Write streams the export; what it wrote is whole only without an error.
func (x Export) Write(ctx context.Context, w io.Writer) error {
	var buffer bytes.Buffer
	table := csv.NewWriter(&buffer)
	line := func(v any) error {
		text, err := json.Marshal(v)
		buffer.Write(append(text, '\n'))
		return err
	}
	var err error
	if x.Format == CSV {
		err = table.Write(columns)
	} else {
		err = line(headerLine{&x.Header})
	}
	if err != nil {
		return err
	}
	b := Bounds{Before: x.Header.UpTo + 1}
	if x.Header.Anchor != nil {
		b.After = x.Header.Anchor.Seq
	}
	var events int64
	for more := true; more; {
		if x.Still != nil {
			if err := x.Still(); err != nil {
				return err
			}
		}
		page, err := x.Selection.Page(ctx, x.Client, b, exportPage, false)
		if err != nil {
			return err
		}
		for _, e := range page.Rows {
			if x.Header.Whole && *e.Seq != b.After+1 {
				return fmt.Errorf("audit: event %d of %s is missing in an export", b.After+1, x.Header.Account)
			}
			b.After = *e.Seq
			events++
			s, err := sealedOf(e)
			if err != nil {
				return err
			}
			if x.Format == CSV {
				err = table.Write(s.row())
			} else {
				var r Record
				if r, err = s.record(); err == nil {
					err = line(r)
				}
			}
			if err != nil {
				return err
			}
		}
		b.After = max(b.After, page.Reached)
		if more = page.More; !more && x.Header.Whole && b.After != x.Header.UpTo {
			return fmt.Errorf("audit: event %d of %s is missing in an export", b.After+1, x.Header.Account)
		}
		if !more && x.Format == NDJSON {
			if err := line(footerLine{&Footer{Events: events, Checkpoint: x.Checkpoint}}); err != nil {
				return err
			}
		}
		table.Flush()
		if _, err := buffer.WriteTo(w); err != nil {
			return err
		}
	}
	return nil
}

// sealedOf is what an event's hash covers.
func sealedOf(e *ent.AuditEvent) (sealed, error) {
	changes, err := canonical(e.Changes)
	if err != nil {
		return sealed{}, fmt.Errorf("changes of %s: %w", e.ID, err)
	}
	s := sealed{ID: e.ID, AccountID: e.AccountID, Plane: string(e.Plane), At: stamp(e.At), ActorKind: string(e.ActorKind), ActorID: e.ActorID, ActorName: e.ActorName,
		ViaKind: via(string(e.ViaKind)), ViaID: e.ViaID, ViaName: e.ViaName, Action: e.Action, Outcome: string(e.Outcome), ScopeID: e.ScopeID, ScopePath: e.ScopePath,
		TargetID: e.TargetID, TargetName: e.TargetName, Changes: changes, Reason: e.Reason, DecisionID: e.DecisionID, RequestID: e.RequestID, Count: int64(e.Count), hash: e.Hash}
	if e.Seq != nil {
		s.seq.Int64, s.seq.Valid = *e.Seq, true
	}
	return s, nil
}

// columns of a table, in the order of row.
var columns = []string{"seq", "at", "actor kind", "actor", "actor id", "via kind", "via", "via id", "action", "outcome", "count", "target", "target id",
	"scope id", "scope path", "plane", "changes", "reason", "decision id", "request id", "id", "hash"}

func (e sealed) row() []string {
	out := []string{strconv.FormatInt(e.seq.Int64, 10), e.At, e.ActorKind, e.ActorName, e.ActorID, e.ViaKind, e.ViaName, e.ViaID, e.Action, e.Outcome,
		strconv.FormatInt(e.Count, 10), e.TargetName, e.TargetID, e.ScopeID, e.ScopePath, e.Plane, string(e.Changes), e.Reason, e.DecisionID, e.RequestID, e.ID, e.hash}
	for i, cell := range out {
		out[i] = Harmless(cell)
	}
	return out
}

// Harmless keeps spreadsheets from taking a text for a formula.
func Harmless(cell string) string {
	if cell != "" && bytes.ContainsRune([]byte("=+-@\t\r"), rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
