package access

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const librarySDL = `
	type Query {
		open: String
		book: Book
		books(first: Int, after: String, last: Int, order: BookOrder, where: BookWhere): BookConnection
		thing: Thing
		find: [Found!]
		vault: String
		shelf(secret: Boolean, open: Boolean): String
	}
	type Mutation {
		enter: String
		bookAdd(input: BookInput!): BookAddPayload!
		vaultOpen: String
		bookSpoil: BookSpoilPayload!
	}
	type Subscription { pages: Book }
	interface Thing { id: ID! note: String }
	type Book implements Thing { id: ID! title: String! note: String price: String prices(pages: Int): String author: Author related: [Book!]! books(first: Int, last: Int): BookConnection }
	type Author implements Thing { id: ID! note: String name: String! best: Book }
	union Found = Book | Author
	type BookConnection { edges: [BookEdge!]! totalCount: Int }
	type BookEdge { node: Book! cursor: String }
	input BookWhere { title: String price: String not: BookWhere }
	input BookOrder { by: BookOrderField! }
	enum BookOrderField { TITLE PRICE }
	input BookInput { title: String! price: String }
	type BookAddPayload { book: Book }
	type BookSpoilPayload { price: String }
`

// In the library, prices are for admins, and so is the note of an author.
const libraryCoverage = `{
	"suffixes": {"Connection": "member", "Edge": "member"},
	"types": {"Book": "member", "Author": "member", "BookWhere": "member", "BookOrder": "member", "BookOrderField": "member", "BookInput": "member", "BookAddPayload": "member", "BookSpoilPayload": "member"},
	"fields": {
		"Query.open": "public", "Query.book": "member", "Query.books": "member", "Query.thing": "member", "Query.find": "member", "Query.vault": "admin",
		"Query.shelf": "member", "Query.shelf(secret:)": "admin",
		"Query.__schema": "viewer", "Query.__type": "viewer",
		"Mutation.enter": "public", "Mutation.bookAdd": "member", "Mutation.vaultOpen": "admin", "Mutation.bookSpoil": "member",
		"Subscription.pages": "member",
		"Book.price": "admin", "Book.prices": "admin", "Author.note": "admin", "BookWhere.price": "admin", "BookOrderField.PRICE": "admin", "BookInput.price": "admin", "BookSpoilPayload.price": "admin"
	}
}`

var (
	member = &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: "acc_1", Roles: []tenancy.Role{
		{Role: tenancy.Seatholder, Plane: tenancy.Console, Kind: tenancy.KindMember, Path: "/acc_1/con_1/org_1/team_1/mem_1/"},
	}}
	teamAdmin = &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: "acc_1", Roles: []tenancy.Role{
		{Role: tenancy.Admin, Plane: tenancy.Console, Kind: tenancy.KindTeam, Path: "/acc_1/con_1/org_1/team_1/"},
	}}
)

func library(t testing.TB) *Engine {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: librarySDL})
	require.NoError(t, err)
	e := &Engine{Limits: DefaultLimits, schema: schema}
	require.NoError(t, e.Load(with(t, map[string]string{"coverage.json": libraryCoverage})))
	return e
}

// answers is an executable schema that answers every field: text by its own
// coordinate, lists with two items, interfaces and unions with both types in
// turn. Errors and null go the way that generated code takes them.
type answers struct {
	schema *ast.Schema
	turn   int
}

func (a *answers) executable(events <-chan struct{}) graphql.ExecutableSchema {
	return &graphql.ExecutableSchemaMock{
		SchemaFunc: func() *ast.Schema { return a.schema },
		ExecFunc: func(ctx context.Context) graphql.ResponseHandler {
			oc := graphql.GetOperationContext(ctx)
			done := false
			return func(ctx context.Context) *graphql.Response {
				root := a.schema.Query
				switch oc.Operation.Operation {
				case ast.Mutation:
					root = a.schema.Mutation
				case ast.Subscription:
					if _, ok := <-events; !ok {
						return nil
					}
					root, done = a.schema.Subscription, false
				}
				if done {
					return nil
				}
				done = true
				data, _ := a.object(ctx, oc, root, oc.Operation.SelectionSet)
				text, _ := json.Marshal(data)
				return &graphql.Response{Data: text}
			}
		},
	}
}

