// Package fault holds the errors that a caller may see. Whatever is not a
// *fault.Error reaches the caller as INTERNAL with a request id, and the log
// with its cause.
package fault

import (
	"errors"
	"fmt"
	"maps"
)

// Code is the stable, machine-readable name of an error.
type Code string

// Codes of errors that end a whole request.
const (
	Unauthenticated Code = "UNAUTHENTICATED"
	Forbidden       Code = "FORBIDDEN"
	NotFound        Code = "NOT_FOUND"
	RateLimited     Code = "RATE_LIMITED"
	ComplexityLimit Code = "COMPLEXITY_LIMIT"
	BadInput        Code = "BAD_INPUT"
	Internal        Code = "INTERNAL"
)

// Codes of errors that a mutation's payload carries beside the top-level ones.
const (
	Invalid        Code = "INVALID"
	Conflict       Code = "CONFLICT"
	Exists         Code = "EXISTS"
	BudgetExceeded Code = "BUDGET_EXCEEDED"
	BudgetFrozen   Code = "BUDGET_FROZEN"
	InUse          Code = "IN_USE"
	Unavailable    Code = "UNAVAILABLE"
	// ConnectionNeedsSignIn carries the address of the page to sign in at.
	ConnectionNeedsSignIn Code = "CONNECTION_NEEDS_SIGN_IN"
)

// Error is what a user is told: what went wrong, and the way out.
type Error struct {
	Code    Code
	Message string
	// Path names the input field at fault, outermost first.
	Path []string
	// Data is what a client needs to act on the error; never secret.
	Data map[string]any
	// Cause goes to the log alone.
	Cause error
}

// New makes an error with a message in the user's words.
func New(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Message: fmt.Sprintf(format, args...)}
}

// At is an INVALID error about one input field.
func At(field, format string, args ...any) *Error {
	return &Error{Code: Invalid, Message: fmt.Sprintf(format, args...), Path: []string{field}}
}

// Missing is the one answer for things that don't exist and things that the
// caller may not know of; the two must be told apart by nobody.
func Missing(noun string) *Error {
	return New(NotFound, "There is no such %s, or you may not see it.", noun)
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return string(e.Code) + ": " + e.Message + ": " + e.Cause.Error()
	}
	return string(e.Code) + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

// With returns a copy that carries one more datum.
func (e *Error) With(key string, value any) *Error {
	c := *e
	c.Data = maps.Clone(e.Data)
	if c.Data == nil {
		c.Data = map[string]any{}
	}
	c.Data[key] = value
	return &c
}

// Because returns a copy that carries the cause, for the log.
func (e *Error) Because(err error) *Error {
	c := *e
	c.Cause = err
	return &c
}

// As finds the user's error in a chain, or returns nil.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// Is tells whether err carries a user's error with code c.
func Is(err error, c Code) bool {
	e := As(err)
	return e != nil && e.Code == c
}
