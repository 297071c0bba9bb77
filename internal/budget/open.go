package budget

import (
	"context"
	"time"
)

// open reads the budgets of scopes, by scope, and sees to it that the newest
// cycle of each is the one that now lies in. The plane's root must be among
// the scopes: the cycles are its.
func (d dialect) open(ctx context.Context, tx conn, scopeIDs []string, now time.Time) (map[string]*standing, error) {
	if len(scopeIDs) == 0 {
		return nil, nil
	}
	var p params
	where := "b.scope_id IN (" + p.list(scopeIDs) + ")"
	return d.openWhere(ctx, tx, where, p, now)
}

func (d dialect) openWhere(ctx context.Context, tx conn, where string, args []any, now time.Time) (map[string]*standing, error) {
	read := func() (map[string]*standing, error) {
		list, err := d.standings(ctx, tx, where, args)
		out := make(map[string]*standing, len(list))
		for _, s := range list {
			out[s.scopeID] = s
		}
		return out, err
	}
	out, err := read()
	if err != nil {
		return nil, err
	}
	var missing []cycle
	for _, s := range out {
		missing = append(missing, s.next(s.rule(out[s.poolID()]), now)...)
	}
	if len(missing) == 0 {
		return out, nil
	}
	if err := d.raise(ctx, tx, missing); err != nil {
		return nil, err
	}
	if err := d.openCycles(ctx, tx, missing, now); err != nil {
		return nil, err
	}
	return read()
}
