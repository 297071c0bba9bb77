package grant_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/grant"
)

const (
	root    = "/acc_1/con_1/"
	org     = root + "org_1/"
	other   = root + "org_12/"
	team    = org + "team_1/"
	sibling = org + "team_12/"
	seat    = team + "mem_1/"
	key     = seat + "key_1/"
)

var noon = time.Date(2027, 1, 15, 12, 0, 0, 0, time.UTC)

// set is a grant of the model m.
func set(effect grant.Effect, at, authority string) *grant.Grant {
	return &grant.Grant{ID: "grt_" + string(effect) + at, Resource: "m", Effect: effect, Scope: at, ScopeName: "X", Authority: authority}
}

func until(g *grant.Grant, t time.Time) *grant.Grant {
	g.ExpiresAt = t
	return g
}

func table(grants ...*grant.Grant) *grant.Table {
	return grant.NewTable(root, nil, []*grant.Resource{{ID: "m", Name: "M", State: grant.Usable}, {ID: "n", Name: "N", State: grant.Usable}}, grants)
}

func TestAsk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		grants []*grant.Grant
		at     string
		rule   grant.Rule
		needs  string
	}{
		"nothing granted means nothing allowed": {nil, seat, grant.RuleNotGranted, root},
		"the whole plane":                       {[]*grant.Grant{set(grant.Allow, root, root)}, key, grant.RuleAllow, ""},
		"the plane itself":                      {[]*grant.Grant{set(grant.Allow, root, root)}, root, grant.RuleAllow, ""},
		"a seat alone":                          {[]*grant.Grant{set(grant.Allow, seat, root)}, key, grant.RuleAllow, ""},
		"not above it":                          {[]*grant.Grant{set(grant.Allow, seat, root)}, team, grant.RuleNotGranted, root},
		"not beside it":                         {[]*grant.Grant{set(grant.Allow, team, root)}, sibling, grant.RuleNotGranted, root},
		"a name that begins alike":              {[]*grant.Grant{set(grant.Allow, org, root)}, other, grant.RuleNotGranted, root},
		"a denial above":                        {[]*grant.Grant{set(grant.Deny, root, root), set(grant.Allow, seat, root)}, seat, grant.RuleDeny, root},
		"a denial below":                        {[]*grant.Grant{set(grant.Allow, root, root), set(grant.Deny, team, team)}, seat, grant.RuleDeny, team},
		"beside a denial":                       {[]*grant.Grant{set(grant.Allow, root, root), set(grant.Deny, team, team)}, sibling, grant.RuleAllow, ""},
		"the highest denial":                    {[]*grant.Grant{set(grant.Allow, root, root), set(grant.Deny, org, org), set(grant.Deny, team, team)}, seat, grant.RuleDeny, org},
		"handed on":                             {[]*grant.Grant{set(grant.Allow, org, root), set(grant.Allow, team, org)}, seat, grant.RuleAllow, ""},
		"handed on by nobody who has it":        {[]*grant.Grant{set(grant.Allow, team, org)}, seat, grant.RuleAuthorityLost, root},
		"by one's own word":                     {[]*grant.Grant{set(grant.Allow, org, org)}, org, grant.RuleAuthorityLost, root},
		"two vouch for each other":              {[]*grant.Grant{set(grant.Allow, org, org), set(grant.Allow, team, org)}, team, grant.RuleAuthorityLost, root},
		"the team vouches below the org":        {[]*grant.Grant{set(grant.Allow, org, org), set(grant.Allow, seat, team)}, seat, grant.RuleAuthorityLost, root},
		"authority of the account":              {[]*grant.Grant{set(grant.Allow, team, "/acc_1/")}, seat, grant.RuleAllow, ""},
		"authority elsewhere":                   {[]*grant.Grant{set(grant.Allow, other, root), set(grant.Allow, team, other)}, seat, grant.RuleAuthorityLost, root},
		"authority gone":                        {[]*grant.Grant{set(grant.Allow, team, "")}, seat, grant.RuleAuthorityLost, root},
		"denied by authority elsewhere":         {[]*grant.Grant{set(grant.Allow, root, root), set(grant.Deny, team, other)}, seat, grant.RuleDeny, root},
		"a moment before":                       {[]*grant.Grant{until(set(grant.Allow, team, root), noon.Add(time.Microsecond))}, seat, grant.RuleAllow, ""},
		"expired to the moment":                 {[]*grant.Grant{until(set(grant.Allow, team, root), noon)}, seat, grant.RuleExpired, root},
		"expired, who may again":                {[]*grant.Grant{set(grant.Deny, sibling, root), set(grant.Allow, other, root), until(set(grant.Allow, seat, team), noon)}, seat, grant.RuleExpired, root},
		"a denial expires":                      {[]*grant.Grant{set(grant.Allow, root, root), until(set(grant.Deny, team, team), noon)}, seat, grant.RuleAllow, ""},
		"whose authority expired":               {[]*grant.Grant{until(set(grant.Allow, org, root), noon), set(grant.Allow, team, org)}, seat, grant.RuleExpired, root},
		"another plane":                         {[]*grant.Grant{set(grant.Allow, root, root)}, "/acc_1/cop_1/org_1/", grant.RuleNotGranted, root},
		"another account":                       {[]*grant.Grant{set(grant.Allow, root, root)}, "/acc_2/con_1/org_1/", grant.RuleNotGranted, root},
		"above the plane":                       {[]*grant.Grant{set(grant.Allow, root, root)}, "/acc_1/", grant.RuleNotGranted, root},
		"nowhere":                               {[]*grant.Grant{set(grant.Allow, root, root)}, "", grant.RuleNotGranted, root},
	} {
		v := table(c.grants...).Ask("m", c.at, noon)
		require.Equal(t, c.rule, v.Rule, name)
		require.Equal(t, c.needs, v.Needs, name)
		require.Equal(t, c.rule == grant.RuleAllow, v.Allowed(), name)
		require.NotEmpty(t, v.Reason(), name)
		require.Equal(t, grant.RuleNotGranted, table(c.grants...).Ask("n", c.at, noon).Rule, "%s: grants of one model say nothing of another", name)
		require.False(t, table(c.grants...).Ask("", c.at, noon).Allowed(), name)
	}
}

