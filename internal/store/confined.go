package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/alchemi/cockpit/internal/tenancy"
)

// confined makes connections on which PostgreSQL's row-level security knows
// the viewer: account and planes are set before each statement that differs
// from the one before, and within a transaction for that transaction alone.
type confined struct{ driver.Connector }

// Connect implements driver.Connector.
func (c confined) Connect(ctx context.Context) (driver.Conn, error) {
	dc, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := dc.(fullConn)
	if !ok {
		return nil, errors.New("store: the driver lacks context support")
	}
	return &confinedConn{fullConn: conn}, nil
}

type fullConn interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
	driver.ConnBeginTx
	driver.SessionResetter
	driver.Validator
}

type confinedConn struct {
	fullConn
	// bound is what the session's settings say, "" when nobody knows.
	bound string
	inTx  bool
}

const setViewer = `SELECT set_config('cockpit.account', $1, $3), set_config('cockpit.planes', $2, $3)`

func (c *confinedConn) bind(ctx context.Context, local bool) error {
	if c.inTx {
		return nil // bound when the transaction began
	}
	v := tenancy.ViewerFrom(ctx)
	if v == nil || v.AccountID == "" {
		return tenancy.ErrNoViewer
	}
	names := make([]string, 0, 4)
	for _, p := range tenancy.Planes(ctx) {
		names = append(names, string(p))
	}
	planes := strings.Join(names, ",")
	want := v.AccountID + " " + planes
	if !local && c.bound == want {
		return nil
	}
	rows, err := c.fullConn.QueryContext(ctx, setViewer, []driver.NamedValue{
		{Ordinal: 1, Value: v.AccountID}, {Ordinal: 2, Value: planes}, {Ordinal: 3, Value: local},
	})
	if err != nil {
		c.bound = ""
		return err
	}
	if err := rows.Close(); err != nil {
		c.bound = ""
		return err
	}
	if !local {
		c.bound = want
	}
	return nil
}

// QueryContext implements driver.QueryerContext.
func (c *confinedConn) QueryContext(ctx context.Context, q string, a []driver.NamedValue) (driver.Rows, error) {
	if err := c.bind(ctx, false); err != nil {
		return nil, err
	}
	return c.fullConn.QueryContext(ctx, q, a)
}

// ExecContext implements driver.ExecerContext.
func (c *confinedConn) ExecContext(ctx context.Context, q string, a []driver.NamedValue) (driver.Result, error) {
	if err := c.bind(ctx, false); err != nil {
		return nil, err
	}
	return c.fullConn.ExecContext(ctx, q, a)
}

// PrepareContext is refused: a prepared statement could outlive its viewer.
func (c *confinedConn) PrepareContext(context.Context, string) (driver.Stmt, error) {
	return nil, errors.New("store: prepared statements are not bound to a viewer")
}

// Prepare is refused, see PrepareContext.
func (c *confinedConn) Prepare(q string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), q)
}

// BeginTx binds the viewer for the transaction alone: the settings fall back
// at its end, so what the session had is forgotten too.
func (c *confinedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.fullConn.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := c.bind(ctx, true); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	c.inTx = true
	return &confinedTx{tx, c}, nil
}

// ResetSession implements driver.SessionResetter.
func (c *confinedConn) ResetSession(ctx context.Context) error {
	c.inTx = false
	return c.fullConn.ResetSession(ctx)
}

type confinedTx struct {
	driver.Tx
	conn *confinedConn
}

// Commit ends the transaction and its binding.
func (t *confinedTx) Commit() error {
	t.conn.inTx, t.conn.bound = false, ""
	return t.Tx.Commit()
}

// Rollback ends the transaction and its binding.
func (t *confinedTx) Rollback() error {
	t.conn.inTx, t.conn.bound = false, ""
	return t.Tx.Rollback()
}
