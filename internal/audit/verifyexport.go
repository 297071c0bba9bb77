package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds a line of an export.
const maxLine = 16 << 20

// VerifyExport computes the chain of a whole NDJSON export anew, with nothing
// else at hand than the keys. An event that isn't what was sealed is named in
// an ErrBroken.
func VerifyExport(r io.Reader, t Trust) (Header, Verified, error) {
	x := &exportReader{lines: bufio.NewScanner(r), trust: t}
	x.lines.Buffer(nil, maxLine)
	v, err := x.verify()
	return x.header, v, err
}

type exportReader struct {
	lines  *bufio.Scanner
	n      int
	header Header
	trust  Trust
	chain  *chain
}

func (x *exportReader) verify() (Verified, error) {
	text, err := x.line()
	if err != nil {
		return Verified{}, err
	}
	var h headerLine
	if err := json.Unmarshal(text, &h); err != nil || h.Export == nil {
		return Verified{}, errors.New("audit: this is no NDJSON export of an audit log: its first line doesn't say so")
	}
	x.header = *h.Export
	if !x.header.Whole {
		return Verified{}, errors.New("audit: the export leaves events out; export the whole account without a filter to verify it")
	}
	var kept []Checkpoint
	for _, p := range x.trust.Kept {
		if p.AccountID == x.header.Account {
			kept = append(kept, p)
		}
	}
	if x.chain, err = begin(x.header.Account, x.trust.Keys, x.header.Anchor, kept); err != nil {
		return Verified{}, err
	}
	for {
		if text, err = x.line(); err != nil {
			return x.chain.verified(), err
		}
		var f footerLine
		if json.Unmarshal(text, &f) == nil && f.End != nil {
			return x.end(*f.End)
		}
		var r Record
		if err := json.Unmarshal(text, &r); err != nil {
			return x.chain.verified(), x.chain.broken(x.chain.at.seq+1, fmt.Sprintf("line %d can't be read", x.n))
		}
		if same, err := json.Marshal(r); err != nil || !bytes.Equal(same, text) {
			return x.chain.verified(), x.chain.broken(x.chain.at.seq+1, fmt.Sprintf("line %d isn't as it was exported", x.n))
		}
		if err := x.chain.next(r); err != nil {
			return x.chain.verified(), err
		}
	}
}

// line reads the next one; an export that ends before its last line was cut.
func (x *exportReader) line() ([]byte, error) {
	x.n++
	if x.lines.Scan() {
		return x.lines.Bytes(), nil
	}
	if err := x.lines.Err(); err != nil {
		return nil, fmt.Errorf("audit: line %d: %w", x.n, err)
	}
	if x.chain == nil {
		return nil, errors.New("audit: the export is empty")
	}
	return nil, x.chain.broken(x.chain.at.seq+1, "the export is cut off here")
}

// end compares what the last line says with what was read.
func (x *exportReader) end(f Footer) (Verified, error) {
	c := x.chain
	v, err := c.end()
	if err != nil {
		return v, err
	}
	switch p := f.Checkpoint; {
	case p == nil:
		return v, c.broken(c.at.seq, "the export carries no checkpoint at its end")
	case c.genuine(*p) != nil:
		return v, c.genuine(*p)
	case p.Seq > c.at.seq:
		return v, c.broken(c.at.seq+1, fmt.Sprintf("it is missing, and the checkpoint says that there were %d", p.Seq))
	case p.Seq < c.at.seq:
		return v, c.broken(p.Seq+1, "no checkpoint vouches for it")
	case p.Hash != c.at.hash:
		return v, c.broken(p.Seq, "the checkpoint there says something else: this event, or one before it, was made anew")
	case f.Events != v.Count() || x.header.UpTo != c.at.seq:
		return v, c.broken(c.at.seq, "the export says that it holds others")
	case x.header.Anchor != nil && c.pruned != x.header.Anchor.Seq:
		return v, c.broken(x.header.Anchor.Seq, "no event tells that everything up to it was deleted")
	case x.lines.Scan():
		return v, c.broken(c.at.seq+1, "something follows the end of the export")
	}
	v.Checkpoints++
	return v, nil
}
