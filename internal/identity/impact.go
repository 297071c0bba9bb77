package identity

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/store"
)

// Impact is what a change of the tree did, or would do.
type Impact struct {
	Teams, SeatsMoved, SeatsEnded      int
	Keys, Budgets, Grants, Invitations int
	Roles                              int
	// Notes say in words what else changes.
	Notes []string
}

func (i *Impact) add(more Impact) {
	i.Teams += more.Teams
	i.SeatsMoved += more.SeatsMoved
	i.SeatsEnded += more.SeatsEnded
	i.Keys += more.Keys
	i.Budgets += more.Budgets
	i.Grants += more.Grants
	i.Invitations += more.Invitations
	i.Roles += more.Roles
	i.Notes = append(i.Notes, more.Notes...)
}

// changes are the counts that an audit event tells of.
func (i *Impact) changes() map[string]audit.Change {
	out := map[string]audit.Change{}
	for name, n := range map[string]int{"teams": i.Teams, "seatsMoved": i.SeatsMoved, "seatsEnded": i.SeatsEnded, "keysRevoked": i.Keys,
		"budgetsEnded": i.Budgets, "grantsRemoved": i.Grants, "invitationsRevoked": i.Invitations, "rolesEnded": i.Roles} {
		if n > 0 {
			out[name] = audit.Change{After: n}
		}
	}
	return out
}

// below counts what an archive refuses, and what a move takes along.
func below(ctx context.Context, tx *store.Tx, now time.Time, s *ent.Scope) (teams, seats, keys, budgets int, err error) {
	err = tx.Rows(ctx, `SELECT s.kind, COUNT(*), COUNT(b.id), COUNT(CASE WHEN k.id IS NOT NULL AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?) THEN 1 END)
		FROM scopes s LEFT JOIN budgets b ON b.scope_id = s.id LEFT JOIN keys k ON k.id = s.id
		WHERE s.account_id = ? AND s.deleted_at IS NULL AND s.id <> ? AND substr(s.path, 1, ?) = ? GROUP BY s.kind`,
		[]any{now, s.AccountID, s.ID, len(s.Path), s.Path}, func(r *sql.Rows) error {
			var kind string
			var n, withBudget, live int
			err := r.Scan(&kind, &n, &withBudget, &live)
			budgets += withBudget
			switch kind {
			case "TEAM":
				teams = n
			case "MEMBER":
				seats = n
			case "KEY":
				keys = live
			}
			return err
		})
	return teams, seats, keys, budgets, err
}

// counted puts a number and its noun into words.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "person") {
		return fmt.Sprintf("%d people", n)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
