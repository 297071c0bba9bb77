package feature

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/featureflag"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Flags answers from memory; a plane's flags are read once an epoch of its
// account.
type Flags struct {
	store  *store.Store
	epochs *store.Epochs
	mu     sync.Mutex
	planes map[place]snapshot
	// changes counts what this replica changed itself.
	changes int64
}

type place struct {
	accountID string
	plane     tenancy.Plane
}

type snapshot struct {
	*Table
	epoch int64
}

// New makes the one Flags of a server.
func New(st *store.Store, epochs *store.Epochs) *Flags {
	return &Flags{store: st, epochs: epochs, planes: map[place]snapshot{}}
}

// Table is a plane's table as it stands.
func (f *Flags) Table(ctx context.Context, accountID string, plane tenancy.Plane) (*Table, error) {
	at, epoch := place{accountID, plane}, f.epochs.Of(accountID) // before the rows that it vouches for
	f.mu.Lock()
	s, ok := f.planes[at]
	changes := f.changes
	f.mu.Unlock()
	if ok && s.epoch == epoch {
		return s.Table, nil
	}
	t, err := Load(ctx, f.store.Client, accountID, plane)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	if f.changes == changes { // else what was read may be from before
		f.planes[at] = snapshot{t, epoch}
	}
	f.mu.Unlock()
	return t, nil
}

// Forget lets this replica read a plane again at once, after a change that it
// made itself; the others learn of it by the account's epoch.
func (f *Flags) Forget(accountID string, plane tenancy.Plane) {
	f.mu.Lock()
	delete(f.planes, place{accountID, plane})
	f.changes++
	f.mu.Unlock()
}

// Of is what holds for every feature at a path of a plane.
func (f *Flags) Of(ctx context.Context, accountID string, plane tenancy.Plane, path string) (map[Feature]Setting, error) {
	t, err := f.Table(ctx, accountID, plane)
	if err != nil {
		return nil, err
	}
	return t.Of(path), nil
}

// Allows is nil where a feature is on at a path, else the FEATURE_OFF that says
// where it is decided.
func (f *Flags) Allows(ctx context.Context, what Feature, accountID string, plane tenancy.Plane, path string) error {
	t, err := f.Table(ctx, accountID, plane)
	if err != nil {
		return err
	}
	if s := t.Ask(what, path); !s.On {
		return s.Refusal("An admin of this place or of one above")
	}
	return nil
}

// Off is Allows for the policies, which know a node by its path; to be on anywhere
// in a subtree is enough where they name one. What can't be looked up counts as
// off.
func (f *Flags) Off(ctx context.Context, what Feature, plane tenancy.Plane, path, within, who string) *fault.Error {
	accountID, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	t, err := f.Table(ctx, accountID, plane)
	if err != nil {
		return fault.New(fault.Unavailable, "Whether this is switched on can't be told right now. Try again in a minute.").Because(err)
	}
	s := t.Ask(what, path)
	if s.On || within != "" && t.Within(what, within) {
		return nil
	}
	return s.Refusal(who)
}

// FeatureOff is the code of a refusal because a feature isn't on.
const FeatureOff fault.Code = "FEATURE_OFF"

// Refusal says why what is off can't be used, and who can switch it on: a
// sentence's beginning such as "An admin of Claims desk".
func (s Setting) Refusal(who string) *fault.Error {
	e := fault.New(FeatureOff, "%s is off here: nobody has switched it on. %s can do that under Access, Features.", s.Feature.Words(), who)
	if s.From != nil && s.From.Switch == Deny {
		e = fault.New(FeatureOff, "%s is denied at %s and all below it. Only an admin there, or above, lifts that.", s.Feature.Words(), s.From.Name)
	} else if s.From != nil {
		e = fault.New(FeatureOff, "%s is switched off at %s. %s can switch it on under Access, Features.", s.Feature.Words(), s.From.Name, who)
	}
	return e.With("feature", string(s.Feature))
}

// Load reads the flags of a plane; with the client of a transaction it sees
// what the transaction has changed.
func Load(ctx context.Context, c *ent.Client, accountID string, plane tenancy.Plane) (*Table, error) {
	ctx = tenancy.System(ctx, "what a feature is depends on flags above those that the viewer sees")
	rows, err := c.FeatureFlag.Query().Where(featureflag.AccountID(accountID), featureflag.PlaneEQ(featureflag.Plane(plane))).WithScope().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("feature: table: %w", err)
	}
	flags := make([]Flag, 0, len(rows))
	for _, row := range rows {
		if s := row.Edges.Scope; s != nil && s.DeletedAt == nil {
			flags = append(flags, Flag{Feature(row.Feature), Switch(row.Setting), s.Path, s.Name, row.Version})
		}
	}
	return NewTable(flags), nil
}
