package access

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Decision is what the policies said, and why. A refusal of a whole operation
// names Coordinates; one of an action names Action and Target.
type Decision struct {
	// ID is set on what was refused, not on what was only asked: people quote
	// it, the audit log has it.
	ID      string
	Allowed bool
	// Rule names what decided, for programs: "ADMIN:TEAM", "own-budget".
	Rule string
	// Reason is a sentence for the viewer; a refusal's says who can.
	Reason string
	// Policy is the revision of the policies that decided.
	Policy      string
	Action      Action
	Target      Target
	Coordinates []string
	// off says which feature isn't on, and who can switch it on.
	off *fault.Error
}

// Target is the node that an action is about, from a row that the viewer could
// read.
type Target struct {
	Kind  tenancy.Kind
	Plane tenancy.Plane
	Path  string
	// Owner is the person who answers for what lies there; empty for none.
	Owner string
	// Within asks about no node in particular of a subtree, given by its path: a
	// feature that is on anywhere in it is enough.
	Within string
}

func newDecisionID() string { return id.New(id.Decision) }

func (d Decision) fault(signedIn bool) *fault.Error {
	if !signedIn {
		return fault.New(fault.Unauthenticated, "Sign in first, or send a valid credential.")
	}
	code := fault.Forbidden
	if d.off != nil {
		code = d.off.Code
	}
	f := fault.New(code, "%s", d.Reason).With("decisionId", d.ID).With("rule", d.Rule)
	if len(d.Coordinates) > 0 {
		f = f.With("denied", d.Coordinates)
	}
	return f
}

// question holds everything that roles.rego reads, and nothing else.
type question struct {
	action   Action
	kind     tenancy.ViewerKind
	platform bool
	level    string
	plane    tenancy.Plane
	// holds is the sorted set of "ROLE LEVEL RELATION", joined by commas.
	holds string
	// narrowed questions have permissions, sorted and joined by commas.
	narrowed    bool
	permissions string
	// features are those that the action asks for and that are on, joined by commas.
	features string
}

// Decide says whether the viewer may do an action at a node, and why;
// `viewerCan` and `explain` show it as it is. Check is for what is really done.
func (e *Engine) Decide(ctx context.Context, action Action, t Target) Decision {
	rev := e.rev.Load()
	q := question{action: action, level: LevelOf(t.Kind), plane: t.Plane}
	if v := tenancy.ViewerFrom(ctx); v != nil {
		q.kind, q.platform, q.holds = v.Kind, v.Platform, holds(v.Roles, t.Path)
		if answersFor(v, t) {
			q.holds = strings.TrimPrefix(q.holds+",OWNER AGENT AT", ",")
		}
		q.narrowed, q.permissions = v.Narrowed, permissionsOf(v)
	}
	on, off := e.features(ctx, action, t)
	q.features = strings.Join(on, ",")
	a, err := rev.ask(ctx, q)
	if err != nil {
		slog.ErrorContext(ctx, "policies can't be asked", "err", err, "policy", rev.id, "action", action)
		a = answer{Rule: "policy-error", Reason: "The policies can't be asked right now; try again."}
	}
	d := Decision{Action: action, Target: t, Policy: rev.id, Allowed: a.Allow, Rule: a.Rule, Reason: a.Reason}
	if a.Rule == FeatureRule && off != "" {
		who := "An admin of this place or of one above"
		if e.Decide(ctx, FeatureSet, t).Allowed {
			who = "You"
		}
		if d.off = e.Off(ctx, off, t, who); d.off != nil {
			d.Reason = d.off.Message
		}
	}
	return d
}

// FeatureRule is the rule of what a role would allow, had somebody switched a
// feature on.
const FeatureRule = "feature"

// features are those that an action asks for and that are on at a node, and the
// first one that isn't.
func (e *Engine) features(ctx context.Context, action Action, t Target) (on []string, off string) {
	if e.Off == nil {
		return nil, ""
	}
	for _, name := range permits()[action].Features {
		if e.Off(ctx, name, t, "") == nil {
			on = append(on, name)
		} else if off == "" {
			off = name
		}
	}
	return on, off
}

