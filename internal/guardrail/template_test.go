package guardrail_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/guardrail"
)

func TestTemplatesCanBeTakenOver(t *testing.T) {
	t.Parallel()
	for _, template := range guardrail.Templates {
		raw, err := guardrail.Encode(&detect.Preset{Rules: template.Rules})
		require.NoError(t, err, template.ID)
		p, faults := detect.Decode(raw)
		require.Empty(t, faults)
		require.Len(t, p.Rules, len(template.Rules))
	}
}
