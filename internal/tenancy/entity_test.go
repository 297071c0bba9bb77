package tenancy_test

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
)

// entity drives one entity's generated client by reflection, so that the walk
// meets every entity of the schema, those of tomorrow included.
type entity struct {
	table  string
	client reflect.Value
}

type query interface {
	TableName() string
	WhereP(...func(*sql.Selector))
	Count(context.Context) (int, error)
	Exist(context.Context) (bool, error)
	IDs(context.Context) ([]string, error)
	FirstID(context.Context) (string, error)
}

type mutation interface {
	ent.Mutation
	EdgeTable(string) string
}

// entities finds the clients of all entities.
func entities(c *ent.Client) []entity {
	var out []entity
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); v.Type().Field(i).IsExported() && f.Kind() == reflect.Pointer && f.MethodByName("Query").IsValid() {
			e := entity{client: f}
			e.table = e.query().TableName()
			out = append(out, e)
		}
	}
	return out
}

// call calls a method; a last result of type error is returned apart.
func call(v reflect.Value, method string, args ...any) (reflect.Value, error) {
	in := make([]reflect.Value, len(args))
	for i, a := range args {
		in[i] = reflect.ValueOf(a)
	}
	out := v.MethodByName(method).Call(in)
	var err error
	if n := len(out); n > 0 && out[n-1].Type() == reflect.TypeFor[error]() {
		err, _ = out[n-1].Interface().(error)
		out = out[:n-1]
	}
	if len(out) == 0 {
		return reflect.Value{}, err
	}
	return out[0], err
}

func (e entity) make(method string, args ...any) reflect.Value {
	v, _ := call(e.client, method, args...)
	return v
}

func (e entity) query() query { return e.make("Query").Interface().(query) }

func where(ids ...string) func(*sql.Selector) {
	in := make([]any, len(ids))
	for i, id := range ids {
		in[i] = id
	}
	return func(s *sql.Selector) { s.Where(sql.In(s.C("id"), in...)) }
}

// all runs a query and returns the entities.
func all(ctx context.Context, q query) ([]reflect.Value, error) {
	v, err := call(reflect.ValueOf(q), "All", ctx)
	if err != nil {
		return nil, err
	}
	out := make([]reflect.Value, v.Len())
	for i := range out {
		out[i] = v.Index(i)
	}
	return out, nil
}

func idOf(row reflect.Value) string { return row.Elem().FieldByName("ID").String() }

// edges of a query by their Go names: Teams, CentralProvider …
func edges(q query) []string {
	var out []string
	t := reflect.TypeOf(q)
	for i := range t.NumMethod() {
		if name, ok := strings.CutPrefix(t.Method(i).Name, "With"); ok {
			out = append(out, name)
		}
	}
	return out
}

// loaded lists the ids that an edge of an entity was loaded with.
func loaded(row reflect.Value, edge string) []string {
	f := row.Elem().FieldByName("Edges").FieldByName(edge)
	if f.Kind() == reflect.Pointer {
		if f.IsNil() {
			return nil
		}
		return []string{idOf(f)}
	}
	out := make([]string, f.Len())
	for i := range out {
		out[i] = idOf(f.Index(i))
	}
	return out
}

func mutationOf(builder reflect.Value) mutation {
	v, _ := call(builder, "Mutation")
	return v.Interface().(mutation)
}

// narrow adds a condition to an update or delete.
func narrow(builder reflect.Value, p func(*sql.Selector)) {
	m := builder.MethodByName("Where")
	m.Call([]reflect.Value{reflect.ValueOf(p).Convert(m.Type().In(0).Elem())})
}

// snake is the column of a Go field whose tag hides it.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// clone begins to create a row like the given one, its id included, with some
// fields forged; plain strings become whatever type the field has.
func (e entity) clone(t testing.TB, like reflect.Value, forged map[string]string) reflect.Value {
	t.Helper()
	builder := e.make("Create")
	m := mutationOf(builder)
	forged = withDefault(forged, "id", idOf(like))
	v := like.Elem()
	for i := range v.NumField() {
		f, value := v.Type().Field(i), v.Field(i)
		column, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if column == "-" {
			column = snake(f.Name)
		}
		if !f.IsExported() || f.Name == "ID" || f.Name == "Edges" || column == "" {
			continue
		}
		if text, ok := forged[column]; ok {
			to := value.Type()
			if to.Kind() == reflect.Pointer {
				to = to.Elem()
			}
			value = reflect.New(to).Elem()
			value.SetString(text)
		}
		if value.Kind() == reflect.Pointer {
			if value.IsNil() {
				continue
			}
			value = value.Elem()
		}
		if raw, ok := value.Interface().(json.RawMessage); ok && len(raw) == 0 {
			continue
		}
		require.NoError(t, m.SetField(column, value.Interface()), "%s.%s", e.table, column)
	}
	_, _ = call(builder, "SetID", forged["id"])
	return builder
}

func withDefault(m map[string]string, key, value string) map[string]string {
	out := map[string]string{key: value}
	for k, v := range m {
		out[k] = v
	}
	return out
}

// scribble sets the first plain text, number or truth that an update may
// change, if there is one.
func scribble(builder reflect.Value) bool {
	t := builder.Type()
	for i := range t.NumMethod() {
		m := t.Method(i)
		if !strings.HasPrefix(m.Name, "Set") || strings.HasPrefix(m.Name, "SetNillable") || strings.HasSuffix(m.Name, "ID") || m.Type.NumIn() != 2 {
			continue
		}
		switch in := m.Type.In(1); {
		case in == reflect.TypeFor[string]():
			builder.Method(i).Call([]reflect.Value{reflect.ValueOf("/scribble/")})
		case in.Kind() == reflect.Int64 || in.Kind() == reflect.Int:
			builder.Method(i).Call([]reflect.Value{reflect.ValueOf(7).Convert(in)})
		case in.Kind() == reflect.Bool:
			builder.Method(i).Call([]reflect.Value{reflect.ValueOf(true)})
		default:
			continue
		}
		return true
	}
	return false
}

// methods of a builder by their names: AddTeamIDs, ClearTeams …
func methods(builder reflect.Value, prefix, suffix string) []string {
	var out []string
	t := builder.Type()
	for i := range t.NumMethod() {
		if n := t.Method(i).Name; strings.HasPrefix(n, prefix) && strings.HasSuffix(n, suffix) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}
