package graph

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// bell wakes those who follow an account when its epoch has risen, or the
// platform's. It carries nothing: everyone looks for themselves.
type bell struct {
	mu      sync.Mutex
	waiting map[chan struct{}]string
}

func (b *bell) watch(accountID string) (woken <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting[c] = accountID
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.waiting, c)
	}
}

func (b *bell) ring(accountID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c, of := range b.waiting {
		if of == accountID || accountID == id.PlatformID {
			select {
			case c <- struct{}{}:
			default: // woken already
			}
		}
	}
}

// partSize is how many bytes of a part's hash a cursor keeps.
const partSize = 8

// runtimeState stands for all that a seat may use, part by part.
type runtimeState [][partSize]byte

// changed names the parts in which two states differ.
func (s runtimeState) changed(known runtimeState) []model.RuntimePart {
	out := []model.RuntimePart{}
	for i, part := range model.AllRuntimePart {
		if s[i] != known[i] {
			out = append(out, part)
		}
	}
	return out
}

func (s runtimeState) cursor() string {
	var b strings.Builder
	for _, part := range s {
		b.Write(part[:])
	}
	return encode(b.String())
}

func runtimeStateOf(after string) (runtimeState, error) {
	text, err := cursor("after", &after)
	if err != nil {
		return nil, err
	}
	if len(text) != partSize*len(model.AllRuntimePart) {
		return nil, fault.New(fault.BadInput, "The cursor in after isn't one that this API gave.")
	}
	s := make(runtimeState, len(model.AllRuntimePart))
	for i := range s {
		copy(s[i][:], text[i*partSize:])
	}
	return s, nil
}

// viewerChanges tells a viewer what changed of what their default seat may use.
// It compares what they may use with what they might before, so it tells of
// nothing else, whatever changed.
func (r *Resolver) viewerChanges(ctx context.Context, plane tenancy.Plane, after *string) (<-chan *model.ViewerChange, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	var known runtimeState
	if text := value(after); text != "" {
		if known, err = runtimeStateOf(text); err != nil {
			return nil, err
		}
	}
	woken, stop := r.bell.watch(v.AccountID) // before the first look
	out := make(chan *model.ViewerChange)
	go func() {
		defer close(out)
		defer stop()
		r.endStream(ctx, r.followRuntime(ctx, v, plane, known, woken, out))
	}()
	return out, nil
}

func (r *Resolver) followRuntime(ctx context.Context, v *tenancy.Viewer, plane tenancy.Plane, known runtimeState, woken <-chan struct{}, out chan<- *model.ViewerChange) error {
	for first := true; ; first = false {
		now, expiry, err := r.runtimeState(ctx, v, plane)
		if err != nil {
			return err
		}
		if known == nil {
			known = now
		}
		if parts := now.changed(known); first || len(parts) > 0 {
			select {
			case out <- &model.ViewerChange{Parts: parts, Cursor: now.cursor()}:
			case <-ctx.Done():
				return nil
			}
			select { // what happens meanwhile is told at once
			case <-time.After(burnEvery):
			case <-ctx.Done():
				return nil
			}
		}
		known = now
		var over <-chan time.Time
		if !expiry.IsZero() {
			over = time.After(expiry.Sub(r.Store.Now()))
		}
		select {
		case <-woken:
		case <-over:
		case <-ctx.Done():
			return nil
		}
	}
}

