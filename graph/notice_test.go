package graph

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// The bell follows what is told and read, by whichever means.
func TestInboxIsLive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		a := newAPI(t, st)
		ctx, stop := context.WithCancel(context.Background())
		t.Cleanup(stop)
		go a.resolver.Notify.Inbox.Run(ctx)
		p := a.A.Console
		tell := func(cause string) {
			require.NoError(t, st.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
				return a.resolver.Notify.Tell(ctx, tx, notify.Notice{Topic: notify.BudgetExhausted, AccountID: a.A.Row.ID, Plane: tenancy.Console, ScopeID: p.Team.ID,
					Title: "Team Risk has used up its budget", Link: "/console/budgets", Cause: cause, To: []string{p.TeamAdmin.UserID}})
			}))
		}
		c := a.socketTo(p.TeamAdmin, `subscription { inbox { unread newest { title } } }`, nil)
		until := func(unread float64) {
			t.Helper()
			for {
				f := next(t, c)
				require.Equal(t, "next", f.Type)
				if f.Payload.at("inbox", "unread") == unread {
					return
				}
			}
		}
		until(0)
		tell("1")
		until(1)
		tell("2")
		until(2)

		list := a.ok(p.TeamAdmin, `{ viewer { unreadNotifications notifications(first: 10, filter: {unread: true}) { totalCount edges { node { id title topic plane readAt } } } } }`, nil)
		require.EqualValues(t, 2, list.at("viewer", "unreadNotifications"))
		require.EqualValues(t, 2, list.at("viewer", "notifications", "totalCount"))
		one := list.at("viewer", "notifications", "edges", 0, "node", "id")
		read := `mutation($i: NotificationReadInput!) { notificationRead(input: $i) { notification { readAt } errors { code } } }`
		require.NotNil(t, a.ok(p.TeamAdmin, read, map[string]any{"i": map[string]any{"notificationId": one}}).at("notificationRead", "notification", "readAt"))
		until(1)
		out := a.ok(p.OrgAdmin, read, map[string]any{"i": map[string]any{"notificationId": one, "read": false}})
		require.Equal(t, "NOT_FOUND", out.at("notificationRead", "errors", 0, "code"), "another's line")
		require.EqualValues(t, 1, a.ok(p.TeamAdmin, `mutation { notificationsReadAll { count errors { code } } }`, nil).at("notificationsReadAll", "count"))
		until(0)
		require.EqualValues(t, 0, a.ok(p.OrgAdmin, `{ viewer { unreadNotifications } }`, nil).at("viewer", "unreadNotifications"))
	})
}

func TestWebhooksOverTheAPI(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		a := newAPI(t, st)
		create := `mutation($i: WebhookCreateInput!) { webhookCreate(input: $i) { webhook { id name secretHint topics planes status } secret errors { code path } } }`
		input := map[string]any{"i": map[string]any{"name": "finance", "url": "https://hooks.example/x", "topics": []any{"BUDGET_THRESHOLD"}}}
		out := a.ok(a.A.Admin, create, input)
		plain, _ := out.at("webhookCreate", "secret").(string)
		require.True(t, strings.HasPrefix(plain, "whsec_"))
		hook := out.at("webhookCreate", "webhook", "id")

		for _, v := range []*tenancy.Viewer{a.A.Console.Admin, a.A.Console.TeamAdmin, a.A.Console.Seat, a.A.Nobody} {
			require.NotEmpty(t, a.do(v, create, input).Errors, "%s may not make webhooks", v.Name)
			require.Nil(t, a.do(v, `{ account { webhooks(first: 5) { edges { node { url } } } } }`, nil).at("account", "webhooks"), "%s may not see webhooks", v.Name)
			require.Nil(t, a.do(v, `query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": hook}).at("node"), v.Name)
		}
		test := `mutation($i: WebhookTestInput!) { webhookTest(input: $i) { delivery { id status payload } errors { code } } }`
		require.Equal(t, "NOT_FOUND", a.ok(a.B.Admin, test, map[string]any{"i": map[string]any{"webhookId": hook}}).at("webhookTest", "errors", 0, "code"))
		sent := a.ok(a.A.Admin, test, map[string]any{"i": map[string]any{"webhookId": hook}})
		require.Equal(t, "PENDING", sent.at("webhookTest", "delivery", "status"))
		rotated := a.ok(a.A.Admin, `mutation($i: WebhookSecretRotateInput!) { webhookSecretRotate(input: $i) { webhook { previousSecretExpiresAt } secret errors { code } } }`,
			map[string]any{"i": map[string]any{"webhookId": hook}})
		require.NotNil(t, rotated.at("webhookSecretRotate", "webhook", "previousSecretExpiresAt"))
		second, _ := rotated.at("webhookSecretRotate", "secret").(string)

		// Nothing that can be read afterwards has either secret.
		read, err := json.Marshal(a.ok(a.A.Admin, `{ account { webhooks(first: 5) { edges { node { id name url secretHint status statusReason
			deliveries(first: 5) { edges { node { payload response error } } } } } } auditEvents(first: 20) { edges { node { action targetName changes { field before after } } } } } }`, nil).Data)
		require.NoError(t, err)
		events := st.AuditEvent.Query().Where(auditevent.TargetID(hook.(string))).AllX(a.sys())
		require.Len(t, events, 3, "every change is audited")
		for _, s := range []string{plain, second} {
			inner := strings.TrimPrefix(s, "whsec_")
			require.NotContains(t, string(read), inner)
			for _, e := range events {
				require.NotContains(t, e.String()+string(e.Changes), inner)
			}
		}
	})
}

func TestAlertsAreSeenByReach(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		a := newAPI(t, st)
		p := a.A.Console
		seen := func(v *tenancy.Viewer, plane string) (out []string) {
			edges, _ := a.ok(v, `{ `+plane+` { alerts(first: 50) { edges { node { kind threshold scope { id } } } } } }`, nil).at(plane, "alerts", "edges").([]any)
			for _, e := range edges {
				out = append(out, answer{Data: e.(map[string]any)}.at("node", "scope", "id").(string))
			}
			return out
		}
		require.Len(t, seen(a.A.Admin, "console"), 8)
		require.ElementsMatch(t, []string{p.Team.ID, p.Member.ID}, seen(p.TeamAdmin, "console"))
		require.Equal(t, []string{p.Member.ID}, seen(p.Seat, "console"))
		own := a.ok(p.TeamAdmin, `query($id: ID!) { node(id: $id) { ... on Budget { alerts { threshold spent limit unit } } } }`, map[string]any{"id": p.Budgets[p.Team.ID].ID})
		require.EqualValues(t, 80, own.at("node", "alerts", 0, "threshold"))
	})
}
