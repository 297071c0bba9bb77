package credential

import (
	"context"
	"net/url"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/connectioncredential"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Ready tells of connections of one account, by id, whether a call in
// somebody's name is signed in: State for many, by one query.
func (s *Store) Ready(ctx context.Context, accountID, userID string, list []*ent.Connection) (map[string]bool, error) {
	ctx = tenancy.System(ctx, "whoever uses a connection needs its credential, which nobody sees")
	out, ids := make(map[string]bool, len(list)), []string{}
	for _, c := range list {
		switch {
		case isOpen(c):
			out[c.ID] = true
		case c.Credential == connection.CredentialSHARED || userID != "":
			ids = append(ids, c.ID)
		}
	}
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := s.Store.ConnectionCredential.Query().Where(connectioncredential.AccountID(accountID),
		connectioncredential.ConnectionIDIn(ids...), connectioncredential.UserIDIn("", userID)).All(ctx)
	if err != nil {
		return nil, err
	}
	type place struct{ connectionID, owner string }
	at := make(map[place]*ent.ConnectionCredential, len(rows))
	for _, row := range rows {
		at[place{row.ConnectionID, row.UserID}] = row
	}
	for _, c := range list {
		owner, err := ownerOf(c, userID)
		if err != nil || out[c.ID] {
			continue // nobody's own, or open to all
		}
		state, err := s.stateOf(c, at[place{c.ID, owner}])
		if err != nil {
			return nil, err
		}
		out[c.ID] = state.Ready
	}
	return out, nil
}

// SignInPage is where a person signs in to a connection, or gives it a key of
// their own.
func (s *Store) SignInPage(connectionID string) string {
	return s.URL + SignInPath + "?connection=" + url.QueryEscape(connectionID)
}

// isOpen tells of connections that sign in nowhere.
func isOpen(c *ent.Connection) bool {
	return c.Auth == connection.AuthNONE && c.Kind != connection.KindMCP_STDIO
}