// Features are those of which one must be on for an action, below those who
// administer the plane.
func Features(action Action) []string { return permits()[action].Features }

// Check is nil when the viewer may do an action at a node, else
// UNAUTHENTICATED, or FORBIDDEN with a reason, its rule and a decisionId.
func (e *Engine) Check(ctx context.Context, action Action, t Target) error {
	d := e.Decide(ctx, action, t)
	if d.Allowed {
		record(ctx, Question{action, t})
		return nil
	}
	return e.tell(ctx, d)
}

// Gateway is nil when the viewer may call the model gateway at all, else
// UNAUTHENTICATED or FORBIDDEN.
func (e *Engine) Gateway(ctx context.Context) error { return e.door(ctx, "models.call") }

// ToolGateway is Gateway for the gateway of tools.
func (e *Engine) ToolGateway(ctx context.Context) error { return e.door(ctx, "tools.call") }

func (e *Engine) door(ctx context.Context, permission string) error {
	rev := e.rev.Load()
	who := visitor{SubjectOf(tenancy.ViewerFrom(ctx)), permission}
	a, known := rev.doors.Get(who)
	if !known {
		if err := evaluate(ctx, rev.gateway, map[string]any{"subject": who.subject.input(), "permission": permission}, &a); err != nil {
			return err
		}
		rev.doors.Add(who, a)
	}
	if a.Allow {
		return nil
	}
	return e.tell(ctx, Decision{Rule: a.Rule, Reason: a.Reason, Policy: rev.id})
}

// tell numbers a refusal, reports it and makes the caller's error of it.
func (e *Engine) tell(ctx context.Context, d Decision) *fault.Error {
	d.ID = newDecisionID()
	if e.Refused != nil {
		e.Refused(ctx, d)
	}
	return d.fault(tenancy.ViewerFrom(ctx) != nil)
}

func (r *revision) ask(ctx context.Context, q question) (answer, error) {
	if a, ok := r.answers.Get(q); ok {
		return a, nil
	}
	var a answer
	if err := evaluate(ctx, r.roles, q.input(), &a); err != nil {
		return answer{}, err
	}
	r.answers.Add(q, a)
	return a, nil
}

func (q question) input() map[string]any {
	held := []any{}
	for class := range strings.SplitSeq(q.holds, ",") {
		if part := strings.Split(class, " "); len(part) == 3 {
			held = append(held, map[string]any{"role": part[0], "level": part[1], "relation": part[2]})
		}
	}
	return map[string]any{
		"action":      string(q.action),
		"kind":        string(q.kind),
		"platform":    q.platform,
		"target":      map[string]any{"level": q.level, "plane": string(q.plane)},
		"holds":       held,
		"narrowed":    q.narrowed,
		"permissions": listOf(q.permissions),
		"features":    listOf(q.features),
	}
}

// answersFor tells whether the viewer is the owner themselves: neither a key of
// theirs, nor staff in the account.
func answersFor(v *tenancy.Viewer, t Target) bool {
	return t.Owner != "" && t.Owner == v.UserID && v.Kind == tenancy.UserViewer && v.SupportID == "" && !v.Platform
}

// holds lists the roles whose node the path lies at or below.
func holds(roles []tenancy.Role, path string) string {
	var out []string
	for _, r := range roles {
		if !reaches(r, path) {
			continue
		}
		relation := " ABOVE"
		if r.Path == path {
			relation = " AT"
		}
		out = append(out, string(r.Role)+" "+LevelOf(r.Kind)+relation)
	}
	if len(out) < 2 {
		return strings.Join(out, "")
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ",")
}

// reaches tells whether a role's node is an ancestor of the path or the node
// itself. Paths end in a slash, so "/acc_1/" is no ancestor of "/acc_12/"; the
// root counts for platform roles alone.
func reaches(r tenancy.Role, path string) bool {
	if r.Path == "/" {
		return r.Kind == tenancy.KindPlatform
	}
	return strings.HasSuffix(r.Path, "/") && strings.HasPrefix(path, r.Path)
}
