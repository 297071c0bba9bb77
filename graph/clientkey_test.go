package graph

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/key"
	"github.com/alchemi/cockpit/ent/mutationkey"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	keyedCreate = `mutation($i: KeyCreateInput!) { keyCreate(input: $i) { secret key { ... on Key { id name } } errors { code message } } }`
	aClientKey  = "9f1c2b7e-0000-4000-8000-000000000001"
)

// Mutations without a clientKey, and why.
var withoutClientKey = map[string]string{
	"sessionCreate": "no viewer yet", "invitationAccept": "no viewer yet", "passwordResetRequest": "no viewer", "passwordReset": "no viewer",
	"sessionSwitch": "its result is a cookie", "sessionEnd": "its result is a cookie", "supportAccessStart": "its result is a cookie",
	"supportAccessEnter": "its result is a cookie", "supportAccessEnd": "its result is a cookie",
}

func TestEveryMutationTakesAClientKey(t *testing.T) {
	t.Parallel()
	schema := Schema()
	documented, excepted := "", 0
	for _, m := range schema.Mutation.Fields {
		if strings.HasPrefix(m.Name, "__") {
			continue
		}
		if withoutClientKey[m.Name] != "" {
			excepted++
			if in := m.Arguments.ForName("input"); in != nil {
				require.Nil(t, schema.Types[in.Type.Name()].Fields.ForName("clientKey"), "%s is said to take none", m.Name)
			}
			continue
		}
		require.Len(t, m.Arguments, 1, m.Name)
		in := m.Arguments.ForName("input")
		require.NotNil(t, in, m.Name)
		f := schema.Types[in.Type.Name()].Fields.ForName("clientKey")
		require.NotNil(t, f, "%s takes no clientKey", m.Name)
		require.Equal(t, "String", f.Type.String(), m.Name)
		if documented == "" {
			documented = f.Description
		}
		require.Equal(t, documented, f.Description, "%s says it in other words", m.Name)
	}
	require.Len(t, withoutClientKey, excepted, "an exception that isn't a mutation")
}

// keyed is an input for keyCreate under a client's key.
func keyed(owner *ent.Scope, model *ent.Model, name, clientKey string) map[string]any {
	return map[string]any{"i": map[string]any{"name": name, "ownerId": owner.ID, "modelIds": []any{model.ID}, "clientKey": clientKey}}
}

func (a *api) keysNamed(name string) int {
	a.t.Helper()
	ctx := identitytest.System(a.t)
	ids, err := a.Store.Scope.Query().Where(scope.Name(name)).IDs(ctx)
	require.NoError(a.t, err)
	n, err := a.Store.Key.Query().Where(key.IDIn(ids...)).Count(ctx)
	require.NoError(a.t, err)
	return n
}

// claims are the rows of real keys; the tree has planted others.
func (a *api) claims() []*ent.MutationKey {
	a.t.Helper()
	rows, err := a.Store.MutationKey.Query().Where(mutationkey.KeyHashNEQ("k")).Order(ent.Asc(mutationkey.FieldID)).All(identitytest.System(a.t))
	require.NoError(a.t, err)
	return rows
}

// set changes a column of a claim past everything.
func (a *api) set(row *ent.MutationKey, column string, value any) {
	a.t.Helper()
	query := "UPDATE mutation_keys SET " + column + " = ? WHERE id = ?"
	if a.Store.Dialect == store.Postgres {
		query = "UPDATE mutation_keys SET " + column + " = $1 WHERE id = $2"
	}
	_, err := a.Store.System().ExecContext(a.t.Context(), query, value, row.ID)
	require.NoError(a.t, err)
}

// restart serves anew from what the database has.
func (a *api) restart() {
	a.t.Helper()
	box, err := secret.NewBox(masterKey)
	require.NoError(a.t, err)
	r := *a.resolver
	r.Box = box
	a.handler = New(&r)
}

