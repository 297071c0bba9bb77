package catalog

import (
	"context"
	"slices"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
)

// Modalities are what models take in and give out.
var Modalities = []string{"TEXT", "IMAGE", "AUDIO", "VIDEO", "EMBEDDING"}

// Traits say what a catalogue model is like and how long it will be there; nil
// leaves a value as it is.
type Traits struct {
	Inputs, Outputs []string
	Region          *string
	// DeprecatedAt is from when on it is to be used no more, SuccessorID what to
	// use instead.
	DeprecatedAt *time.Time
	SuccessorID  *string
	// Undeprecate takes both back.
	Undeprecate bool
}

func (t Traits) check(ctx context.Context, tx *store.Tx, own string) error {
	for field, list := range map[string][]string{"inputs": t.Inputs, "outputs": t.Outputs} {
		for i, m := range list {
			if !slices.Contains(Modalities, m) || slices.Contains(list[:i], m) {
				return fault.At(field, "Give each of TEXT, IMAGE, AUDIO, VIDEO and EMBEDDING once at most.")
			}
		}
	}
	switch {
	case t.Region != nil && len(*t.Region) > 60:
		return fault.At("region", "A region has at most 60 characters.")
	case t.Undeprecate && (t.DeprecatedAt != nil || t.SuccessorID != nil):
		return fault.At("undeprecate", "Either take the deprecation back or change it.")
	case t.SuccessorID == nil:
		return nil
	case *t.SuccessorID == own:
		return fault.At("successorId", "A model can't succeed itself. Choose another one.")
	}
	_, err := tx.CatalogModel.Get(ctx, *t.SuccessorID)
	if ent.IsNotFound(err) {
		return fault.At("successorId", "There is no such catalogue model.")
	}
	return err
}

func (t Traits) set(m *ent.CatalogModelMutation) {
	if t.Inputs != nil {
		m.SetInputs(t.Inputs)
	}
	if t.Outputs != nil {
		m.SetOutputs(t.Outputs)
	}
	if t.Region != nil {
		m.SetRegion(*t.Region)
	}
	if t.Undeprecate {
		m.ClearDeprecatedAt()
		m.ClearSuccessorID()
	}
	if t.DeprecatedAt != nil {
		m.SetDeprecatedAt(t.DeprecatedAt.UTC())
	}
	if t.SuccessorID != nil {
		m.SetSuccessorID(*t.SuccessorID)
	}
}
