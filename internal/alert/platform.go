package alert

import (
	"context"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// tellPlatform tells super admins of an account's Copilot pool, which nobody
// but they can raise; of no other budget.
func (l *look) tellPlatform(ctx context.Context, tx *store.Tx, topic notify.Topic, b about) error {
	if tenancy.Kind(b.scope.Kind) != tenancy.KindCopilot || !notify.ForStaff(topic) {
		return nil
	}
	who, err := identity.SuperAdmins(ctx, tx)
	if err != nil {
		return err
	}
	b.name = "Copilot of " + b.account.Name
	title, body := b.words(topic)
	return l.Notify.Tell(ctx, tx, notify.Notice{Topic: topic, AccountID: id.PlatformID, Plane: tenancy.Copilot, ScopeID: b.scope.ID,
		Title: title, Body: body, Link: "/sa/accounts/" + b.account.ID, Cause: b.cause(topic), To: who})
}