// runtimeState looks at what the viewer's default seat may use now, and when
// the next grant of the plane expires; zero for never.
func (r *Resolver) runtimeState(ctx context.Context, v *tenancy.Viewer, plane tenancy.Plane) (runtimeState, time.Time, error) {
	sums := make(map[model.RuntimePart]hash.Hash, len(model.AllRuntimePart))
	for _, part := range model.AllRuntimePart {
		sums[part] = sha256.New()
	}
	note := func(part model.RuntimePart, facts ...any) {
		_, _ = fmt.Fprintf(sums[part], "%q\n", fmt.Sprint(facts...))
	} // a hash takes everything
	table, err := r.Grants.Table(ctx, v.AccountID, plane)
	if err != nil {
		return nil, time.Time{}, err
	}
	seat, err := r.seatNow(ctx, v, plane)
	if err == nil && seat != nil {
		err = r.noteSeat(ctx, v, seat, table, note)
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	out := make(runtimeState, len(model.AllRuntimePart))
	for i, part := range model.AllRuntimePart {
		copy(out[i][:], sums[part].Sum(nil))
	}
	return out, table.NextExpiry(r.Store.Now()), nil
}

// seatNow is the viewer's default seat, wherever it was moved since they came.
func (r *Resolver) seatNow(ctx context.Context, v *tenancy.Viewer, plane tenancy.Plane) (*model.Member, error) {
	if v.UserID == "" || v.Platform || v.SupportID != "" || v.Kind != tenancy.UserViewer {
		return nil, nil
	}
	ctx = tenancy.System(ctx, "the viewer's own default seat, which may lie elsewhere by now")
	m, err := r.Store.Member.Query().Where(member.AccountID(v.AccountID), member.UserID(v.UserID), member.PlaneEQ(member.Plane(plane)),
		member.IsDefault(true)).First(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := r.Store.Scope.Get(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	return toMember(s), nil
}

func (r *Resolver) noteSeat(ctx context.Context, v *tenancy.Viewer, seat *model.Member, table *grant.Table, note func(model.RuntimePart, ...any)) error {
	path, now := seat.Ref.Path, r.Store.Now()
	for _, modelID := range table.Usable(grant.Model, path, now) {
		note(model.RuntimePartModels, modelID, " ", table.Resource(modelID).Name)
	}
	features, err := r.Features.Of(ctx, v.AccountID, seat.Ref.Plane, path)
	if err != nil {
		return err
	}
	for _, f := range feature.All {
		note(model.RuntimePartFeatures, f, " ", features[f].On)
	}
	// Which budgets limit a seat is its owner's to know. The ids of those above
	// aren't, so that nobody finds their limits by trying.
	states, err := r.seatLimits(ctx, seat)
	if err != nil {
		return err
	}
	slices.SortFunc(states, func(a, b budget.State) int { return strings.Compare(a.BudgetID, b.BudgetID) })
	note(model.RuntimePartBudget, path)
	for _, s := range states {
		note(model.RuntimePartBudget, s.BudgetID, " ", int64(s.Limit), " ", s.FrozenAt != nil)
	}
	if seat.Ref.Plane != tenancy.Copilot {
		return nil
	}
	if err := r.noteAgents(ctx, table, table.Usable(grant.Agent, path, now), note); err != nil {
		return err
	}
	return r.noteTools(ctx, v, path, note)
}

func (r *Resolver) noteAgents(ctx context.Context, table *grant.Table, ids []string, note func(model.RuntimePart, ...any)) error {
	rows, err := r.Store.Agent.Query().Where(agent.IDIn(ids...)).Order(agent.ByID()).
		Select(agent.FieldID, agent.FieldPurpose, agent.FieldIcon, agent.FieldGroupName, agent.FieldPublishedVersion, agent.FieldSessionCredits, agent.FieldSessionTurns).
		All(tenancy.System(ctx, whyAgents))
	if err != nil {
		return err
	}
	for _, a := range rows {
		note(model.RuntimePartAgents, fmt.Sprintf("%s %q %q %q %q %d %d %d", a.ID, table.Resource(a.ID).Name, a.Purpose, a.Icon, a.GroupName,
			value(a.PublishedVersion), a.SessionCredits, a.SessionTurns))
	}
	return nil
}

func (r *Resolver) noteTools(ctx context.Context, v *tenancy.Viewer, path string, note func(model.RuntimePart, ...any)) error {
	tools, err := r.Shelves.Usable(ctx, v.AccountID, path)
	if err != nil || len(tools) == 0 {
		return err
	}
	ready, err := r.readyFor(ctx, v, tools)
	if err != nil {
		return err
	}
	for _, t := range tools {
		note(model.RuntimePartTools, fmt.Sprintf("%s %s %s %d %q %q %t", t.ID, t.Name, t.Digest, t.Price, t.Connection.Name, t.Connection.Icon, ready[t.Connection.ID]))
	}
	return nil
}
