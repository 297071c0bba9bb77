package connections

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	// lookEvery is the pause between looks for connections that are due.
	lookEvery = 30 * time.Second
	// CheckEvery is how often a connection is looked at.
	CheckEvery = 15 * time.Minute
	// soonest is the least time between two looks that a server asks for.
	soonest = time.Minute
	atOnce  = 20
)

// ask has a connection looked at soon, because its server says so.
func (c *Connections) ask(connectionID string) {
	select {
	case c.asked <- connectionID:
	default: // it is looked at when it is due
	}
}

// Run looks at all accounts' connections from time to time, and when a server
// says that its tools changed, until the context ends.
func (c *Connections) Run(ctx context.Context) {
	ctx = tenancy.System(ctx, "connections of all accounts are looked at")
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case connectionID := <-c.asked:
			c.check(ctx, connectionID, soonest)
		case <-tick.C:
			c.pool.sweep(c.Store.Now())
			due, err := c.due(ctx)
			if err != nil && ctx.Err() == nil {
				c.Log.ErrorContext(ctx, "due connections could not be looked for; they are looked for again", "cause", err)
			}
			for _, connectionID := range due {
				c.check(ctx, connectionID, CheckEvery)
			}
		}
	}
}

// due are active connections with one credential for all that nobody has looked
// at for a while. What each person signs in to by themselves is looked at when
// they use it.
func (c *Connections) due(ctx context.Context) ([]string, error) {
	return c.Store.Connection.Query().Where(connection.StatusEQ(connection.StatusACTIVE),
		connection.Or(connection.CredentialEQ(connection.CredentialSHARED), connection.KindEQ(connection.KindCOMPOSIO)),
		connection.Or(connection.CheckedAtIsNil(), connection.CheckedAtLTE(c.Store.Now().Add(-CheckEvery)))).
		Order(connection.ByCheckedAt()).Limit(atOnce).IDs(ctx)
}

// check looks at a connection, if no replica has within a time.
func (c *Connections) check(ctx context.Context, connectionID string, within time.Duration) {
	mine, err := c.claim(ctx, connectionID, within)
	if err == nil && mine {
		_, err = c.Discover(ctx, connectionID, "", false)
	}
	// What is wrong with a server is noted with its connection.
	if err != nil && fault.As(err) == nil && ctx.Err() == nil {
		c.Log.ErrorContext(ctx, "a connection could not be looked at; it is tried again", "connectionId", connectionID, "cause", err)
	}
}

// claim takes a connection for this replica, for it writes down that it was
// looked at before it looks.
func (c *Connections) claim(ctx context.Context, connectionID string, within time.Duration) (bool, error) {
	n := 0
	err := c.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		tx.Unaudited()
		n, err = tx.Exec(ctx, "UPDATE connections SET checked_at = ? WHERE id = ? AND status = 'ACTIVE' AND (credential = 'SHARED' OR kind = 'COMPOSIO') AND (checked_at IS NULL OR checked_at <= ?)",
			tx.Now(), connectionID, tx.Now().Add(-within))
		return err
	})
	return n > 0, err
}
