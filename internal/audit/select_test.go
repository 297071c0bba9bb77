package audit_test

import (
	"strings"
	"testing"

	"entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// SQLite, without statistics, answers each filter by the index made for it,
// whatever the guard adds. PostgreSQL goes by its statistics.
func TestFiltersGoByTheirIndex(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	a, _ := accounts(t, st)
	ctx := tenancy.WithViewer(t.Context(), &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: a, Reach: []tenancy.Reach{{AccountID: a, Plane: tenancy.PlaneAccount, Path: "/" + a + "/"}}})
	for index, f := range map[string]audit.Filter{
		"auditevent_account_id_seq":           {Search: "x", Outcome: auditevent.OutcomeDONE},
		"tenant_audit_events_noun":            {Action: "noun"},
		"auditevent_account_id_action_seq":    {Action: "noun.verb", Outcome: auditevent.OutcomeREFUSED},
		"auditevent_account_id_actor_id_seq":  {ActorID: "usr_1", Action: "noun.verb", Outcome: auditevent.OutcomeDONE},
		"auditevent_account_id_target_id_seq": {TargetID: "key_1", ActorID: "usr_1", Action: "noun", Outcome: auditevent.OutcomeFAILED, Search: "x"},
		"auditevent_account_id_outcome_seq":   {Outcome: auditevent.OutcomeFAILED},
		"auditevent_account_id_scope_path":    {ActorID: "usr_1", Action: "noun.verb", Outcome: auditevent.OutcomeFAILED},
	} {
		sel := audit.Selection{AccountID: a, Filter: f}
		sparse := strings.HasSuffix(index, "path")
		if sparse {
			sel.Within = []string{"/" + a + "/con_1/org_1/"}
		}
		var last *sql.Selector
		_, err := sel.Query(st.Client, sparse).Where(func(s *sql.Selector) { last = s }).All(ctx)
		require.NoError(t, err)
		query, args := last.Query()
		rows, err := st.System().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
		require.NoError(t, err)
		defer rows.Close()
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var step string
			require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
			plan = append(plan, step)
		}
		require.NoError(t, rows.Err())
		require.Contains(t, plan[0], "USING INDEX "+index+" ", "%+v: %s", f, query)
		if !sparse {
			require.Len(t, plan, 1, "nothing is sorted: %v", plan)
		}
	}
}
