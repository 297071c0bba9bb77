package audit

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/migrate"
)

var wordStart = regexp.MustCompile("([a-z])([A-Z])")

// sensitive are the columns of an entity that the schema marks as such; ent
// keeps them out of JSON.
func sensitive(entity reflect.Type) (out []string) {
	for f := range entity.Fields() {
		if f.IsExported() && f.Tag.Get("json") == "-" {
			out = append(out, strings.ToLower(wordStart.ReplaceAllString(f.Name, "${1}_${2}")))
		}
	}
	return out
}

// Whatever the schema calls sensitive never reaches an event, in entities yet
// to come too.
func TestSensitiveFieldsAreHidden(t *testing.T) {
	t.Parallel()
	entities, found := 0, 0
	client := reflect.TypeFor[ent.Client]()
	for f := range client.Fields() {
		if f.Type.Kind() != reflect.Pointer {
			continue
		}
		get, ok := f.Type.MethodByName("Get")
		if !ok {
			continue
		}
		entities++
		for _, column := range sensitive(get.Type.Out(0).Elem()) {
			found++
			require.Contains(t, secrets, column, "%s of %s is sensitive: add it to secrets", column, f.Name)
		}
	}
	require.Len(t, migrate.Tables, entities, "every entity is looked at")
	require.GreaterOrEqual(t, found, 13)
}

// What is called like a secret is hidden, or said here to be none.
func TestSecretsByNameAreHidden(t *testing.T) {
	t.Parallel()
	secret := regexp.MustCompile("secret|hash|token(_|$)|password|code|nonce|challenge|private|_key$")
	harmless := []string{"secret_hint", "token_id", "token_exchange", "previous_secret_hint", "signing_key_id", "audit_hash", "client_secret_hint", "moderation_secret_hint"}
	for _, table := range migrate.Tables {
		if table.Name == "audit_events" || table.Name == "audit_checkpoints" || table.Name == "charges" || table.Name == "holds" || table.Name == "idempotency_keys" || table.Name == "mutation_keys" {
			continue // no events are made of these
		}
		for _, c := range table.Columns {
			if secret.MatchString(c.Name) && !strings.HasSuffix(c.Name, "_at") && !slices.Contains(harmless, c.Name) {
				require.Contains(t, secrets, c.Name, "%s.%s looks like a secret: add it to secrets, or to this test", table.Name, c.Name)
			}
		}
	}
}