func TestClientKeyGivesTheStoredResult(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		in := keyed(p.Member, p.Model, "once", aClientKey)
		first := a.ok(p.Seat, keyedCreate, in)
		require.Empty(t, first.at("keyCreate", "errors"), "%+v", first)
		made, _ := first.at("keyCreate", "secret").(string)
		require.Greater(t, len(made), 40)
		require.Equal(t, first.Data, a.ok(p.Seat, keyedCreate, in).Data)
		a.restart()
		require.Equal(t, first.Data, a.ok(p.Seat, keyedCreate, in).Data, "after a restart")

		aliased := a.ok(p.Seat, `mutation($n: String!, $o: ID!, $m: [ID!]!, $k: String) {
			again: keyCreate(input: {modelIds: $m, ownerId: $o, clientKey: $k, name: $n}) {
				secret, key { ...Made } errors { code, message } } }
			fragment Made on Key { id name }`,
			map[string]any{"n": "once", "o": p.Member.ID, "m": []any{p.Model.ID}, "k": aClientKey})
		require.NotNil(t, aliased.at("again", "secret"), "%+v", aliased)
		require.Equal(t, made, aliased.at("again", "secret"), "the same call in other words")

		other := a.do(p.Seat, keyedCreate, keyed(p.Member, p.Model, "another", aClientKey))
		require.Equal(t, "CONFLICT", other.code())
		require.Contains(t, other.Errors[0].Message, "another input")
		require.Equal(t, []any{"keyCreate"}, other.Errors[0].Path)
		narrower := a.do(p.Seat, `mutation($i: KeyCreateInput!) { keyCreate(input: $i) { key { id } } }`, in)
		require.Equal(t, "CONFLICT", narrower.code())
		require.Contains(t, narrower.Errors[0].Message, "selection")
		require.Equal(t, 1, a.keysNamed("once"))
		require.Zero(t, a.keysNamed("another"))

		rows := a.claims()
		require.Len(t, rows, 1)
		require.Equal(t, p.Seat.AccountID, rows[0].AccountID)
		require.Equal(t, p.Seat.UserID, *rows[0].UserID)
		for _, secretText := range []string{made, aClientKey, "once"} {
			require.NotContains(t, fmt.Sprintf("%s %s %+v", rows[0].SealedRequest, rows[0].SealedAnswer, rows[0]), secretText)
		}
		require.Equal(t, store.ClaimsLast, rows[0].ExpiresAt.Sub(rows[0].CreatedAt))

		for _, bad := range []string{"", "short", strings.Repeat("x", 65), "with a blank", "ümlaut-key"} {
			require.Equal(t, "BAD_INPUT", a.do(p.Seat, keyedCreate, keyed(p.Member, p.Model, "bad", bad)).code(), bad)
		}
		require.Zero(t, a.keysNamed("bad"))
	})
}

// What was changed can't be changed again, but its repetition succeeds.
func TestRepeatedChangesSucceed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		version := a.ok(a.A.Admin, `query($id: ID!) { node(id: $id) { ... on Organization { budget { version } } } }`, map[string]any{"id": p.Org.ID}).at("node", "budget", "version")
		set := map[string]any{"i": map[string]any{"scopeId": p.Org.ID, "limit": "77", "expectedVersion": version, "clientKey": aClientKey}}
		first := a.ok(p.Admin, setBudget, set)
		require.Empty(t, first.at("budgetSet", "errors"))
		require.Equal(t, first.Data, a.ok(p.Admin, setBudget, set).Data)

		const revoke = `mutation($i: KeyRevokeInput!) { keyRevoke(input: $i) { key { state } errors { code } } }`
		in := map[string]any{"i": map[string]any{"keyId": p.KeyScope.ID, "clientKey": aClientKey}}
		require.Equal(t, "REVOKED", a.ok(p.Admin, revoke, in).at("keyRevoke", "key", "state"))
		require.Equal(t, "REVOKED", a.ok(p.Admin, revoke, in).at("keyRevoke", "key", "state"), "each mutation has keys of its own")

		const remove = `mutation($i: TeamDeleteInput!) { teamDelete(input: $i) { impact { teams } errors { code message } } }`
		in = map[string]any{"i": map[string]any{"teamId": p.SiblingTeam.ID, "dryRun": true, "clientKey": aClientKey}}
		a.ok(p.Admin, remove, in)
		require.Len(t, a.claims(), 2, "what was only tried takes no key")
		in = map[string]any{"i": map[string]any{"teamId": p.SiblingTeam.ID, "confirm": p.SiblingTeam.Name, "clientKey": aClientKey}}
		first = a.ok(p.Admin, remove, in)
		require.Empty(t, first.at("teamDelete", "errors"), "%+v", first)
		require.Equal(t, first.Data, a.ok(p.Admin, remove, in).Data, "of what is no more")
		require.Len(t, a.claims(), 3)

		super := map[string]any{"i": map[string]any{"accountId": a.A.Row.ID, "name": "Alpha 2", "clientKey": aClientKey}}
		const rename = `mutation($i: AccountUpdateInput!) { accountUpdate(input: $i) { account { name version } errors { code message } } }`
		first = a.ok(a.SuperAdmin, rename, super)
		require.Empty(t, first.at("accountUpdate", "errors"), "%+v", first)
		require.Equal(t, first.Data, a.ok(a.SuperAdmin, rename, super).Data, "staff, past the tenants' wall")
	})
}

func TestRefusedMutationsTakeNoKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		refused := a.ok(p.Seat, keyedCreate, keyed(p.Member, p.Model, " ", aClientKey))
		require.NotNil(t, refused.at("keyCreate", "errors", 0, "code"))
		require.NotNil(t, a.ok(p.Seat, keyedCreate, keyed(p.Team, p.Model, "out of reach", aClientKey)).at("keyCreate", "errors", 0, "code"))
		require.Empty(t, a.claims())
		require.Empty(t, a.ok(p.Seat, keyedCreate, keyed(p.Member, p.Model, "mended", aClientKey)).at("keyCreate", "errors"))
	})
}

func TestParallelCallsChangeOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		in := keyed(p.Member, p.Model, "race", aClientKey)
		answers := make([]answer, 8)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = a.do(p.Seat, keyedCreate, in) })
		}
		all.Wait()
		for i, got := range answers {
			require.Empty(t, got.Errors, "%d: %+v", i, got.Errors)
			require.NotNil(t, got.at("keyCreate", "secret"))
			require.Equal(t, answers[0].Data, got.Data, i)
		}
		require.Equal(t, 1, a.keysNamed("race"))

		twice := a.ok(p.Seat, `mutation($i: KeyCreateInput!) { a: keyCreate(input: $i) { secret errors { code } } b: keyCreate(input: $i) { secret errors { code } } }`,
			keyed(p.Member, p.Model, "twice", "in-one-document"))
		require.NotNil(t, twice.at("a", "secret"))
		require.Equal(t, twice.at("a", "secret"), twice.at("b", "secret"))
		require.Equal(t, 1, a.keysNamed("twice"))
	})
}

func TestClientKeysOfOthersAreTheirOwn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		script := *p.TeamAdmin
		script.TokenID, script.TokenName = "pat_01JD0000000000000000000000", "script"
		program := *p.TeamAdmin
		program.ClientID, program.ClientName = "cli_01JD0000000000000000000000", "program"
		programOfAnother := *p.OrgAdmin
		programOfAnother.ClientID, programOfAnother.ClientName = program.ClientID, program.ClientName
		support := *a.A.Admin
		support.UserID, support.SupportID = a.SuperAdmin.UserID, a.A.Support.ID
		in := keyed(p.Member, p.Model, "mine", aClientKey)
		secrets := map[any]bool{}
		for i, v := range []*tenancy.Viewer{p.TeamAdmin, p.OrgAdmin, a.A.Admin, &script, &program, &programOfAnother, &support} {
			out := a.ok(v, keyedCreate, in)
			require.NotNil(t, out.at("keyCreate", "secret"), "%d: %+v", i, out)
			secrets[out.at("keyCreate", "secret")] = true
			require.Len(t, secrets, i+1, "somebody got another's answer")
		}
		foreign := a.ok(a.B.Admin, keyedCreate, in)
		require.Equal(t, "NOT_FOUND", foreign.at("keyCreate", "errors", 0, "code"))
		own := a.ok(a.B.Admin, keyedCreate, keyed(a.B.Console.Member, a.B.Console.Model, "theirs", aClientKey))
		require.Empty(t, own.at("keyCreate", "errors"))

		// An answer moved to a row of one's own isn't shown either.
		rows := a.claims()
		require.Len(t, rows, 8)
		a.set(rows[0], "sealed_answer", rows[1].SealedAnswer)
		stolen := a.do(p.TeamAdmin, keyedCreate, in)
		require.Equal(t, "CONFLICT", stolen.code())
		require.Contains(t, stolen.Errors[0].Message, "wasn't kept")
		require.Nil(t, rows[6].UserID, "who supports is no person of the account")
	})
}