func (a *answers) object(ctx context.Context, oc *graphql.OperationContext, def *ast.Definition, set ast.SelectionSet) (map[string]any, bool) {
	satisfies := append([]string{def.Name}, def.Interfaces...)
	for _, d := range a.schema.Types {
		if d.Kind == ast.Union && slices.Contains(d.Types, def.Name) {
			satisfies = append(satisfies, d.Name)
		}
	}
	out := map[string]any{}
	for _, f := range graphql.CollectFields(oc, set, satisfies) {
		if f.Name == "__typename" {
			out[f.Alias] = def.Name
			continue
		}
		fctx := graphql.WithFieldContext(ctx, &graphql.FieldContext{Parent: graphql.GetFieldContext(ctx), Object: def.Name, Field: f})
		res, err := oc.ResolverMiddleware(fctx, func(context.Context) (any, error) { return def.Name + "." + f.Name, nil })
		if err != nil {
			graphql.AddError(fctx, err)
		}
		var value any
		ok := res != nil && err == nil
		if ok && f.Definition != nil {
			value, ok = a.value(fctx, oc, f.Definition.Type, f.Selections, res)
		}
		if !ok && f.Definition.Type.NonNull {
			return nil, false
		}
		out[f.Alias] = value
	}
	return out, true
}

func (a *answers) value(ctx context.Context, oc *graphql.OperationContext, t *ast.Type, set ast.SelectionSet, leaf any) (any, bool) {
	if t.Elem != nil {
		var list []any
		for range 2 {
			v, ok := a.value(ctx, oc, t.Elem, set, leaf)
			if !ok && t.Elem.NonNull {
				return nil, false
			}
			list = append(list, v)
		}
		return list, true
	}
	def := a.schema.Types[t.NamedType]
	switch def.Kind {
	case ast.Interface, ast.Union:
		types := a.schema.GetPossibleTypes(def)
		a.turn++
		def = types[a.turn%len(types)]
	case ast.Object:
	default:
		return leaf, true
	}
	v, ok := a.object(ctx, oc, def, set)
	return v, ok
}

func (e *Engine) serving() *handler.Server {
	s := handler.New((&answers{schema: e.schema}).executable(nil))
	s.AddTransport(transport.POST{})
	s.SetQueryCache(lru.New[*ast.QueryDocument](100))
	s.Use(e)
	return s
}

type reply struct {
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
	Extensions map[string]any
	text       string
}

func (r reply) code() string {
	if len(r.Errors) == 0 {
		return ""
	}
	return fmt.Sprint(r.Errors[0].Extensions["code"])
}

func post(t testing.TB, s http.Handler, v *tenancy.Viewer, query string, variables map[string]any) reply {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(t, err)
	req := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if v != nil {
		req = req.WithContext(tenancy.WithViewer(req.Context(), v))
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	out := reply{text: w.Body.String()}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out), out.text)
	return out
}