func TestAskAboutStates(t *testing.T) {
	t.Parallel()
	everywhere := set(grant.Allow, root, root)
	ask := func(s grant.State, archived ...string) grant.Verdict {
		return grant.NewTable(root, archived, []*grant.Resource{{ID: "m", Name: "M", State: s}}, []*grant.Grant{everywhere}).Ask("m", seat, noon)
	}
	require.Equal(t, grant.RuleAllow, ask(grant.Usable).Rule)
	require.Equal(t, grant.RuleDisabled, ask(grant.Disabled).Rule)
	require.Equal(t, grant.RuleNotOffered, ask(grant.NotOffered).Rule)
	require.Equal(t, grant.RuleNotOffered, ask(grant.State(0)).Rule, "what says nothing is refused")
	require.Equal(t, grant.RuleAllow, ask(grant.Usable, other, sibling).Rule)
	v := ask(grant.Usable, team, org)
	require.Equal(t, grant.RuleArchived, v.Rule)
	require.Equal(t, root, v.Needs, "the highest archived scope counts, and those above restore it")
	require.Equal(t, org, ask(grant.Usable, team).Needs)
}

// The way out is in the words, level by level.
func TestReasonsSayWhoCanChangeIt(t *testing.T) {
	t.Parallel()
	reason := func(grants ...*grant.Grant) string { return table(grants...).Ask("m", seat, noon).Reason() }
	require.Equal(t, "Nobody has allowed M here or above. Ask an admin of Console or of the account to allow it.", reason())
	require.Equal(t, "M is denied at the team X, which nothing below lifts. Ask an admin of the organization or of a scope above it to lift it.",
		reason(set(grant.Allow, root, root), set(grant.Deny, team, org)))
	require.Equal(t, "M was allowed at Console until 2027-01-15 12:00 UTC. Ask an admin of Console or of the account to allow it again.",
		reason(until(set(grant.Allow, root, root), noon)))
	require.Contains(t, reason(set(grant.Allow, team, org)), "by an admin of the organization, which no longer has it itself")
	require.Contains(t, reason(set(grant.Allow, team, other)), "administers it no longer")
	require.Equal(t, "Allowed at the seat of X.", reason(set(grant.Allow, seat, root)))
}

