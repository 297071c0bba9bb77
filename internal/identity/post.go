package identity

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/mail"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Post sends invitations by mail and notes what became of them.
type Post struct {
	Store  *store.Store
	Mailer *mail.Mailer
	// URL is where browsers reach the server, without a slash at its end.
	URL string
	Log *slog.Logger
}

// Link is the address that an invited person opens. The token comes after a #,
// so that no server's log and no referrer has it.
func (p *Post) Link(token string) string { return p.URL + "/invitation#" + token }

// Send queues the mails of new invitations to a scope. It is called after the
// commit, and does nothing where no mail server is set.
func (p *Post) Send(ctx context.Context, s *ent.Scope, invited []Invited) error {
	if !p.Mailer.Configured() {
		return nil
	}
	ctx = tenancy.System(ctx, "an invitation names its account and its scope")
	a, err := p.Store.Account.Get(ctx, s.AccountID)
	if err != nil {
		return err
	}
	place, err := Place(ctx, p.Store.Client, s)
	if err != nil {
		return err
	}
	for _, i := range invited {
		p.Mailer.Queue(letter(i.Row, a, place, p.Link(i.Token)), func(outcome error) { p.note(i.Row, outcome) }) //nolint:contextcheck // by then the request is over
	}
	return nil
}

func letter(row *ent.Invitation, a *ent.Account, place, link string) mail.Message {
	hello := "Hello,"
	if row.Name != "" {
		hello = "Hello " + row.Name + ","
	}
	as := map[invitation.Role]string{invitation.RoleADMIN: "an admin of", invitation.RoleVIEWER: "a viewer of", invitation.RoleMEMBER: "a member of"}[row.Role]
	where := a.Name
	if place != a.Name {
		where = place + " at " + a.Name
	}
	if a.ID == id.PlatformID {
		where = "the Cockpit platform itself"
	}
	return mail.Message{
		To:      row.Email,
		Subject: row.InvitedByName + " invites you to " + a.Name,
		Lines:   []string{hello, fmt.Sprintf("%s invites you to be %s %s.", row.InvitedByName, as, where)},
		Action:  "Accept the invitation", Link: link,
		Fine: []string{
			"The link works once, until " + row.ExpiresAt.UTC().Format("2 January 2006, 15:04 MST") + ". Don't pass it on: whoever has it can use it.",
			"If you didn't expect this, do nothing.",
		},
	}
}

// note writes down what became of a mail, unless the invitation was sent again
// meanwhile.
func (p *Post) note(row *ent.Invitation, outcome error) {
	ctx := tenancy.System(context.Background(), "the mailer notes what became of a mail")
	state, words := invitation.MailSENT, ""
	if outcome != nil {
		state, words = invitation.MailFAILED, outcome.Error()
		if f := fault.As(outcome); f != nil {
			words = f.Message
		}
	}
	err := p.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return tx.Invitation.Update().Where(invitation.ID(row.ID), invitation.TokenHash(row.TokenHash)).
			SetMail(state).SetMailError(strings.ToValidUTF8(clip(words, 500), "")).Exec(ctx)
	})
	if err != nil {
		p.Log.Error("what became of a mail can't be noted", "invitation", row.ID, "cause", err)
	}
}
