package graph

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// clientKeyForm is what a clientKey may look like.
var clientKeyForm = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

const (
	// maxAnswer bounds the answers that are kept.
	maxAnswer = 256 << 10
	// answerWait is how long a repeated call waits for the answer of one that has
	// committed; one that takes longer has died.
	answerWait = 10 * time.Second
	answerPoll = 50 * time.Millisecond
)

// once runs a mutation that carries a clientKey at most once, and answers
// whoever repeats it with what the first call was answered.
func (r *Resolver) once(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	oc := graphql.GetOperationContext(ctx)
	if oc.Operation.Operation != ast.Mutation {
		return next(ctx)
	}
	field := graphql.GetRootFieldContext(ctx).Field
	input, _ := field.ArgumentMap(oc.Variables)["input"].(map[string]any)
	key, given := input["clientKey"].(string)
	v := tenancy.ViewerFrom(ctx)
	if !given || v == nil {
		return next(ctx)
	}
	if !clientKeyForm.MatchString(key) {
		return failed(ctx, field, fault.New(fault.BadInput, "A clientKey is 8 to 64 characters of [A-Za-z0-9_-], such as a UUID."))
	}
	if input["dryRun"] == true {
		return next(ctx)
	}
	asked, err := requestOf(field, input, oc.Variables)
	if err != nil {
		return failed(ctx, field, err)
	}
	claim := claimOf(v, field.Name, key)
	claim.Request = r.Box.Seal(requestPlace(claim.ID), asked)
	row, err := r.Store.Claimed(ctx, claim)
	if err != nil {
		return failed(ctx, field, err)
	}
	if row == nil {
		out, mine := r.first(ctx, claim, next)
		if mine {
			return out
		}
		if row, err = r.Store.Claimed(ctx, claim); err != nil {
			return failed(ctx, field, err)
		}
	}
	data, err := r.repeated(ctx, claim, row, asked)
	if err != nil {
		return failed(ctx, field, err)
	}
	return rendered(data)
}

// claimOf is a viewer's claim to a mutation under a key. What acts in a
// person's name has keys of its own.
func claimOf(v *tenancy.Viewer, mutation, key string) *store.Claim {
	var subject []string
	for _, part := range []string{v.SupportID, v.TokenID, v.AuthorizationID, v.ClientID, v.KeyID, v.UserID} {
		if part != "" {
			subject = append(subject, part)
		}
	}
	c := &store.Claim{ID: id.New(id.MutationKey), AccountID: v.AccountID, Plane: tenancy.PlaneAccount,
		Subject: strings.Join(subject, "/"), Mutation: mutation, KeyHash: secret.Hash(key)}
	if v.Platform {
		c.Plane = tenancy.PlanePlatform
	}
	if v.SupportID == "" { // else the person is another account's
		c.UserID = v.UserID
	}
	return c
}

// first runs a mutation under its claim; false when another call was faster.
func (r *Resolver) first(ctx context.Context, claim *store.Claim, next graphql.RootResolver) (graphql.Marshaler, bool) {
	defer claim.Close()
	inner, allowed := access.Recording(store.WithClaim(graphql.WithFreshResponseContext(ctx), claim))
	out := next(inner)
	if claim.Lost() {
		return nil, false
	}
	errs := graphql.GetErrors(inner)
	for _, e := range errs {
		graphql.AddError(ctx, e)
	}
	if !claim.Taken() { // what was refused may be tried again
		return out, true
	}
	var data bytes.Buffer
	answer := "" // not kept
	if out != graphql.Null {
		out.MarshalGQL(&data)
		out = rendered(data.Bytes())
	}
	if out != graphql.Null && len(errs) == 0 && data.Len() <= maxAnswer {
		text, err := json.Marshal(kept{Data: data.Bytes(), Allowed: allowed.All()})
		if err != nil {
			return failed(ctx, graphql.GetRootFieldContext(ctx).Field, err), true
		}
		answer = string(text)
	}
	// Whoever asked may have gone, which makes it likely that they ask again.
	if err := r.Store.Answer(context.WithoutCancel(ctx), claim, r.Box.Seal(answerPlace(claim.ID), answer)); err != nil {
		r.Log.WarnContext(ctx, "the answer of a mutation can't be kept for its clientKey", "mutation", claim.Mutation, "cause", err)
	}
	return out, true
}

// kept is an answer, with the questions that the change was allowed by.
type kept struct {
	Data    json.RawMessage
	Allowed []access.Question
}

var (
	errOtherInput     = fault.New(fault.Conflict, "This clientKey was used with another input. Send a new key for another change.")
	errOtherSelection = fault.New(fault.Conflict, "This clientKey was used with another selection of fields. Repeat the call with the same one, or read the present state.")
	errUnanswered     = fault.New(fault.Conflict, "This was done under the same clientKey, but its answer wasn't kept. Look at the present state before you send it with a new key.")
)

