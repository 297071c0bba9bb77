package graph

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/fault"
)

// named is a row's place in a list that goes by names, which need not be
// unique.
type named struct{ name, id string }

func (n named) cursor() string { return n.id + " " + n.name }

func namedCursor(field string, s *string) (*named, error) {
	text, err := cursor(field, s)
	if err != nil || text == "" {
		return nil, err
	}
	id, name, ok := strings.Cut(text, " ")
	if !ok {
		return nil, fault.New(fault.BadInput, "The cursor in %s isn't one that this API gave.", field)
	}
	return &named{name, id}, nil
}

// beyond is true for rows after a place, or before it.
func (n *named) beyond(s *sql.Selector, column string, than func(string, any) *sql.Predicate) *sql.Predicate {
	return sql.Or(than(s.C(column), n.name), sql.And(sql.EQ(s.C(column), n.name), than(s.C("id"), n.id)))
}

// listByName reads one page in the order of names, those alike by their ids.
func listByName[T any](ctx context.Context, q listable[T], w window, column string, key func(T) named) ([]T, *model.PageInfo, error) {
	n, backwards, err := w.size()
	if err != nil {
		return nil, nil, err
	}
	after, err := namedCursor("after", w.after)
	if err != nil {
		return nil, nil, err
	}
	before, err := namedCursor("before", w.before)
	if err != nil {
		return nil, nil, err
	}
	q.WhereP(func(s *sql.Selector) {
		if after != nil {
			s.Where(after.beyond(s, column, sql.GT))
		}
		if before != nil {
			s.Where(before.beyond(s, column, sql.LT))
		}
		order := sql.Asc
		if backwards {
			order = sql.Desc
		}
		s.OrderBy(order(s.C(column)), order(s.C("id")))
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
	info := &model.PageInfo{HasNextPage: more, HasPreviousPage: after != nil}
	if backwards {
		slices.Reverse(rows)
		info.HasNextPage, info.HasPreviousPage = before != nil, more
	}
	if len(rows) > 0 {
		start, end := encode(key(rows[0]).cursor()), encode(key(rows[len(rows)-1]).cursor())
		info.StartCursor, info.EndCursor = &start, &end
	}
	return rows, info, nil
}

// pageOf is one page of a sorted list in memory, in the order of names.
func pageOf[T any](rows []T, w window, key func(T) named) ([]T, *model.PageInfo, error) {
	n, backwards, err := w.size()
	if err != nil {
		return nil, nil, err
	}
	after, err := namedCursor("after", w.after)
	if err != nil {
		return nil, nil, err
	}
	before, err := namedCursor("before", w.before)
	if err != nil {
		return nil, nil, err
	}
	info := &model.PageInfo{HasPreviousPage: after != nil, HasNextPage: before != nil}
	rows = slices.DeleteFunc(slices.Clone(rows), func(row T) bool {
		k := key(row)
		return after != nil && k.compare(*after) <= 0 || before != nil && k.compare(*before) >= 0
	})
	switch more := len(rows) > n; {
	case backwards:
		info.HasPreviousPage = more
		rows = rows[max(0, len(rows)-n):]
	default:
		info.HasNextPage = more
		rows = rows[:min(n, len(rows))]
	}
	if len(rows) > 0 {
		start, end := encode(key(rows[0]).cursor()), encode(key(rows[len(rows)-1]).cursor())
		info.StartCursor, info.EndCursor = &start, &end
	}
	return rows, info, nil
}

func (n named) compare(other named) int {
	return cmp.Or(strings.Compare(n.name, other.name), strings.Compare(n.id, other.id))
}
