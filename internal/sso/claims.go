package sso

import (
	"maps"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
)

// maxGroups bounds how many groups of a person are looked at.
const maxGroups = 1000

// person is what a provider says of somebody.
type person struct {
	issuer, subject string
	// email is lower case, empty where none was given; said is what the provider
	// says of its verification, nil for nothing.
	email string
	said  *bool
	name  string
	// hosted is the domain of the Google Workspace that the person belongs to.
	hosted string
	groups []string
}

// personOf reads claims by a provider's settings.
func personOf(p *ent.IdentityProvider, subject string, claims map[string]any) person {
	out := person{issuer: p.Issuer, subject: subject}
	out.email = strings.ToLower(strings.TrimSpace(text(claims, p.EmailClaim)))
	// What `email_verified` says is about the claim `email` alone; a `false` is
	// taken to heart whatever the address is read from.
	if verified, known := truth(claims["email_verified"]); known && (!verified || p.EmailClaim == "email") {
		out.said = &verified
	}
	out.hosted, _ = claims["hd"].(string)
	out.name = strings.TrimSpace(text(claims, p.NameClaim))
	if out.name == "" {
		out.name = strings.TrimSpace(text(claims, "given_name") + " " + text(claims, "family_name"))
	}
	out.name = clipTo(strings.Join(strings.Fields(out.name), " "), 120)
	for _, v := range dig(claims, p.GroupsClaim) {
		out.groups = append(out.groups, groupsIn(v)...)
	}
	out.groups = slices.DeleteFunc(out.groups, func(g string) bool { return g == "" || len(g) > 200 })
	slices.Sort(out.groups)
	out.groups = slices.Compact(out.groups)
	if len(out.groups) > maxGroups {
		out.groups = out.groups[:maxGroups]
	}
	return out
}

// truth reads a boolean; some providers send it as text.
func truth(v any) (value, known bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		return strings.EqualFold(v, "true"), v != ""
	}
	return false, v != nil
}

// text is the first text at a path; some providers send lists of one.
func text(claims map[string]any, path string) string {
	for _, v := range dig(claims, path) {
		switch v := v.(type) {
		case string:
			return v
		case []any:
			if len(v) > 0 {
				s, _ := v[0].(string)
				return s
			}
		}
	}
	return ""
}

// dig finds what lies at a path: dots lead into objects, and into the objects of
// a list. Names of claims may have dots themselves ("https://acme.example/groups"),
// so the longest name that fits comes first.
func dig(v any, path string) []any {
	if path == "" {
		return []any{v}
	}
	switch v := v.(type) {
	case []any:
		var out []any
		for _, item := range v[:min(len(v), maxGroups)] {
			out = append(out, dig(item, path)...)
		}
		return out
	case map[string]any:
		for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '.') {
			if inner, ok := v[path[:end]]; ok {
				return dig(inner, strings.TrimPrefix(path[end:], "."))
			}
		}
	}
	return nil
}

// groupsIn reads groups in the shapes that providers send: a name, a list of
// names, a list of objects that have one, or an object whose keys are the names.
func groupsIn(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, item := range v[:min(len(v), maxGroups)] {
			switch item := item.(type) {
			case string:
				out = append(out, item)
			case map[string]any:
				for _, key := range []string{"name", "displayName", "display", "value", "id"} {
					if name, _ := item[key].(string); name != "" {
						out = append(out, name)
						break
					}
				}
			}
		}
		return out
	case map[string]any:
		var out []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if v[name] != nil && v[name] != false {
				out = append(out, name)
			}
		}
		return out
	}
	return nil
}
