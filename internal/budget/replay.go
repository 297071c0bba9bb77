package budget

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"slices"
)

// maxSlots bounds how many replicas can share a journal's directory.
const maxSlots = 64

// openJournal brings in what processes left in the journals of the directory
// that live no more, and takes the first of them for this one.
func (e *Engine) openJournal(ctx context.Context) error {
	for slot := range maxSlots {
		j, taken, err := lockJournal(e.dir, slot)
		if err != nil {
			return err
		}
		if taken {
			continue
		}
		left, err := e.replay(ctx, j)
		if err != nil {
			return errors.Join(err, j.close())
		}
		switch {
		case e.journal == nil:
			e.journal = j
			if err = j.own(e.nodeID()); err == nil {
				err = j.rewrite()
			}
		case left == 0:
			err = errors.Join(remove(j.path), j.close())
		default:
			err = j.close()
		}
		if err != nil {
			return err
		}
		if _, err := os.Stat(e.slotAfter(slot)); errors.Is(err, fs.ErrNotExist) && e.journal != nil {
			return nil
		}
	}
	if e.journal == nil {
		return fmt.Errorf("budget: %d servers use the journals in %s already; choose another --data", maxSlots, e.dir)
	}
	return nil
}

func (e *Engine) slotAfter(slot int) string { return fmt.Sprintf("%s/calls-%d.lock", e.dir, slot+1) }

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// replay brings in a journal: what has ended is charged as it did, what was
// open in full. Whatever the database has already, it keeps. The journal's
// nodes are fenced first, for their process lives no more. It returns how many
// records the database didn't take.
func (e *Engine) replay(ctx context.Context, j *journal) (left int, err error) {
	text, err := os.ReadFile(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("budget: journal: %w", err)
	}
	ops, nodes := readJournal(text, j.live)
	for _, node := range nodes {
		if err := e.fence(ctx, node); err != nil {
			return 0, err
		}
	}
	ops, err = e.ofAccounts(ctx, ops)
	if err != nil {
		return 0, err
	}
	for _, o := range ops {
		if o.at.IsZero() {
			o.at = e.now()
		}
	}
	e.node.mu.Lock()
	e.node.amends = append(e.node.amends, ops...)
	e.node.mu.Unlock()
	e.amendQueued(ctx)
	for _, node := range nodes {
		if err := e.writeOne(ctx, "DELETE FROM nodes WHERE id = $1", node); err != nil {
			return 0, err
		}
	}
	e.node.mu.Lock()
	defer e.node.mu.Unlock()
	kept := map[string]bool{}
	for _, o := range e.node.amends {
		if j.live[o.id()] == nil {
			continue // of another journal
		}
		e.log.WarnContext(ctx, "a journaled charge can't be written yet and is kept", "charge", o.id(), "error", o.err)
		kept[o.id()] = true
	}
	for k := range j.live {
		if !kept[k] {
			delete(j.live, k)
		}
	}
	if len(ops) > 0 {
		e.log.InfoContext(ctx, "the journal was brought in", "calls", len(ops), "kept", len(kept))
	}
	return len(kept), nil
}

// fence lets no round of a dead process stand that is still on its way: its
// number jumps. The node's row stays until its journal is in, for without one
// every replica may free the lease that those calls were admitted from.
func (e *Engine) fence(ctx context.Context, node string) error {
	p := params{node}
	return e.writeOne(ctx, "UPDATE nodes SET seq = seq + 2, seen_at = "+e.seen(&p, stamp(e.now()))+" WHERE id = $1", p...)
}

// readJournal reads records up to the first torn one: the process was killed
// while it wrote it, so nobody went on from there.
func readJournal(text []byte, live map[string]*liveRecord) (ops []*op, nodes []string) {
	const header = 9
	byID := map[string]*op{}
	for len(text) >= header {
		size := int(binary.LittleEndian.Uint32(text))
		if size > len(text)-header || crc32.ChecksumIEEE(text[header-1:header+size]) != binary.LittleEndian.Uint32(text[4:]) {
			break
		}
		kind, record := text[header-1], text[header:header+size]
		text = text[header+size:]
		switch kind {
		case nodeRecord:
			if node := string(record); node != "" && !slices.Contains(nodes, node) {
				nodes = append(nodes, node)
			}
		case heldRecord:
			var r heldJSON
			h := &Hold{}
			if json.Unmarshal(record, &r) != nil || json.Unmarshal(r.Call, &h.Call) != nil {
				continue
			}
			h.ID, h.nodeID, h.cycles, h.Amount, h.Cost, h.HeldAt, h.encoded = r.ID, r.Node, r.Cycles, r.Amount, r.Cost, r.HeldAt, r.Call
			o := &op{do: doubt, hold: h}
			ops, byID[r.ID] = append(ops, o), o
			live[r.ID] = &liveRecord{hold: record}
			if !slices.Contains(nodes, r.Node) {
				nodes = append(nodes, r.Node)
			}
		case endedRecord:
			var r endedJSON
			if json.Unmarshal(record, &r) != nil || byID[r.ID] == nil {
				continue
			}
			o := byID[r.ID]
			o.do, o.cost, o.usage, o.outcome, o.at = r.Do, r.Cost, r.Usage, r.Outcome, r.At
			live[r.ID].end = record
		}
	}
	return ops, nodes
}

// ofAccounts leaves out calls of accounts that this database hasn't: the
// journal is another one's, or they were deleted.
func (e *Engine) ofAccounts(ctx context.Context, ops []*op) ([]*op, error) {
	known := map[string]bool{}
	var out []*op
	for _, o := range ops {
		account := o.hold.Call.AccountID
		if _, asked := known[account]; !asked {
			found := 0
			if err := e.query(ctx, e.db, "SELECT count(*) FROM accounts WHERE id = $1", []any{account}, scanInto(&found)); err != nil {
				return nil, err
			}
			known[account] = found > 0
		}
		if !known[account] {
			e.log.WarnContext(ctx, "a journaled call is of no account and is left out", "charge", o.id(), "account", account)
			continue
		}
		out = append(out, o)
	}
	return out, nil
}

// checkpoint drops from the journal what the database has, and writes it anew
// once it is large.
func (e *Engine) checkpoint() {
	if e.journal == nil || !e.journal.large() {
		return
	}
	if err := e.journal.rewrite(); err != nil {
		e.log.Error("the journal can't be written anew", "error", err)
	}
}
