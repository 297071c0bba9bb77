package tenancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/migrate"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// What the database grants tenants beyond the guard, and why.
var beyondGuard = map[string]string{
	"INSERT audit_events":  "a change's event is written in its transaction, as the system",
	"INSERT mutation_keys": "a client's key is taken in the transaction of its change, as the system",
}

// Both walls say the same of what tenants may write to which table.
func TestGuardAndGrantsAgree(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	for _, table := range migrate.Tables {
		for grant, op := range map[string]ent.Op{"INSERT": ent.OpCreate, "UPDATE": ent.OpUpdateOne, "DELETE": ent.OpDeleteOne} {
			var granted bool
			require.NoError(t, st.System().QueryRowContext(t.Context(), "SELECT has_table_privilege('cockpit_tenant', $1, $2)", table.Name, grant).Scan(&granted))
			may := tenancy.MayWrite(table.Name, op)
			if _, known := beyondGuard[grant+" "+table.Name]; known {
				require.False(t, may, "%s %s is no exception", grant, table.Name)
				continue
			}
			require.Equal(t, granted, may, "%s %s: granted %t, let through by the guard %t", grant, table.Name, granted, may)
		}
	}
}
