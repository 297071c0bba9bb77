package webhook_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/alert"
	"github.com/alchemi/cockpit/internal/notify"
)

var example = regexp.MustCompile("(?ms)^```json\n(.*?)^```")

// The examples of the guide are what the product's own types read and write:
// no field too many, none missing, none of another form.
func TestExamplesOfTheGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/webhooks.md")
	require.NoError(t, err)
	text := string(guide)
	for _, topic := range notify.Topics {
		require.Equal(t, topic.ForWebhooks(), strings.Contains(text, "`"+topic.Type()+"`"), topic)
	}
	examples := example.FindAllStringSubmatch(text, -1)
	require.Len(t, examples, 6)
	for _, e := range examples {
		var head struct {
			Type      string
			Timestamp time.Time
			Data      json.RawMessage
		}
		require.NoError(t, json.Unmarshal([]byte(e[1]), &head))
		var data any
		switch head.Type {
		case notify.ChargeLate.Type():
			data = &alert.LateData{}
		case notify.IncreaseRequested.Type():
			data = &notify.Data{}
		default:
			data = &alert.Data{}
		}
		d := json.NewDecoder(bytes.NewReader(head.Data))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(data), head.Type)
		written, err := json.Marshal(notify.Event{Type: head.Type, Timestamp: head.Timestamp, Data: data})
		require.NoError(t, err)
		require.JSONEq(t, e[1], string(written))
	}
}

func TestSignatureOfTheGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/webhooks.md")
	require.NoError(t, err)
	value := func(name string) string {
		m := regexp.MustCompile(`(?m)^` + name + ` +(.*)$`).FindStringSubmatch(string(guide))
		require.NotNil(t, m, name)
		return m[1]
	}
	v, err := standardwebhooks.NewWebhook(value("secret"))
	require.NoError(t, err)
	h := http.Header{}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		h.Set(name, value(name))
	}
	require.NoError(t, v.VerifyIgnoringTimestamp([]byte(value("body")), h))
}
