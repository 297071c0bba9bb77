package budget

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// zones are the time zones in use, by name: reading one from disk takes longer
// than a charge may.
var zones sync.Map

// zoneOf falls back to UTC, so that a name the server doesn't know stops nobody.
func zoneOf(name string) *time.Location {
	known, _ := zones.Load(name)
	if z, ok := known.(*time.Location); ok {
		return z
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	zones.Store(name, z)
	return z
}

// Zone is the time zone of an account, by whose days its usage is counted.
func (e *Engine) Zone(ctx context.Context, accountID string) (*time.Location, error) {
	name := ""
	err := e.query(ctx, e.db, "SELECT time_zone FROM accounts WHERE id = $1", []any{accountID}, func(r *sql.Rows) error { return r.Scan(&name) })
	return zoneOf(name), err
}

// DayOf is the day of t in its own time zone, as days since 1970.
func DayOf(t time.Time) int {
	_, east := t.Zone()
	return int((t.Unix() + int64(east)) / 86400)
}

// StartOf is the first instant of a day in a time zone.
func StartOf(day int, zone *time.Location) time.Time {
	d := time.Unix(int64(day)*86400, 0).UTC()
	return midnight(d.Year(), d.Month(), d.Day(), zone).UTC()
}

// day is the day that the line is booked on: that of its account, by the time
// zone that the call was held under.
func (r *charge) day() int { return DayOf(stamp(r.at).In(zoneOf(r.TimeZone))) }
