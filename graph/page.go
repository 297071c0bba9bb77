package graph

import (
	"context"
	"encoding/base64"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/fault"
)

// maxPage is the largest page; the operation walker refuses more before this.
const maxPage = 100

// window is which part of a list is asked for.
type window struct {
	first, last   *int
	after, before *string
}

// listable is what every ent query offers a list.
type listable[T any] interface {
	WhereP(...func(*sql.Selector))
	All(context.Context) ([]T, error)
}

// list reads one page in the order of a unique column. Cursors hold the
// column's value, so that pages stay put while rows come and go.
func list[T any](ctx context.Context, q listable[T], w window, column string, descending bool, key func(T) string) ([]T, *model.PageInfo, error) {
	n, backwards, err := w.size()
	if err != nil {
		return nil, nil, err
	}
	after, err := cursor("after", w.after)
	if err != nil {
		return nil, nil, err
	}
	before, err := cursor("before", w.before)
	if err != nil {
		return nil, nil, err
	}
	q.WhereP(func(s *sql.Selector) {
		up, down := sql.GT, sql.LT
		if descending {
			up, down = down, up
		}
		if after != "" {
			s.Where(up(s.C(column), after))
		}
		if before != "" {
			s.Where(down(s.C(column), before))
		}
		if descending != backwards {
			s.OrderBy(sql.Desc(s.C(column)))
		} else {
			s.OrderBy(sql.Asc(s.C(column)))
		}
		s.Limit(n + 1) // one more tells whether there is more
	})
	rows, err := q.All(ctx)
	if err != nil {
		return nil, nil, err
	}
	more := len(rows) > n
	if more {
		rows = rows[:n]
	}
	info := &model.PageInfo{HasNextPage: more, HasPreviousPage: after != ""}
	if backwards {
		slices.Reverse(rows)
		info.HasNextPage, info.HasPreviousPage = before != "", more
	}
	if len(rows) > 0 {
		start, end := encode(key(rows[0])), encode(key(rows[len(rows)-1]))
		info.StartCursor, info.EndCursor = &start, &end
	}
	return rows, info, nil
}

func (w window) size() (n int, backwards bool, err error) {
	switch {
	case w.first != nil && w.last != nil:
		return 0, false, fault.New(fault.BadInput, "Give either first or last.")
	case w.first != nil:
		n = *w.first
	case w.last != nil:
		n, backwards = *w.last, true
	}
	if n < 1 || n > maxPage {
		return 0, false, fault.New(fault.BadInput, "Lists need first or last, between 1 and %d.", maxPage)
	}
	return n, backwards, nil
}

func encode(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

func cursor(name string, s *string) (string, error) {
	if s == nil || *s == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(*s)
	if err != nil {
		return "", fault.New(fault.BadInput, "The cursor in %s isn't one that this API gave.", name)
	}
	return string(b), nil
}

func mapTo[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = f(a)
	}
	return out
}