func TestWhoLostTheRightGetsNoStoredResult(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		in := keyed(p.Member, p.Model, "lost", aClientKey)
		require.NotNil(t, a.ok(p.TeamAdmin, keyedCreate, in).at("keyCreate", "secret"))
		elsewhere, nothing := *p.TeamAdmin, *p.TeamAdmin
		elsewhere.Roles, elsewhere.Reach = p.SiblingTeamAdmin.Roles, p.SiblingTeamAdmin.Reach
		nothing.Roles, nothing.Reach = nil, nil
		for name, v := range map[string]*tenancy.Viewer{"an admin elsewhere": &elsewhere, "nobody any more": &nothing} {
			out := a.do(v, keyedCreate, in)
			require.Equal(t, "FORBIDDEN", out.code(), name)
			require.Nil(t, out.at("keyCreate", "secret"), name)
		}
		require.NotNil(t, a.ok(p.TeamAdmin, keyedCreate, in).at("keyCreate", "secret"), "who got it back")

		// What was moved is judged where it lies now.
		moving := keyed(p.Member, p.Model, "moving", aClientKey)
		require.NotNil(t, a.ok(p.OrgAdmin, keyedCreate, moving).at("keyCreate", "secret"))
		moved := a.ok(p.Admin, `mutation($i: TeamMoveInput!) { teamMove(input: $i) { errors { code message } } }`,
			map[string]any{"i": map[string]any{"teamId": p.Team.ID, "organizationId": p.SiblingOrg.ID}})
		require.Empty(t, moved.at("teamMove", "errors"), "%+v", moved)
		require.Equal(t, "FORBIDDEN", a.do(p.OrgAdmin, keyedCreate, moving).code())
	})
}

// A server that died between its commit and its answer leaves a key without an
// answer: the change isn't made again.
func TestLostAnswersAndExpiry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		in := keyed(p.Member, p.Model, "crash", aClientKey)
		a.ok(p.Seat, keyedCreate, in)
		row := a.claims()[0]
		answered := row.SealedAnswer
		a.set(row, "sealed_answer", nil)
		late := make(chan answer, 1)
		go func() { late <- a.do(p.Seat, keyedCreate, in) }()
		time.Sleep(2 * answerPoll)
		a.set(row, "sealed_answer", answered)
		require.NotNil(t, (<-late).at("keyCreate", "secret"), "one that comes in between waits")

		a.set(row, "sealed_answer", nil)
		a.set(row, "created_at", a.Store.Now().Add(-time.Hour))
		out := a.do(p.Seat, keyedCreate, in)
		require.Equal(t, "CONFLICT", out.code())
		require.Contains(t, out.Errors[0].Message, "wasn't kept")
		require.Equal(t, 1, a.keysNamed("crash"))

		a.set(row, "expires_at", a.Store.Now())
		require.NotNil(t, a.ok(p.Seat, keyedCreate, keyed(p.Member, p.Model, "a day later", aClientKey)).at("keyCreate", "secret"))
		rows := a.claims()
		require.Len(t, rows, 1)
		a.set(rows[0], "expires_at", a.Store.Now())
		n, err := a.Store.PruneClaims(context.Background())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Empty(t, a.claims())
	})
}