func TestStands(t *testing.T) {
	t.Parallel()
	handed := set(grant.Allow, team, org)
	tab := table(set(grant.Allow, org, root), handed, set(grant.Deny, seat, team), until(set(grant.Allow, sibling, root), noon))
	require.True(t, tab.Stands(handed.ID, noon))
	require.True(t, tab.Stands("grt_DENY"+seat, noon))
	require.False(t, tab.Stands("grt_ALLOW"+sibling, noon))
	require.False(t, tab.Stands("grt_nothing", noon))
	require.False(t, table(handed).Stands(handed.ID, noon), "what the organization has lost, it hands on no more")
	denied := table(set(grant.Allow, org, root), set(grant.Deny, org, root), handed)
	require.False(t, denied.Stands("grt_ALLOW"+team, noon))
}

func TestHolds(t *testing.T) {
	t.Parallel()
	tab := table(set(grant.Allow, org, root), set(grant.Deny, sibling, root), set(grant.Allow, other, other))
	require.True(t, tab.Holds("m", root, noon).Allowed())
	require.True(t, tab.Holds("m", "/acc_1/", noon).Allowed())
	require.True(t, tab.Holds("m", org, noon).Allowed())
	require.True(t, tab.Holds("m", team, noon).Allowed())
	for _, at := range []string{sibling, other, "", "/acc_1/cop_1/", "/acc_2/con_1/"} {
		require.False(t, tab.Holds("m", at, noon).Allowed(), at)
	}
	require.False(t, tab.Holds("n", org, noon).Allowed())
	require.False(t, tab.Holds("nothing", root, noon).Allowed())
}

// crowded is a plane with 1,000 grants of 20 models, and a path on which every
// level says something.
func crowded() *grant.Table {
	var resources []*grant.Resource
	var grants []*grant.Grant
	for i := range 20 {
		r := &grant.Resource{ID: fmt.Sprintf("mod_%d", i), Name: fmt.Sprintf("model-%d", i), State: grant.Usable}
		resources = append(resources, r)
		for j := range 44 {
			grants = append(grants, &grant.Grant{ID: fmt.Sprintf("grt_%d_%d", i, j), Resource: r.ID, Effect: grant.Allow,
				Scope: fmt.Sprintf("%sorg_1/team_%d/", root, 100+j), Authority: root})
		}
		for j, at := range []string{root, org, team, seat, key} {
			authority := root
			if j > 0 {
				authority = []string{root, org, team, team, team}[j]
			}
			grants = append(grants, &grant.Grant{ID: fmt.Sprintf("grt_%d_p%d", i, j), Resource: r.ID, Effect: grant.Allow, Scope: at, Authority: authority})
		}
		grants = append(grants, &grant.Grant{ID: fmt.Sprintf("grt_%d_d", i), Resource: r.ID, Effect: grant.Deny, Scope: sibling, Authority: org})
	}
	return grant.NewTable(root, []string{other}, resources, grants)
}

func TestAskingAllocatesNothing(t *testing.T) {
	tab := crowded()
	require.Equal(t, grant.RuleAllow, tab.Ask("mod_7", key, noon).Rule)
	require.Zero(t, testing.AllocsPerRun(1000, func() { tab.Ask("mod_7", key, noon) }))
}

// One decision of the gateway in a plane with 1,000 grants, five of them on the
// path and each resting on the one above.
func BenchmarkAsk(b *testing.B) {
	tab := crowded()
	b.ReportAllocs()
	for b.Loop() {
		if !tab.Ask("mod_7", key, noon).Allowed() {
			b.Fatal("refused")
		}
	}
}

// What GET /v1/models asks: every model of the plane.
func BenchmarkAllowed(b *testing.B) {
	tab := crowded()
	b.ReportAllocs()
	for b.Loop() {
		if len(tab.Allowed(key, noon)) != 20 {
			b.Fatal("refused")
		}
	}
}

func TestNextExpiry(t *testing.T) {
	t.Parallel()
	require.Zero(t, table(set(grant.Allow, root, root)).NextExpiry(noon))
	all := table(until(set(grant.Allow, org, root), noon), until(set(grant.Deny, team, root), noon.Add(2*time.Hour)), until(set(grant.Allow, seat, root), noon.Add(time.Hour)))
	require.Equal(t, noon, all.NextExpiry(noon.Add(-time.Nanosecond)))
	require.Equal(t, noon.Add(time.Hour), all.NextExpiry(noon), "what expires now has expired")
	require.Equal(t, noon.Add(2*time.Hour), all.NextExpiry(noon.Add(time.Hour)))
	require.Zero(t, all.NextExpiry(noon.Add(2*time.Hour)))
}
