package demo

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/oauth"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// programs makes alchemi-ai, which acts for people whom it names, and
// alchemi-web, which runs in their browsers and asks them.
func (s *seeder) programs(ctx context.Context, a *ent.Account, person *ent.User) error {
	both, yes := []tenancy.Plane{tenancy.Console, tenancy.Copilot}, true
	permissions := []string{"profile", "read", "models.call"}
	name, about := "alchemi-ai", "Answers people in their own name, at the cost of their seat."
	ai, secret, err := oauth.AddClient(ctx, s.tx, s.now, a.ID, false, oauth.ClientInput{Name: &name, Description: &about, Planes: both,
		Permissions: append([]string{"tools.call", "agents.resolve"}, permissions...), ClientCredentials: &yes, TokenExchange: &yes, TrustedSubjects: &yes})
	if err != nil {
		return err
	}
	name, about = "alchemi-web", "The assistant in the browser."
	web, _, err := oauth.AddClient(ctx, s.tx, s.now, a.ID, true, oauth.ClientInput{Name: &name, Description: &about, Planes: both,
		Permissions: permissions, RedirectURIs: []string{"http://localhost:5173/callback", "http://127.0.0.1:5173/callback"}})
	if err != nil {
		return err
	}
	s.client = ai.ID
	s.env[ClientID], s.env[ClientSecret], s.env[WebClientID], s.env[MemberID] = ai.ID, secret, web.ID, person.ID
	return nil
}