func TestRefusedOperations(t *testing.T) {
	t.Parallel()
	input := func(title any) map[string]any { return map[string]any{"i": title} }
	for name, c := range map[string]struct {
		query     string
		variables map[string]any
		denied    string
	}{
		"root":                      {`{ vault }`, nil, "Query.vault"},
		"root by alias":             {`{ title: vault }`, nil, "Query.vault"},
		"root in fragment":          {`{ ...f } fragment f on Query { vault }`, nil, "Query.vault"},
		"root in inline fragment":   {`{ ... on Query { ... { vault } } }`, nil, "Query.vault"},
		"root skipped":              {`{ open vault @skip(if: true) }`, nil, "Query.vault"},
		"root not included":         {`query($b: Boolean!) { open vault @include(if: $b) }`, map[string]any{"b": false}, "Query.vault"},
		"root beside allowed ones":  {`{ open book { title } vault }`, nil, "Query.vault"},
		"argument":                  {`{ shelf(secret: true) }`, nil, "Query.shelf(secret:)"},
		"argument by variable":      {`query($b: Boolean) { shelf(secret: $b) }`, map[string]any{"b": true}, "Query.shelf(secret:)"},
		"mutation root":             {`mutation { vaultOpen }`, nil, "Mutation.vaultOpen"},
		"mutation root by alias":    {`mutation { enter: vaultOpen }`, nil, "Mutation.vaultOpen"},
		"mutation input literal":    {`mutation { bookAdd(input: {title: "a", price: "1"}) { book { id } } }`, nil, "BookInput.price"},
		"mutation input variable":   {`mutation($i: BookInput!) { bookAdd(input: $i) { book { id } } }`, input(map[string]any{"title": "a", "price": "1"}), "BookInput.price"},
		"mutation input's part":     {`mutation($i: String) { bookAdd(input: {title: "a", price: $i}) { book { id } } }`, input("1"), "BookInput.price"},
		"mutation input by default": {`mutation($i: BookInput! = {title: "a", price: "1"}) { bookAdd(input: $i) { book { id } } }`, nil, "BookInput.price"},
		"mutation payload":          {`mutation { bookAdd(input: {title: "a"}) { book { price } } }`, nil, "Book.price"},
		"mutation payload's own":    {`mutation { bookSpoil { price } }`, nil, "BookSpoilPayload.price"},
		"mutation payload nested":   {`mutation { bookAdd(input: {title: "a"}) { book { author { best { related { price } } } } } }`, nil, "Book.price"},
		"filter literal":            {`{ books(first: 1, where: {price: "1"}) { totalCount } }`, nil, "BookWhere.price"},
		"filter nested":             {`{ books(first: 1, where: {not: {not: {price: "1"}}}) { totalCount } }`, nil, "BookWhere.price"},
		"filter variable":           {`query($i: BookWhere) { books(first: 1, where: $i) { totalCount } }`, input(map[string]any{"not": map[string]any{"price": "1"}}), "BookWhere.price"},
		"filter deep in the query":  {`query($i: BookWhere) { book { title } books(first: 1, where: {not: $i}) { totalCount } }`, input(map[string]any{"price": "1"}), "BookWhere.price"},
		"order literal":             {`{ books(first: 1, order: {by: PRICE}) { totalCount } }`, nil, "BookOrderField.PRICE"},
		"order variable":            {`query($i: BookOrder) { books(first: 1, order: $i) { totalCount } }`, input(map[string]any{"by": "PRICE"}), "BookOrderField.PRICE"},
		"order enum variable":       {`query($i: BookOrderField!) { books(first: 1, order: {by: $i}) { totalCount } }`, input("PRICE"), "BookOrderField.PRICE"},
		"order enum by default":     {`query($i: BookOrderField! = PRICE) { books(first: 1, order: {by: $i}) { totalCount } }`, nil, "BookOrderField.PRICE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var told []Decision
			e := library(t)
			e.Refused = func(_ context.Context, d Decision) { told = append(told, d) }
			s := e.serving()
			for range 2 { // the second time, the plan comes from the cache
				r := post(t, s, member, c.query, c.variables)
				require.Equal(t, "FORBIDDEN", r.code(), r.text)
				require.Nil(t, r.Data, "nothing may have run")
				require.Len(t, r.Errors, 1)
				require.Contains(t, r.Errors[0].Extensions["denied"], c.denied)
				require.Contains(t, r.Errors[0].Message, "needs an admin role")
				require.NotEmpty(t, r.Errors[0].Extensions["decisionId"])
			}
			require.Len(t, told, 2)
			require.Contains(t, told[0].Coordinates, c.denied)
			r := post(t, s, teamAdmin, c.query, c.variables)
			require.Empty(t, r.Errors, "an admin may")
			r = post(t, s, nil, c.query, c.variables)
			require.Equal(t, "UNAUTHENTICATED", r.code(), r.text)
			require.Nil(t, r.Data)
		})
	}
}

