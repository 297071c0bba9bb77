package mail

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	netmail "net/mail"
	"strings"
	"unicode"

	gomail "github.com/wneessen/go-mail"
)

// Message is a mail in words. Names in it may come from strangers: they are
// shown as they are, and can neither add headers nor markup.
type Message struct {
	// To is an address alone.
	To      string
	Subject string
	// Lines are paragraphs, above the link.
	Lines []string
	// Action is what the link is called: "Accept the invitation".
	Action, Link string
	// Fine are small paragraphs below the link.
	Fine []string
	// ID, if set, is the same for every attempt at this mail, so that mailboxes
	// can tell a second copy of it.
	ID string
}

//go:embed message.html
var page string

var body = template.Must(template.New("mail").Parse(page))

// letter brings a message into its form on the wire.
func (msg Message) letter(from *netmail.Address) (*gomail.Msg, error) {
	to, err := netmail.ParseAddress(msg.To)
	if err != nil || to.Address != msg.To || strings.ContainsFunc(msg.To, unicode.IsControl) {
		return nil, fmt.Errorf("mail: %q isn't an address alone", msg.To)
	}
	out := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	out.FromMailAddress(from)
	out.ToMailAddress(to)
	out.Subject(clip(plain(msg.Subject), 200))
	out.SetGenHeader("Auto-Submitted", "auto-generated")
	if msg.ID != "" {
		_, host, _ := strings.Cut(from.Address, "@")
		out.SetMessageIDWithValue(msg.ID + "@" + host)
	}
	shown := Message{Subject: plain(msg.Subject), Lines: each(msg.Lines), Action: plain(msg.Action), Link: msg.Link, Fine: each(msg.Fine)}
	out.SetBodyString(gomail.TypeTextPlain, shown.text())
	var html bytes.Buffer
	if err := body.Execute(&html, shown); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	out.AddAlternativeString(gomail.TypeTextHTML, html.String())
	return out, nil
}

func (msg Message) text() string {
	parts := append([]string{}, msg.Lines...)
	if msg.Link != "" {
		parts = append(parts, msg.Action+":\n"+msg.Link)
	}
	return strings.Join(append(parts, msg.Fine...), "\n\n") + "\n"
}

func each(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = plain(l)
	}
	return out
}

// plain makes one line of a text: whatever breaks lines or turns their
// direction becomes a space.
func plain(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
