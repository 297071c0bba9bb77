package gateway

import (
	"encoding/json"

	"github.com/alchemi/cockpit/internal/budget"
)

// maxTokens is more than any call uses; a report beyond it is broken.
const maxTokens = 1 << 40

// reported is a usage object in the dialects of OpenAI-compatible providers.
type reported struct {
	Prompt     *int64 `json:"prompt_tokens"`
	Completion int64  `json:"completion_tokens"`
	Total      int64  `json:"total_tokens"`
	PromptOf   *struct {
		Cached     int64 `json:"cached_tokens"`
		CacheWrite int64 `json:"cache_write_tokens"`
		Creation   int64 `json:"cache_creation_tokens"`
		Audio      int64 `json:"audio_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionOf *struct {
		Reasoning int64 `json:"reasoning_tokens"`
		Audio     int64 `json:"audio_tokens"`
	} `json:"completion_tokens_details"`
	CacheHit      int64 `json:"prompt_cache_hit_tokens"`     // DeepSeek
	CacheCreation int64 `json:"cache_creation_input_tokens"` // LiteLLM
	CacheRead     int64 `json:"cache_read_input_tokens"`     // LiteLLM
}

// readUsage understands a usage object; false when it holds no usable report.
func readUsage(raw json.RawMessage) (budget.Usage, bool) {
	var r reported
	if json.Unmarshal(raw, &r) != nil || r.Prompt == nil {
		return budget.Usage{}, false
	}
	var t budget.Usage
	t.CachedInput = max(r.CacheHit, r.CacheRead)
	t.CacheWrite = r.CacheCreation
	if d := r.PromptOf; d != nil {
		t.CachedInput = max(t.CachedInput, d.Cached)
		t.CacheWrite = max(t.CacheWrite, d.CacheWrite, d.Creation)
		t.AudioInput = d.Audio
	}
	if d := r.CompletionOf; d != nil {
		t.Reasoning, t.AudioOutput = d.Reasoning, d.Audio
	}
	for _, n := range []int64{*r.Prompt, r.Completion, r.Total, t.CachedInput, t.CacheWrite, t.AudioInput, t.Reasoning, t.AudioOutput} {
		if n < 0 || n > maxTokens {
			return budget.Usage{}, false
		}
	}
	// The classes are parts of the two sums. Where a provider's parts don't fit
	// in, the dearer ones keep their tokens.
	t.Input = rest(*r.Prompt, &t.CacheWrite, &t.AudioInput, &t.CachedInput)
	completion := r.Completion
	if t.Reasoning > 0 && r.Total == *r.Prompt+r.Completion+t.Reasoning {
		completion += t.Reasoning // this provider counts reasoning apart
	}
	t.Output = rest(completion, &t.AudioOutput, &t.Reasoning)
	return t, true
}

// rest takes the parts out of a sum, cuts those that don't fit, and returns
// what is left.
func rest(sum int64, parts ...*int64) int64 {
	for _, p := range parts {
		*p = min(*p, sum)
		sum -= *p
	}
	return sum
}
