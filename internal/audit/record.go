package audit

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Record is a sealed event as it was hashed, and as exports carry it: Event
// has the very bytes that the hash covers.
type Record struct {
	Seq   int64           `json:"seq"`
	Hash  string          `json:"hash"`
	Event json.RawMessage `json:"event"`
}

// sealed is what an event's hash covers: all that never changes, in this order.
type sealed struct {
	ID        string `json:"id"`
	AccountID string `json:"account"`
	Plane     string `json:"plane"`
	At        string `json:"at"`
	ActorKind string `json:"actorKind"`
	ActorID   string `json:"actorId"`
	ActorName string `json:"actorName"`
	// Left out where nobody acted through anything, as in events that were
	// sealed before these fields were there.
	ViaKind    string          `json:"viaKind,omitempty"`
	ViaID      string          `json:"viaId,omitempty"`
	ViaName    string          `json:"viaName,omitempty"`
	Action     string          `json:"action"`
	Outcome    string          `json:"outcome"`
	ScopeID    string          `json:"scopeId"`
	ScopePath  string          `json:"scopePath"`
	TargetID   string          `json:"targetId"`
	TargetName string          `json:"targetName"`
	Changes    json.RawMessage `json:"changes,omitempty"`
	Reason     string          `json:"reason"`
	DecisionID string          `json:"decisionId"`
	RequestID  string          `json:"requestId"`
	Count      int64           `json:"count"`

	seq  sql.NullInt64
	hash string
}

const sealedColumns = `id, account_id, plane, at, actor_kind, actor_id, actor_name, via_kind, via_id, via_name, action, outcome,
	scope_id, scope_path, target_id, target_name, changes, reason, decision_id, request_id, count, seq, hash`

func scanSealed(rows *sql.Rows) (out []sealed, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var e sealed
		var at time.Time
		var changes []byte
		if err := rows.Scan(&e.ID, &e.AccountID, &e.Plane, &at, &e.ActorKind, &e.ActorID, &e.ActorName, &e.ViaKind, &e.ViaID, &e.ViaName, &e.Action, &e.Outcome,
			&e.ScopeID, &e.ScopePath, &e.TargetID, &e.TargetName, &changes, &e.Reason, &e.DecisionID, &e.RequestID, &e.Count, &e.seq, &e.hash); err != nil {
			return nil, err
		}
		e.At = stamp(at)
		e.ViaKind = via(e.ViaKind)
		if e.Changes, err = canonical(changes); err != nil {
			return nil, fmt.Errorf("changes of %s: %w", e.ID, err)
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// stamp writes a time as it is hashed and signed.
func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// via is how the kind is hashed: NONE not at all. An empty one can't have been
// written, and must not pass for NONE.
func via(kind string) string {
	switch kind {
	case "NONE":
		return ""
	case "":
		return "EMPTY"
	}
	return kind
}

// canonical sorts the names and drops the blanks, whatever form the database
// keeps JSON in.
func canonical(text []byte) (json.RawMessage, error) {
	if len(text) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// text is what is hashed.
func (e sealed) text() (json.RawMessage, error) { return json.Marshal(e) }

// record is the event as it goes into exports.
func (e sealed) record() (Record, error) {
	text, err := e.text()
	return Record{Seq: e.seq.Int64, Hash: e.hash, Event: text}, err
}

// link is the hash of an event in the chain that ends in previous.
func link(previous string, text []byte) string {
	sum := sha256.Sum256(append([]byte(previous), text...))
	return hex.EncodeToString(sum[:])
}
