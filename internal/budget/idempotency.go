package budget

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
)

// IdempotencyKey is what a client calls a request by, so that it runs once
// however often it is sent.
type IdempotencyKey struct {
	// Principal is who sent it: the id of a virtual key or a user.
	Principal string
	// Key and Request are hashes of the client's key and of the whole request.
	Key, Request string
}

// Codes of calls whose idempotency key is taken.
const (
	// KeyInUse: the first call with the key still runs.
	KeyInUse fault.Code = "IDEMPOTENCY_KEY_IN_USE"
	// KeyReused: the first call with the key was another request.
	KeyReused fault.Code = "IDEMPOTENCY_KEY_REUSED"
	// KeyUsed: the first call with the key was charged.
	KeyUsed fault.Code = "IDEMPOTENCY_KEY_USED"
)

// keyLasts is how long a key stays taken.
const keyLasts = 24 * time.Hour

// claim takes the keys of new holds for them, or finds out whose they are.
func (r *round) claim(ctx context.Context, tx conn, fresh []*Hold) error {
	keyed := slices.DeleteFunc(slices.Clone(fresh), func(h *Hold) bool { return h.key == nil || h.written })
	slices.SortFunc(keyed, func(a, b *Hold) int {
		return cmp.Or(strings.Compare(a.Call.AccountID, b.Call.AccountID), strings.Compare(a.key.Principal, b.key.Principal), strings.Compare(a.key.Key, b.key.Key))
	})
	for _, h := range keyed {
		whose := []any{h.Call.AccountID, string(h.Call.Plane), h.key.Principal, h.key.Key}
		const these = " WHERE account_id = $1 AND plane = $2 AND principal = $3 AND key_hash = $4"
		if _, err := r.exec(ctx, tx, "DELETE FROM idempotency_keys"+these+" AND expires_at <= $5", append(whose, r.now)...); err != nil {
			return err
		}
		n, err := r.exec(ctx, tx, `INSERT INTO idempotency_keys (account_id, plane, principal, key_hash, id, request_hash, charge_id, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account_id, plane, principal, key_hash) DO NOTHING`,
			append(whose, id.New(id.IdempotencyKey), h.key.Request, h.ID, r.now.Add(keyLasts))...)
		if err != nil {
			return err
		}
		if n == 1 {
			continue
		}
		if r.taken[h], err = r.whose(ctx, tx, h, these, whose); err != nil {
			return err
		}
		r.drop(h)
	}
	return nil
}

// drop takes back what a hold had of its leases, which will have no row.
func (r *round) drop(h *Hold) {
	for i, s := range h.path.slices {
		if w := r.writes[h.cycles[i]]; w != nil && w.slice == s {
			w.dropped += h.Amount
		}
	}
}

// whose says what the call became that has the key.
func (r *round) whose(ctx context.Context, tx conn, h *Hold, these string, args []any) (refusal, err error) {
	var request, chargeID string
	var ended bool
	err = r.query(ctx, tx, "SELECT request_hash, charge_id, ended FROM idempotency_keys"+these, args, scanInto(&request, &chargeID, &ended))
	if err != nil {
		return nil, err
	}
	switch {
	case request != h.key.Request:
		return fault.New(KeyReused, "This Idempotency-Key was sent with another request. Choose a new key for a new request."), nil
	case !ended:
		return fault.New(KeyInUse, "A call with this Idempotency-Key still runs. Wait for its answer, or for its end."), nil
	}
	lines, err := r.charges(ctx, tx, []string{chargeID})
	if err != nil {
		return nil, err
	}
	f := fault.New(KeyUsed, "The call with this Idempotency-Key was made and charged. Answers aren't kept; use a new key to call again.").With("chargeId", chargeID)
	if of := lines[chargeID]; len(of) > 0 {
		receipt := receiptOf(of)
		f = f.With("cost", receipt.Cost.String()).With("requestId", of[0].RequestID)
		if receipt.Credits > 0 {
			f = f.With("credits", receipt.Credits.String())
		}
	}
	return f, nil
}

// freeClaims frees the keys of calls that were released, before new calls of
// this round ask for them: a call may be released to be tried elsewhere.
func (r *round) freeClaims(ctx context.Context, tx conn, ended []*op) error {
	var released []string
	for _, o := range ended {
		if o.hold.key != nil && len(o.lines) == 0 {
			released = append(released, o.hold.ID)
		}
	}
	return r.endKeys(ctx, tx, nil, released)
}

// endClaims marks the keys of calls that were charged.
func (r *round) endClaims(ctx context.Context, tx conn, ended []*op) error {
	var charged []string
	for _, o := range ended {
		if o.hold.key != nil && len(o.lines) > 0 {
			charged = append(charged, o.hold.ID)
		}
	}
	return r.endKeys(ctx, tx, charged, nil)
}

func (d dialect) endKeys(ctx context.Context, tx conn, charged, released []string) error {
	slices.Sort(charged)
	slices.Sort(released)
	for part := range slices.Chunk(charged, maxBatch) {
		var p params
		if _, err := d.exec(ctx, tx, "UPDATE idempotency_keys SET ended = TRUE WHERE charge_id IN ("+p.list(part)+")", p...); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(released, maxBatch) {
		var p params
		if _, err := d.exec(ctx, tx, "DELETE FROM idempotency_keys WHERE charge_id IN ("+p.list(part)+")", p...); err != nil {
			return err
		}
	}
	return nil
}

// pruneKeys deletes keys that have expired: those of calls, and clients' keys
// of mutations.
func (e *Engine) pruneKeys(ctx context.Context) error {
	err := e.store.WriteTx(ctx, func(tx *sql.Tx) error {
		_, err := e.exec(ctx, tx, "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys WHERE expires_at <= $1 LIMIT 1000)", stamp(e.now()))
		return err
	})
	if err != nil {
		return err
	}
	_, err = e.store.PruneClaims(ctx)
	return err
}