// repeated is what the first call under a key was answered, for somebody who
// might still do what it did.
func (r *Resolver) repeated(ctx context.Context, claim *store.Claim, row *ent.MutationKey, asked string) ([]byte, error) {
	if row == nil { // expired this moment
		return nil, fault.New(fault.Conflict, "This clientKey has just expired. Look at the present state before you send it again.")
	}
	was, err := r.Box.Open(requestPlace(row.ID), row.SealedRequest)
	if err != nil {
		return nil, errUnanswered.Because(err)
	}
	input, _, _ := strings.Cut(asked, " ")
	switch before, _, _ := strings.Cut(was, " "); {
	case before != input:
		return nil, errOtherInput
	case was != asked:
		return nil, errOtherSelection
	}
	if row, err = r.answered(ctx, claim, row); err != nil {
		return nil, err
	}
	text, err := r.Box.Open(answerPlace(row.ID), row.SealedAnswer)
	if err != nil || text == "" {
		return nil, errUnanswered.Because(err)
	}
	var answer kept
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return nil, errUnanswered.Because(err)
	}
	for _, q := range answer.Allowed {
		if err := r.stillAllowed(ctx, q); err != nil {
			return nil, err
		}
	}
	return answer.Data, nil
}

// answered waits until the first call's answer is there.
func (r *Resolver) answered(ctx context.Context, claim *store.Claim, row *ent.MutationKey) (*ent.MutationKey, error) {
	waiting, cancel := context.WithTimeout(ctx, answerWait-r.Store.Now().Sub(row.CreatedAt))
	defer cancel()
	for len(row.SealedAnswer) == 0 {
		select {
		case <-waiting.Done():
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, errUnanswered
		case <-time.After(answerPoll):
		}
		next, err := r.Store.Claimed(ctx, claim)
		if err != nil {
			return nil, err
		}
		if next == nil {
			return nil, errUnanswered
		}
		row = next
	}
	return row, nil
}

// stillAllowed asks again what the first call was allowed by, where its node
// lies now.
func (r *Resolver) stillAllowed(ctx context.Context, q access.Question) error {
	path := strings.Split(strings.Trim(q.Target.Path, "/"), "/")
	s, err := r.Store.Scope.Get(tenancy.System(ctx, "a node that was moved is judged where it lies now"), path[len(path)-1])
	switch {
	case err == nil:
		q.Target.Path = s.Path
	case !ent.IsNotFound(err):
		return err
	}
	return r.Access.Check(ctx, q.Action, q.Target)
}

func requestPlace(claimID string) string { return claimID + " request" }
func answerPlace(claimID string) string  { return claimID + " answer" }

// requestOf tells requests apart: a hash of the input without its key, and one
// of what was selected.
func requestOf(field graphql.CollectedField, input, variables map[string]any) (string, error) {
	input = maps.Clone(input)
	delete(input, "clientKey")
	text, err := json.Marshal(input)
	if err != nil {
		return "", fmt.Errorf("graph: input: %w", err)
	}
	var selection bytes.Buffer
	if err := writeSelection(&selection, field.SelectionSet, variables); err != nil {
		return "", err
	}
	return hashed(text) + " " + hashed(selection.Bytes()), nil
}

func hashed(text []byte) string {
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// writeSelection writes what is selected with its fragments and variables in
// place, so that only what changes the answer counts.
func writeSelection(to *bytes.Buffer, set ast.SelectionSet, variables map[string]any) error {
	var errs []error
	part := func(name string, arguments map[string]any) {
		text, err := json.Marshal(arguments)
		errs = append(errs, err)
		fmt.Fprintf(to, "%s%s", name, text)
	}
	directives := func(list ast.DirectiveList) {
		for _, d := range list {
			part(" @"+d.Name, d.ArgumentMap(variables))
		}
	}
	to.WriteString("{")
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			part(" "+s.Alias+":"+s.Name, s.ArgumentMap(variables))
			directives(s.Directives)
			errs = append(errs, writeSelection(to, s.SelectionSet, variables))
		case *ast.InlineFragment:
			part(" ..."+s.TypeCondition, nil)
			directives(s.Directives)
			errs = append(errs, writeSelection(to, s.SelectionSet, variables))
		case *ast.FragmentSpread:
			part(" ..."+s.Definition.TypeCondition, nil)
			directives(s.Directives)
			errs = append(errs, writeSelection(to, s.Definition.SelectionSet, variables))
		}
	}
	to.WriteString("}")
	return errors.Join(errs...)
}

// failed answers a root field with an error.
func failed(ctx context.Context, field graphql.CollectedField, err error) graphql.Marshaler {
	graphql.AddError(ctx, &gqlerror.Error{Err: err, Message: err.Error(), Path: ast.Path{ast.PathName(field.Alias)}})
	return graphql.Null
}

// rendered is an answer in JSON already.
func rendered(data []byte) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(data) }) // fails only when the caller has gone
}
