package mail

import (
	"context"
	"errors"
	"net/textproto"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/alchemi/cockpit/internal/fault"
)

// outcome of one attempt.
type outcome struct {
	// err is for admins, nil when the mail was taken; cause is for the log.
	err   error
	cause error
	// temporary ones are tried again. Unreached: nothing that this mail could
	// help, so the others wait as well.
	temporary, unreached bool
}

// Failure is what became of a mail that wasn't taken.
type Failure struct {
	// Err says why, in words for an admin.
	Err error
	// Again tells that another attempt may help; Unreached that no mail gets
	// through at the moment.
	Again, Unreached bool
}

// Send makes one attempt from the caller's own goroutine, for mails that wait
// somewhere safer than in memory; nil once the mail server has taken it.
func (m *Mailer) Send(ctx context.Context, msg Message) *Failure {
	o := m.send(ctx, msg)
	if o.err == nil {
		return nil
	}
	m.log.WarnContext(ctx, "a mail was not taken", "cause", o.cause, "again", o.temporary)
	return &Failure{o.err, o.temporary, o.unreached}
}

var errUnreached = fault.New(fault.Unavailable, "The mail server can't be reached, or doesn't prove who it is. Copy the link, and ask whoever runs Cockpit to check its mail settings.")

func (m *Mailer) send(ctx context.Context, msg Message) outcome {
	letter, err := msg.letter(m.from)
	if err != nil {
		return outcome{err: fault.New(fault.Invalid, "The mail can't be written to this address."), cause: err}
	}
	conn, err := m.client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		var reply *textproto.Error
		if errors.As(err, &reply) && reply.Code >= 500 {
			return outcome{err: refused(reply.Error()), cause: err}
		}
		return outcome{err: errUnreached, cause: err, temporary: true, unreached: true}
	}
	err = m.client.SendWithSMTPClient(conn, letter)
	_ = m.client.CloseWithSMTPClient(conn) // what matters was said before
	if err == nil || letter.IsDelivered() {
		return outcome{}
	}
	var failed *gomail.SendError
	if errors.As(err, &failed) && failed.ErrorCode() != 0 {
		_, words, _ := strings.Cut(failed.Error(), ": ")
		words, _, _ = strings.Cut(words, ", affected ")
		return outcome{err: refused(words), cause: err, temporary: failed.ErrorCode() < 500}
	}
	return outcome{err: errUnreached, cause: err, temporary: true, unreached: true}
}

// refused quotes the server's own words, which tell most.
func refused(words string) error {
	return fault.New(fault.Unavailable, "The mail server refused it: %s", clip(plain(strings.ReplaceAll(words, `"`, "")), 300))
}
