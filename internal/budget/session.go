package budget

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
)

// Cap bounds one session of an agent: all calls of one payer through the agent
// that carry the same session's name. Zero bounds nothing.
type Cap struct {
	Credits money.Nano
	Turns   int64
}

// Codes of calls that their session has no room for.
const (
	SessionCredits fault.Code = "SESSION_CREDITS_SPENT"
	SessionTurns   fault.Code = "SESSION_TURNS_SPENT"
)

// Capped refuses a call that its session has no room for.
type Capped struct {
	Cap Cap
	// Spent and Turns are what the session's calls took, or hold.
	Spent money.Nano
	Turns int64
	code  fault.Code
}

// Available is what of the session's credits is left; 0 where its turns are used
// up.
func (e *Capped) Available() money.Nano {
	if e.code == SessionTurns {
		return 0
	}
	return max(0, e.Cap.Credits-e.Spent)
}

func (e *Capped) Error() string { return e.Unwrap().Error() }

// Unwrap is the fault that callers are told.
func (e *Capped) Unwrap() error {
	f := fault.New(e.code, "This session has had the %d turns that the agent allows. Begin a new session.", e.Cap.Turns)
	if e.code == SessionCredits {
		f = fault.New(e.code, "This session may take %s, and %s is left of it: not enough for this call. Ask for a shorter answer, or begin a new session.",
			AmountText(Credits, e.Cap.Credits), AmountText(Credits, e.Available()))
	}
	return f.With("sessionCredits", e.Spent.String()).With("sessionTurns", e.Turns)
}

// session names the session that a call counts against; "" for none.
func (c *Call) session() string {
	if c.AgentID == "" || c.SessionRef == "" {
		return ""
	}
	return c.Path + c.AgentID + "/" + c.SessionRef
}

// use is what a session's calls took, or hold.
type use struct {
	spent money.Nano
	turns int64
}

// capSessions refuses new holds that their sessions have no room for. The sums
// come from holds and charges themselves, under a lock of the session.
func (r *round) capSessions(ctx context.Context, tx conn, fresh []*Hold) error {
	sessions := map[string][]*Hold{}
	for _, h := range fresh {
		if h.Call.Cap != (Cap{}) && !h.written && r.taken[h] == nil {
			sessions[h.Call.session()] = append(sessions[h.Call.session()], h)
		}
	}
	var free []string // keys of the refused
	for _, name := range slices.Sorted(maps.Keys(sessions)) {
		used, err := r.used(ctx, tx, name, &sessions[name][0].Call)
		if err != nil {
			return err
		}
		for _, h := range sessions[name] {
			c := h.Call.Cap
			refusal := &Capped{Cap: c, Spent: used.spent, Turns: used.turns}
			switch {
			case c.Turns > 0 && used.turns >= c.Turns:
				refusal.code = SessionTurns
			case c.Credits > 0 && h.Amount > c.Credits-used.spent:
				refusal.code = SessionCredits
			default:
				used.spent, used.turns = add(used.spent, h.Amount), used.turns+1
				continue
			}
			r.taken[h] = refusal
			r.drop(h)
			if h.key != nil {
				free = append(free, h.ID)
			}
		}
	}
	return r.endKeys(ctx, tx, nil, free)
}

// used sums a session up: by one statement, for a hold turns into a charge in
// between two. What this round ends is counted as it will stand.
func (r *round) used(ctx context.Context, tx conn, name string, c *Call) (use, error) {
	if r.dialect == postgres {
		if _, err := r.exec(ctx, tx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", name); err != nil {
			return use{}, err
		}
	}
	var u use
	err := r.query(ctx, tx, `SELECT CAST(COALESCE(SUM(spent), 0) AS BIGINT), CAST(COALESCE(SUM(turns), 0) AS BIGINT) FROM (
		SELECT SUM(credits) AS spent, SUM(CASE WHEN kind IN ('SETTLED', 'IN_DOUBT') THEN 1 ELSE 0 END) AS turns
			FROM charges WHERE agent_id = $1 AND session_ref = $2 AND path = $3 AND agent_id <> '' AND session_ref <> ''
		UNION ALL SELECT SUM(amount), COUNT(*) FROM holds WHERE session = $4 AND session <> '') u`,
		[]any{c.AgentID, c.SessionRef, c.Path, name}, func(rows *sql.Rows) error { return rows.Scan(&u.spent, &u.turns) })
	if err != nil {
		return u, err
	}
	for _, o := range r.ended {
		if o.hold.Call.session() != name {
			continue
		}
		if o.hold.written {
			u.spent, u.turns = u.spent-o.hold.Amount, u.turns-1
		}
		if len(o.lines) > 0 {
			u.spent, u.turns = add(u.spent, o.amount), u.turns+1
		}
	}
	return u, nil
}
