package connections_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// inbox is a world in which approvals are asked for.
type inbox struct {
	*world
	requests *request.Requests
	told     []request.Notice
}

func newInbox(t *testing.T, st *store.Store) *inbox {
	t.Helper()
	policies, err := access.New(gqlparser.MustLoadSchema(&ast.Source{Input: "type Query { any: Int }"}))
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	engine := budget.New(st, budget.Options{Log: log})
	require.NoError(t, engine.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, engine.Close(context.Background())) })
	in := &inbox{requests: &request.Requests{Store: st, Budgets: engine, Access: policies, Log: log}}
	in.requests.Tell = func(_ context.Context, _ *store.Tx, n request.Notice) error {
		in.told = append(in.told, n)
		return nil
	}
	in.world = newWorld(t, st, here, connections.Options{Requests: in.requests, LookAgain: time.Nanosecond})
	in.requests.Carry = request.Carriers{entrequest.KindTOOL_APPROVAL: in.Carry}
	return in
}

func (in *inbox) rows(connectionID string) []*ent.Request {
	return in.Connections.Store.Request.Query().Where(entrequest.KindEQ(entrequest.KindTOOL_APPROVAL), entrequest.ResourceID(connectionID)).Order(ent.Asc(entrequest.FieldID)).AllX(in.ctx())
}

func (in *inbox) last(connectionID string) *ent.Request {
	in.t.Helper()
	rows := in.rows(connectionID)
	require.NotEmpty(in.t, rows)
	return rows[len(rows)-1]
}

func (in *inbox) look(row *ent.Connection, approve bool) {
	in.t.Helper()
	_, err := in.Discover(in.t.Context(), row.ID, "", approve)
	require.NoError(in.t, err)
}

func named(row *ent.Request) (out []string) {
	for _, w := range request.WaitingTools(row) {
		out = append(out, w.Name)
	}
	return out
}

func TestApprovalIsAskedFor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		in := newInbox(t, st)
		p := in.A.Copilot
		row := in.connect(connections.Input{Kind: connection.KindMCP_HTTP, URL: &in.url})
		in.look(row, false)
		require.Empty(t, in.rows(row.ID), "whoever sets it up looks anyway")
		search := in.tool(row, "search")
		require.NoError(t, in.write(func(ctx context.Context, tx *store.Tx) error {
			_, err := in.Approve(ctx, tx, []connections.Seen{{ToolID: search.ID, Digest: search.Digest}})
			return err
		}))
		in.look(row, false)
		require.Empty(t, in.rows(row.ID), "nor for what was there and left")

		in.offer("search", "Finds tickets, and more.")
		in.look(row, false)
		in.offer("export", "Exports.")
		in.look(row, false)
		in.look(row, false)
		require.Len(t, in.rows(row.ID), 1, "one while it is open")
		q := in.last(row.ID)
		require.Equal(t, []string{"export", "search"}, named(q))
		require.Equal(t, request.Product, q.RequestedBy)
		require.Equal(t, p.Root.ID, q.WaitsAt)
		require.Len(t, in.told, 1, "and one notice")
		require.Contains(t, in.told[0].To, p.Admin.UserID)

		decide := func(v *tenancy.Viewer, version *int) error {
			_, _, err := in.requests.Approve(identitytest.Ctx(t, v), request.Decision{RequestID: q.ID, ExpectedVersion: version})
			return err
		}
		require.True(t, fault.Is(decide(p.OrgAdmin, &q.Version), fault.NotFound), "an admin below doesn't see it")
		require.True(t, fault.Is(decide(p.Admin, nil), fault.Invalid), "what was looked at is to be said")
		tokened := *p.Admin
		tokened.Narrowed, tokened.Permissions = true, []string{"budgets.manage"}
		require.True(t, fault.Is(decide(&tokened, &q.Version), fault.Forbidden), "nor with less than approving on its page takes")

		// It moves while somebody looks: nothing is approved.
		in.offer("search", "Finds tickets, and deletes them.")
		in.look(row, false)
		require.True(t, fault.Is(decide(p.Admin, &q.Version), fault.Conflict))
		require.Equal(t, tool.StateCHANGED, in.tool(row, "search").State)
		q = in.last(row.ID)
		require.NoError(t, decide(p.Admin, &q.Version))
		require.Equal(t, tool.StateAPPROVED, in.tool(row, "search").State)
		require.Equal(t, tool.StateAPPROVED, in.tool(row, "export").State)
		require.Equal(t, tool.StatePENDING, in.tool(row, "close").State, "what it didn't name isn't approved")
		_, err := in.Call(t.Context(), connections.Call{ToolID: search.ID})
		require.NoError(t, err)

		// Held back at a call, and back again by itself.
		in.offer("search", "Something else.")
		_, err = in.Call(t.Context(), connections.Call{ToolID: search.ID})
		require.True(t, fault.Is(err, connections.Held))
		q = in.last(row.ID)
		require.Equal(t, entrequest.StatusPENDING, q.Status)
		require.Equal(t, []string{"search"}, named(q))
		in.offer("search", "Finds tickets, and deletes them.")
		in.look(row, false)
		require.Equal(t, entrequest.StatusWITHDRAWN, in.last(row.ID).Status)

		// Approved on the page, in two steps.
		in.offer("search", "v4")
		in.offer("export", "v4")
		in.look(row, false)
		q = in.last(row.ID)
		require.Equal(t, []string{"export", "search"}, named(q))
		for i, name := range []string{"export", "search"} {
			changed := in.tool(row, name)
			require.NoError(t, in.write(func(ctx context.Context, tx *store.Tx) error {
				_, err := in.Approve(ctx, tx, []connections.Seen{{ToolID: changed.ID, Digest: changed.ProposedDigest}})
				return err
			}))
			if i == 0 {
				require.Equal(t, []string{"search"}, named(in.last(row.ID)))
			}
		}
		q = in.last(row.ID)
		require.Equal(t, entrequest.StatusAPPROVED, q.Status)
		require.Equal(t, p.Admin.UserID, q.DecidedBy)

		// Declined: out of use until somebody approves it.
		in.offer("export", "v5")
		in.look(row, false)
		q = in.last(row.ID)
		_, err = in.requests.Decline(identitytest.Ctx(t, p.Admin), q.ID, "not that", &q.Version)
		require.NoError(t, err)
		require.False(t, in.tool(row, "export").Enabled)
		in.look(row, false)
		require.Equal(t, entrequest.StatusDECLINED, in.last(row.ID).Status, "and isn't asked for again")

		in.offer("search", "v6")
		in.look(row, false)
		require.NoError(t, in.write(func(ctx context.Context, tx *store.Tx) error { return in.Delete(ctx, tx, row.ID) }))
		require.Equal(t, entrequest.StatusWITHDRAWN, in.last(row.ID).Status)
	})
}

// A seat's own connection asks nobody else: its owner is told.
func TestASeatsOwnToolsAreItsOwners(t *testing.T) {
	t.Parallel()
	in := newInbox(t, storetest.Open(t))
	p := in.A.Copilot
	var row *ent.Connection
	require.NoError(t, in.write(func(ctx context.Context, tx *store.Tx) (err error) {
		row, err = in.Create(ctx, tx, p.Member, connections.Input{Kind: connection.KindMCP_HTTP, Name: ptr("mine"), URL: &in.url})
		return err
	}))
	in.look(row, true)
	in.offer("search", "Something else.")
	in.look(row, false)
	require.Empty(t, in.rows(row.ID))
	require.Len(t, in.told, 1)
	require.Equal(t, []string{p.Seat.UserID}, in.told[0].To)
}
