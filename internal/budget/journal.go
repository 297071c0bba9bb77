package budget

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/alchemi/cockpit/internal/money"
)

// journal is a file that outlives this process: a record of each hold before
// its call goes out, and of its end before the answer does. Records are handed
// to the operating system one by one, so that a killed process loses none; they
// are dropped once the database has them.
type journal struct {
	lock *os.File
	path string

	mu   sync.Mutex
	file *os.File
	size int64
	// kept is how large it was when it was last written anew.
	kept int64
	buf  []byte
	// node is whose process writes it.
	node string
	// live are the records that the database may not have yet, by hold.
	live map[string]*liveRecord
}

type liveRecord struct{ hold, end []byte }

// rewriteAt is the size from which a journal is written anew without the
// records that the database has, once it has doubled since the last time.
const rewriteAt = 8 << 20

// The kinds of records.
const (
	nodeRecord  byte = 'N'
	heldRecord  byte = 'H'
	endedRecord byte = 'E'
)

// heldJSON and endedJSON are the records' contents.
type heldJSON struct {
	ID, Node     string
	Cycles       []string
	Amount, Cost money.Nano
	HeldAt       time.Time
	Call         json.RawMessage `json:",omitempty"`
}

type endedJSON struct {
	ID      string
	Do      action
	Cost    money.Nano
	Usage   Usage
	Outcome Outcome
	At      time.Time
}

// lockJournal takes the journal of a slot, unless another process has it.
func lockJournal(dir string, slot int) (j *journal, taken bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, fmt.Errorf("budget: journal: %w", err)
	}
	path := filepath.Join(dir, fmt.Sprintf("calls-%d", slot))
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("budget: journal: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, true, lock.Close()
	}
	return &journal{lock: lock, path: path + ".journal", live: map[string]*liveRecord{}}, false, nil
}

// own puts down whose journal it is by now, so that the next process knows of
// leases also where no call was held.
func (j *journal) own(node string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.node = node; j.file == nil {
		return nil // rewrite will
	}
	return j.append(nodeRecord, []byte(node))
}

func (j *journal) hold(h *Hold) error {
	record, err := json.Marshal(heldJSON{ID: h.ID, Node: h.nodeID, Cycles: h.cycles, Amount: h.Amount, Cost: h.Cost, HeldAt: h.HeldAt})
	if err != nil {
		return err
	}
	// Put in as it is: encoding it within would check and copy it once more.
	record = append(append(append(record[:len(record)-1], `,"Call":`...), h.encoded...), '}')
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.append(heldRecord, record); err != nil {
		return err
	}
	j.live[h.ID] = &liveRecord{hold: record}
	return nil
}

func (j *journal) end(o *op) error {
	record, err := json.Marshal(endedJSON{ID: o.hold.ID, Do: o.do, Cost: o.cost, Usage: o.usage, Outcome: o.outcome, At: o.at})
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.append(endedRecord, record); err != nil {
		return err
	}
	if l := j.live[o.hold.ID]; l != nil {
		l.end = record
	}
	return nil
}

// append writes a record in one call: its length, a checksum, and what it says.
func (j *journal) append(kind byte, record []byte) error {
	if j.file == nil {
		return os.ErrClosed
	}
	j.buf = frame(j.buf[:0], kind, record)
	n, err := j.file.Write(j.buf)
	if err != nil && n > 0 {
		// A torn record would hide all that follow it.
		err = errors.Join(err, j.file.Truncate(j.size))
	}
	if err == nil {
		j.size += int64(n)
	}
	return err
}

func frame(buf []byte, kind byte, record []byte) []byte {
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(record)))
	buf = append(buf, 0, 0, 0, 0, kind)
	start := len(buf) - 1
	buf = append(buf, record...)
	binary.LittleEndian.PutUint32(buf[start-4:], crc32.ChecksumIEEE(buf[start:]))
	return buf
}

// drop forgets what the database has by now.
func (j *journal) drop(ids []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, k := range ids {
		delete(j.live, k)
	}
}

// rewrite writes the journal anew, with the live records alone: a new file in
// the old one's place.
func (j *journal) rewrite() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	f, err := os.OpenFile(j.path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	all := frame(nil, nodeRecord, []byte(j.node))
	for _, l := range j.live {
		all = frame(all, heldRecord, l.hold)
		if l.end != nil {
			all = frame(all, endedRecord, l.end)
		}
	}
	_, err = f.Write(all)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(j.path+".new", j.path)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if j.file != nil {
		err = j.file.Close()
	}
	j.file, j.size, j.kept = f, int64(len(all)), int64(len(all))
	return err
}

func (j *journal) large() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size > max(rewriteAt, 2*j.kept)
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var err error
	if j.file != nil {
		err = j.file.Close()
		if len(j.live) == 0 {
			err = errors.Join(err, os.Remove(j.path))
		}
	}
	j.file = nil
	return errors.Join(err, j.lock.Close())
}
