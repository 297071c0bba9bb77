package guardrail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/fault"
)

const (
	// moderationPart is how much of a whole text a service is asked about at once.
	moderationPart = 32 << 10
	// moderationWindow is how much of a stream is held back until it was asked.
	moderationWindow  = 4 << 10
	maxModerationBody = 1 << 20
)

// moderationRule is the name by which findings of outside services are counted.
const moderationRule = "Moderation"

// moderate asks the services about a text. It returns why the text may not go
// on.
func (l *Look) moderate(ctx context.Context, text string) error {
	for _, p := range l.moderated {
		for rest := text; rest != ""; {
			part := rest[:min(len(rest), moderationPart)]
			rest = rest[len(part):]
			flagged, err := l.set.guards.ask(ctx, p, strings.ToValidUTF8(part, ""))
			switch {
			case err != nil && p.rules.Moderation.FailOpen:
				l.set.guards.Log.WarnContext(ctx, "a moderation service doesn't answer; its guardrail lets texts pass", "preset", p.row.ID, "error", err)
			case err != nil:
				return fault.New(fault.Unavailable, "The moderation service of the guardrail %q doesn't answer, and nothing passes without it. Try again later, or ask an admin.",
					p.row.Name).Because(err)
			case flagged:
				l.set.event(ctx, detect.Block, l.direction, p.row.ID, p.row.Name, moderationRule)
				return refusal(l.direction, p.row.Name, moderationRule)
			}
		}
	}
	return nil
}

// ask asks a preset's service, in the format of OpenAI's /v1/moderations.
func (g *Guards) ask(ctx context.Context, p *preset, text string) (flagged bool, err error) {
	m := p.rules.Moderation
	ctx, cancel := context.WithTimeout(ctx, m.Timeout())
	defer cancel()
	body, err := json.Marshal(struct {
		Input string `json:"input"`
		Model string `json:"model,omitempty"`
	}{text, m.Model})
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.row.ModerationURL, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "cockpit")
	if len(p.row.ModerationSecret) > 0 {
		key, err := g.Box.Open(p.row.ID, p.row.ModerationSecret)
		if err != nil {
			return false, err
		}
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := g.Client.Do(req)
	if err != nil {
		return false, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return false, fmt.Errorf("the service answered %s", res.Status)
	}
	var answer struct {
		Results []struct {
			Flagged *bool `json:"flagged"`
		} `json:"results"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxModerationBody)).Decode(&answer); err != nil {
		return false, err
	}
	if len(answer.Results) == 0 {
		return false, errors.New("the service's answer has no results")
	}
	for _, r := range answer.Results {
		if r.Flagged == nil {
			return false, errors.New("the service's answer doesn't say whether it flags the text")
		}
		flagged = flagged || *r.Flagged
	}
	return flagged, nil
}
