// Package mail sends the few mails that Cockpit writes: invitations and the
// like. They wait in memory and go out one after the other, beside the
// requests that asked for them.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"slices"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/alchemi/cockpit/internal/fault"
)

// TLS says how the connection to the mail server is protected.
type TLS string

// The ways: upgraded and refused without (the usual port is 587), from the
// first byte on (465), or not at all, for a relay on the same machine (25).
const (
	StartTLS TLS = "starttls"
	FromTLS  TLS = "tls"
	NoTLS    TLS = "none"
)

// How long a mail is tried, and the pauses in between. Lost is when one that
// nobody has told the outcome of was lost with its process: later than the
// last attempt by far.
const (
	GiveUp     = 10 * time.Minute
	firstPause = 2 * time.Second
	lastPause  = time.Minute
	Lost       = 3 * GiveUp
)

// maxWaiting bounds the mails in memory.
const maxWaiting = 1000

// timeout of a connection with all that is said on it.
const timeout = 20 * time.Second

// Options of New. Without a Host nothing is sent.
type Options struct {
	Host string
	Port int
	// User and Password may both be empty: some relays ask for none.
	User, Password string
	// From is an address, with or without a name: "Cockpit <cockpit@example.com>".
	From string
	TLS  TLS
	// Roots are trusted besides none; nil means the system's.
	Roots *x509.CertPool
	// GiveUp is how long a mail is tried; 0 means the constant.
	GiveUp time.Duration
	Log    *slog.Logger
}

// Mailer sends mails in the background. A nil one is not configured.
type Mailer struct {
	client *gomail.Client
	from   *netmail.Address
	giveUp time.Duration
	log    *slog.Logger

	mu      sync.Mutex
	waiting []*letter
	// reachable says when the server may be tried again after it wasn't reached.
	reachable time.Time
	failures  int
	closed    bool
	wake      chan struct{}
	done      chan struct{}
	// sending ends when Close's patience does.
	sending context.Context
	stop    context.CancelFunc
}

// letter is a mail on its way.
type letter struct {
	msg   Message
	tell  func(error)
	since time.Time
	due   time.Time
	tries int
}

// New starts a mailer; nil where no host is set.
func New(o Options) (*Mailer, error) {
	if o.Host == "" {
		return nil, nil //nolint:nilnil // a nil Mailer is one that isn't configured
	}
	from, err := netmail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("mail: the sender %q isn't an address: %w", o.From, err)
	}
	options := []gomail.Option{
		gomail.WithPort(o.Port), gomail.WithTimeout(timeout),
		gomail.WithTLSConfig(&tls.Config{ServerName: o.Host, RootCAs: o.Roots, MinVersion: tls.VersionTLS12}),
	}
	switch o.TLS {
	case FromTLS:
		options = append(options, gomail.WithSSL())
	case NoTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	case StartTLS, "":
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	default:
		return nil, fmt.Errorf("mail: there is no way %q to protect the connection", o.TLS)
	}
	if o.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(o.User), gomail.WithPassword(o.Password))
	}
	client, err := gomail.NewClient(o.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	m := &Mailer{client: client, from: from, giveUp: o.GiveUp, log: o.Log, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if m.giveUp == 0 {
		m.giveUp = GiveUp
	}
	if m.log == nil {
		m.log = slog.Default()
	}
	m.sending, m.stop = context.WithCancel(context.Background())
	go m.work()
	return m, nil
}

// Configured tells whether mails go out at all.
func (m *Mailer) Configured() bool { return m != nil }

var (
	errFull   = fault.New(fault.Unavailable, "Too many mails are waiting already. Send it again in a few minutes.")
	errClosed = fault.New(fault.Unavailable, "The server stopped before the mail went out. Send it again.")
)

// Queue takes a mail and returns at once. Tell is called once, from the
// mailer's own goroutine or from here: with nil when the mail server has taken
// it, else with why not, in words for an admin. Queue mails after the commit of
// the change that they tell of. A mailer that isn't configured may not be asked.
func (m *Mailer) Queue(msg Message, tell func(error)) {
	if tell == nil {
		tell = func(error) {}
	}
	m.mu.Lock()
	full, closed := len(m.waiting) >= maxWaiting, m.closed
	if !full && !closed {
		m.waiting = append(m.waiting, &letter{msg: msg, tell: tell, since: time.Now()})
	}
	m.mu.Unlock()
	switch {
	case closed:
		tell(errClosed)
	case full:
		tell(errFull)
	default:
		m.nudge()
	}
}

func (m *Mailer) nudge() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Close takes no more mails, tries once more what waits until ctx ends, and
// tells of the rest that it didn't go out.
func (m *Mailer) Close(ctx context.Context) error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.nudge()
	defer m.stop()
	select {
	case <-m.done:
	case <-ctx.Done():
		m.stop()
		<-m.done
	}
	return nil
}

func (m *Mailer) work() {
	defer close(m.done)
	for {
		l, wait, more := m.take()
		if l != nil {
			m.deliver(l)
			continue
		}
		if !more {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-m.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// take gives the first letter that is due, else how long none will be. There is
// no more once the mailer is closed and empty; closing makes every letter due.
func (m *Mailer) take() (l *letter, wait time.Duration, more bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	wait = time.Hour
	for i, l := range m.waiting {
		due := l.due
		if due.Before(m.reachable) {
			due = m.reachable
		}
		if m.closed || !due.After(now) {
			m.waiting = slices.Delete(m.waiting, i, i+1)
			return l, 0, true
		}
		wait = min(wait, due.Sub(now))
	}
	return nil, wait, !m.closed
}

func (m *Mailer) deliver(l *letter) {
	if m.sending.Err() != nil {
		l.tell(errClosed)
		return
	}
	outcome := m.send(m.sending, l.msg)
	m.mu.Lock()
	if outcome.unreached {
		m.failures++
		m.reachable = time.Now().Add(pause(m.failures))
		if m.closed {
			m.stop() // nobody waits for a server that isn't there
		}
	} else {
		m.failures, m.reachable = 0, time.Time{}
	}
	late := m.expired(outcome)
	again := outcome.err != nil && outcome.temporary && !m.closed && time.Since(l.since) < m.giveUp
	if again {
		l.tries++
		l.due = time.Now().Add(pause(l.tries))
		m.waiting = append(m.waiting, l)
	}
	m.mu.Unlock()
	if outcome.err != nil {
		m.log.Warn("a mail was not taken", "cause", outcome.cause, "again", again)
	}
	if !again {
		l.tell(outcome.err)
	}
	for _, l := range late {
		l.tell(outcome.err)
	}
}

// expired takes out the letters that have waited too long for a server that
// can't be reached.
func (m *Mailer) expired(o outcome) []*letter {
	if !o.unreached {
		return nil
	}
	var late []*letter
	m.waiting = slices.DeleteFunc(m.waiting, func(l *letter) bool {
		old := time.Since(l.since) >= m.giveUp
		if old {
			late = append(late, l)
		}
		return old
	})
	return late
}

func pause(failures int) time.Duration {
	return min(lastPause, firstPause<<min(failures-1, 5))
}
