package grant

import (
	"fmt"
	"strings"

	"github.com/alchemi/cockpit/internal/id"
)

// Rule names what decided, for programs.
type Rule string

// The rules. RuleAllow and RuleOwn let through.
const (
	RuleAllow         Rule = "allow"
	RuleOwn           Rule = "own"
	RuleHeld          Rule = "held"
	RuleUnpublished   Rule = "unpublished"
	RuleDeny          Rule = "deny"
	RuleNotGranted    Rule = "not-granted"
	RuleExpired       Rule = "expired"
	RuleAuthorityLost Rule = "authority-lost"
	RuleDisabled      Rule = "disabled"
	RuleNotOffered    Rule = "not-offered"
	RuleArchived      Rule = "archived"
)

// Verdict is whether a scope may use a resource, and why.
type Verdict struct {
	Rule Rule
	// Resource is nil where the plane has no such thing.
	Resource *Resource
	// Grant decided; nil where none did.
	Grant *Grant
	// Needs is the path of the scope whose admins, and those above, can change a
	// refusal: "/" for the platform, "" when there is nothing to change.
	Needs string

	root string
}

// Allowed tells whether the resource may be used.
func (v Verdict) Allowed() bool { return v.Rule == RuleAllow || v.Rule == RuleOwn }

// Reason says what decided and who can change it, as a sentence for people.
func (v Verdict) Reason() string {
	name := "the resource"
	if v.Resource != nil {
		name = v.Resource.Name
	}
	switch v.Rule {
	case RuleAllow:
		if v.Grant == nil && v.Resource != nil && v.Resource.Owner != "" {
			return fmt.Sprintf("It belongs to the %s.", level(v.Resource.Owner))
		}
		if v.Grant == nil {
			return fmt.Sprintf("Admins of the %s decide for the whole plane.", level(v.root))
		}
		return fmt.Sprintf("Allowed at %s.", where(v.Grant))
	case RuleOwn:
		return "It belongs to this seat."
	case RuleHeld:
		return fmt.Sprintf("%s waits for approval: it is new, or changed since it was approved. Ask %s to look at it.", name, v.Who())
	case RuleUnpublished:
		return fmt.Sprintf("%s has no published version yet. Ask whoever builds it to publish one.", name)
	case RuleDeny:
		return fmt.Sprintf("%s is denied at %s, which nothing below lifts. Ask %s to lift it.", name, where(v.Grant), v.Who())
	case RuleExpired:
		return fmt.Sprintf("%s was allowed at %s until %s. Ask %s to allow it again.", name, where(v.Grant),
			v.Grant.ExpiresAt.UTC().Format("2006-01-02 15:04 MST"), v.Who())
	case RuleAuthorityLost:
		if v.Grant.adrift() {
			return fmt.Sprintf("%s was allowed at %s by somebody who administers it no longer. Ask %s to allow it.", name, where(v.Grant), v.Who())
		}
		return fmt.Sprintf("%s was allowed at %s by an admin of the %s, which no longer has it itself. Ask %s to allow it.",
			name, where(v.Grant), level(v.Grant.Authority), v.Who())
	case RuleDisabled:
		return fmt.Sprintf("%s is switched off. Ask %s to switch it on.", name, v.Who())
	case RuleNotOffered:
		return fmt.Sprintf("%s is not offered by the platform any more. Ask for another %s.", name, v.Resource.Kind.noun())
	case RuleArchived:
		return fmt.Sprintf("This place was archived, so nothing is used there. Ask %s to restore it.", v.Who())
	case RuleNotGranted:
	}
	return fmt.Sprintf("Nobody has allowed %s here or above. Ask %s to allow it.", name, v.Who())
}

// Who says in words who can change a refusal; "" when nothing is to change.
func (v Verdict) Who() string { return Admins(v.Needs) }

// Admins names in words the admins of a node and of those above it.
func Admins(path string) string {
	switch path {
	case "":
		return ""
	case "/":
		return "a super admin"
	}
	switch l := level(path); l {
	case "account":
		return "an admin of the account"
	case "Console", "Copilot":
		return "an admin of " + l + " or of the account"
	default:
		return "an admin of the " + l + " or of a scope above it"
	}
}

func where(g *Grant) string {
	switch l := level(g.Scope); l {
	case "Console", "Copilot":
		return l
	case "seat":
		return "the seat of " + g.ScopeName
	default:
		return "the " + l + " " + g.ScopeName
	}
}

var levels = map[id.Prefix]string{
	id.Account: "account", id.Console: "Console", id.Copilot: "Copilot", id.Organization: "organization",
	id.Team: "team", id.Member: "seat", id.Key: "key", id.Agent: "agent",
}

// level is the kind of a path's last node, in words.
func level(path string) string {
	last := path[strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')+1:]
	prefix, _, _ := strings.Cut(last, "_")
	if l, known := levels[id.Prefix(prefix)]; known {
		return l
	}
	return "scope"
}