func TestHiddenFields(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		query  string
		denied []string
		want   string
	}{
		"field":                    {`{ book { title price } }`, []string{"Book.price"}, `{"book":{"price":null,"title":"Book.title"}}`},
		"field with arguments":     {`{ book { title prices(pages: 3) } }`, []string{"Book.prices"}, `{"book":{"prices":null,"title":"Book.title"}}`},
		"alias":                    {`{ book { title: price } }`, []string{"Book.price"}, `{"book":{"title":null}}`},
		"fragment":                 {`{ book { ...f title } } fragment f on Book { price }`, []string{"Book.price"}, `{"book":{"price":null,"title":"Book.title"}}`},
		"inline fragment":          {`{ book { ... on Book { p: price } title } }`, []string{"Book.price"}, `{"book":{"p":null,"title":"Book.title"}}`},
		"skipped needs no error":   {`{ book { title price @skip(if: true) } }`, nil, `{"book":{"title":"Book.title"}}`},
		"not skipped":              {`{ book { title price @skip(if: false) } }`, []string{"Book.price"}, `{"book":{"price":null,"title":"Book.title"}}`},
		"nested five deep":         {`{ book { author { best { author { best { price id } } } } } }`, []string{"Book.price"}, `{"book":{"author":{"best":{"author":{"best":{"id":"Book.id","price":null}}}}}}`},
		"many times, one error":    {`{ book { price a: price related { price } } }`, []string{"Book.price"}, `{"book":{"a":null,"price":null,"related":[{"price":null},{"price":null}]}}`},
		"list rows":                {`{ books(first: 2) { edges { node { title price } } } }`, []string{"Book.price"}, `{"books":{"edges":[{"node":{"price":null,"title":"Book.title"}},{"node":{"price":null,"title":"Book.title"}}]}}`},
		"union":                    {`{ find { ... on Author { note name } ... on Book { note } } }`, []string{"Author.note"}, `{"find":[{"name":"Author.name","note":null},{"note":"Book.note"}]}`},
		"interface, by real type":  {`{ a: thing { __typename note } b: thing { __typename note } }`, []string{"Author.note"}, `{"a":{"__typename":"Author","note":null},"b":{"__typename":"Book","note":"Book.note"}}`},
		"interface fragment":       {`{ find { ... on Thing { note } } }`, []string{"Author.note"}, `{"find":[{"note":null},{"note":"Book.note"}]}`},
		"two coordinates, two":     {`{ book { price author { note } } }`, []string{"Author.note", "Book.price"}, `{"book":{"author":{"note":null},"price":null}}`},
		"nothing hidden, no error": {`{ book { title note author { name } } }`, nil, `{"book":{"author":{"name":"Author.name"},"note":"Book.note","title":"Book.title"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := post(t, library(t).serving(), member, c.query, nil)
			got, err := json.Marshal(r.Data)
			require.NoError(t, err)
			require.JSONEq(t, c.want, string(got), r.text)
			var denied []string
			for _, e := range r.Errors {
				require.Equal(t, "FORBIDDEN", e.Extensions["code"])
				require.NotEmpty(t, e.Extensions["decisionId"])
				require.NotEmpty(t, e.Path)
				denied = append(denied, fmt.Sprint(e.Extensions["denied"].([]any)[0]))
			}
			slices.Sort(denied)
			require.Equal(t, c.denied, denied)

			r = post(t, library(t).serving(), teamAdmin, c.query, nil)
			require.Empty(t, r.Errors, r.text)
			require.NotContains(t, r.text, "null")
		})
	}
}

func TestSignedOut(t *testing.T) {
	t.Parallel()
	s := library(t).serving()
	require.Empty(t, post(t, s, nil, `{ open }`, nil).Errors)
	require.Empty(t, post(t, s, nil, `mutation { enter }`, nil).Errors)
	require.Empty(t, post(t, s, nil, `{ __typename }`, nil).Errors)
	require.Equal(t, "UNAUTHENTICATED", post(t, s, nil, `{ open book { id } }`, nil).code())
	require.Equal(t, "FORBIDDEN", post(t, s, &tenancy.Viewer{Kind: tenancy.KeyViewer, Roles: teamAdmin.Roles}, `{ book { id } }`, nil).code(), "a key is nobody's role")
}

// A program in somebody's name sees what they see and its permissions name.
func TestNarrowedOperations(t *testing.T) {
	t.Parallel()
	through := func(v *tenancy.Viewer, permissions ...string) *tenancy.Viewer {
		out := *v
		out.Narrowed, out.Permissions = true, permissions
		return &out
	}
	program := through(teamAdmin, "read")
	program.Kind = tenancy.ClientViewer
	for name, c := range map[string]struct {
		viewer *tenancy.Viewer
		query  string
		code   string
	}{
		"reads what a member reads":       {through(member, "read"), `{ book { title } }`, ""},
		"reads what an admin reads":       {through(teamAdmin, "read"), `{ book { price } }`, ""},
		"reads no more than a member":     {through(member, "read"), `{ vault }`, "FORBIDDEN"},
		"can't read":                      {through(teamAdmin, "profile"), `{ book { title } }`, "FORBIDDEN"},
		"can't change":                    {through(teamAdmin, "profile"), `mutation { bookAdd(input: {title: "a"}) { book { id } } }`, "FORBIDDEN"},
		"may do nothing":                  {through(teamAdmin), `{ book { title } }`, "FORBIDDEN"},
		"what is public needs nothing":    {through(teamAdmin), `{ open }`, ""},
		"by itself":                       {program, `{ vault }`, ""},
		"asks for what is a person's own": {through(teamAdmin, everyPermission...), `mutation { enter }`, "FORBIDDEN"},
		"a person does that":              {teamAdmin, `mutation { enter }`, ""},
		"a key doesn't":                   {&tenancy.Viewer{Kind: tenancy.KeyViewer}, `mutation { enter }`, "FORBIDDEN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := library(t)
			require.NoError(t, e.Load(with(t, map[string]string{"coverage.json": strings.Replace(libraryCoverage, `"Mutation.enter": "public"`, `"Mutation.enter": "person"`, 1)})))
			s := e.serving()
			for range 2 { // fresh, then from memory
				r := post(t, s, c.viewer, c.query, nil)
				require.Equal(t, c.code, r.code(), r.text)
				if c.code != "" {
					require.Nil(t, r.Data, "nothing may have run")
				}
			}
		})
	}
}

func TestUncoveredIsRefusedToEverybody(t *testing.T) {
	t.Parallel()
	e := library(t)
	require.NoError(t, e.Load(with(t, map[string]string{"coverage.json": strings.Replace(libraryCoverage, `"Query.open": "public", `, "", 1)})))
	r := post(t, e.serving(), teamAdmin, `{ open }`, nil)
	require.Equal(t, "FORBIDDEN", r.code())
	require.Equal(t, "class:uncovered", r.Errors[0].Extensions["rule"])
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	for _, query := range []string{`{ __schema { types { name } } }`, `{ a: __type(name: "Book") { name } }`, `{ ...f } fragment f on Query { __schema { types { name } } }`} {
		e := library(t)
		s := e.serving()
		r := post(t, s, teamAdmin, query, nil)
		require.Equal(t, "FORBIDDEN", r.code(), r.text)
		require.Equal(t, "introspection-off", r.Errors[0].Extensions["rule"])
		e = library(t)
		e.Introspection = true
		require.Equal(t, "UNAUTHENTICATED", post(t, e.serving(), nil, query, nil).code())
		require.Nil(t, introspects(t, e, query))
	}
}

// introspects asks the engine alone: the schema of these tests doesn't answer.
func introspects(t *testing.T, e *Engine, query string) *gqlerror.Error {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(e.schema, query, nil)
	require.Empty(t, errs)
	oc := &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], DisableIntrospection: true}
	err := e.MutateOperationContext(tenancy.WithViewer(context.Background(), teamAdmin), oc)
	require.False(t, oc.DisableIntrospection)
	return err
}

// subscribe runs a subscription through gqlgen's executor, as its WebSocket
// and SSE transports do.
func subscribe(t *testing.T, e *Engine, v *tenancy.Viewer, query string, events <-chan struct{}) (func() *graphql.Response, *fault.Error) {
	t.Helper()
	x := executor.New((&answers{schema: e.schema}).executable(events))
	x.Use(e)
	ctx := graphql.StartOperationTrace(tenancy.WithViewer(context.Background(), v))
	oc, errs := x.CreateOperationContext(ctx, &graphql.RawParams{Query: query})
	if len(errs) > 0 {
		return nil, fault.As(errs[0])
	}
	next, ctx := x.DispatchOperation(ctx, oc)
	return func() *graphql.Response { return next(ctx) }, nil
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	closed := strings.Replace(libraryCoverage, `"Subscription.pages": "member"`, `"Subscription.pages": "admin"`, 1)
	hidden := strings.Replace(libraryCoverage, `"Book.price": "admin"`, `"Book.price": "admin", "Book.note": "admin"`, 1)
	endsWith := func(t *testing.T, next func() *graphql.Response, code string) {
		t.Helper()
		r := next()
		require.Len(t, r.Errors, 1)
		require.Equal(t, code, r.Errors[0].Extensions["code"])
		require.Nil(t, r.Data, "the payload stays back")
		require.Nil(t, next(), "the stream is over")
	}
	begin := func(t *testing.T) (*Engine, func() *graphql.Response) {
		e := library(t)
		events := make(chan struct{}, 5)
		for range 5 {
			events <- struct{}{}
		}
		next, err := subscribe(t, e, member, `subscription { pages { title note } }`, events)
		require.Nil(t, err)
		r := next()
		require.Empty(t, r.Errors)
		require.JSONEq(t, `{"pages":{"title":"Book.title","note":"Book.note"}}`, string(r.Data))
		return e, next
	}
	t.Run("refused from the start", func(t *testing.T) {
		t.Parallel()
		e := library(t)
		require.NoError(t, e.Load(with(t, map[string]string{"coverage.json": closed})))
		_, err := subscribe(t, e, member, `subscription { pages { title } }`, nil)
		require.Equal(t, fault.Forbidden, err.Code)
	})
	t.Run("policies close the root", func(t *testing.T) {
		t.Parallel()
		e, next := begin(t)
		require.NoError(t, e.Load(with(t, map[string]string{"coverage.json": closed})))
		endsWith(t, next, "FORBIDDEN")
	})
	t.Run("policies hide a field", func(t *testing.T) {
		t.Parallel()
		e, next := begin(t)
		require.NoError(t, e.Load(with(t, map[string]string{"coverage.json": hidden})))
		endsWith(t, next, "FORBIDDEN")
	})
	t.Run("policies change nothing here", func(t *testing.T) {
		t.Parallel()
		e, next := begin(t)
		require.NoError(t, e.Load(with(t, map[string]string{"coverage.json": libraryCoverage, "note.json": `{"note": 1}`})))
		require.Empty(t, next().Errors)
	})
	t.Run("signed out", func(t *testing.T) {
		t.Parallel()
		e, next := begin(t)
		e.Present = func(context.Context) *tenancy.Viewer { return nil }
		endsWith(t, next, "UNAUTHENTICATED")
	})
	t.Run("other roles", func(t *testing.T) {
		t.Parallel()
		e, next := begin(t)
		e.Present = func(context.Context) *tenancy.Viewer { return teamAdmin }
		endsWith(t, next, "FORBIDDEN")
	})
	t.Run("other permissions", func(t *testing.T) {
		t.Parallel()
		for _, permissions := range [][]string{nil, {"read"}, {"profile", "read"}} {
			e, next := begin(t)
			e.Present = func(context.Context) *tenancy.Viewer {
				v := *member
				v.Narrowed, v.Permissions = true, permissions
				return &v
			}
			endsWith(t, next, "FORBIDDEN")
		}
	})
	t.Run("same roles, newer epoch", func(t *testing.T) {
		t.Parallel()
		e, next := begin(t)
		e.Present = func(context.Context) *tenancy.Viewer {
			v := *member
			v.Epoch++
			return &v
		}
		require.Empty(t, next().Errors)
	})
	t.Run("a hidden field says so in each payload", func(t *testing.T) {
		t.Parallel()
		events := make(chan struct{}, 2)
		events <- struct{}{}
		events <- struct{}{}
		next, err := subscribe(t, library(t), member, `subscription { pages { price related { price } } }`, events)
		require.Nil(t, err)
		require.Len(t, next().Errors, 1)
		require.Len(t, next().Errors, 1)
	})
}
