package guardrail

import "github.com/alchemi/cockpit/internal/detect"

// Template is a preset that comes with the product, for taking over.
type Template struct {
	ID, Name, Description string
	Rules                 []*detect.Rule
}

// Templates are the presets that come with the product.
var Templates = []Template{
	{"pii", "Personal data", "Takes personal data out of what goes to models and of what comes back.", []*detect.Rule{
		rule("E-mail addresses", detect.Email, detect.Redact, detect.Both), rule("Telephone numbers", detect.Phone, detect.Redact, detect.Both),
		rule("Bank accounts", detect.IBAN, detect.Redact, detect.Both), rule("Payment cards", detect.CreditCard, detect.Redact, detect.Both),
		rule("National ids", detect.NationalID, detect.Redact, detect.Both), rule("IP addresses", detect.IPAddress, detect.Flag, detect.Both),
	}},
	{"secrets", "Secrets", "Refuses calls that carry keys and passwords, and takes those out that come back.", []*detect.Rule{
		rule("Private keys", detect.PrivateKey, detect.Block, detect.Input), rule("AWS keys", detect.AWSKey, detect.Block, detect.Input),
		rule("GitHub tokens", detect.GitHubToken, detect.Block, detect.Input), rule("LLM keys", detect.LLMKey, detect.Block, detect.Input),
		rule("Service tokens", detect.ServiceToken, detect.Block, detect.Input), rule("JSON web tokens", detect.JWT, detect.Redact, detect.Both),
		rule("Passwords and the like", detect.GenericSecret, detect.Redact, detect.Both), rule("Private keys that come back", detect.PrivateKey, detect.Redact, detect.Output),
	}},
	{"jailbreak", "Jailbreak", "Refuses phrases that try to talk a model out of its instructions.", []*detect.Rule{
		rule("Jailbreak phrases", detect.Jailbreak, detect.Block, detect.Input), rule("Jailbreak phrases that come back", detect.Jailbreak, detect.Flag, detect.Output),
	}},
}

func rule(name string, d detect.Detector, a detect.Action, way detect.Direction) *detect.Rule {
	return &detect.Rule{Name: name, Detector: d, Action: a, Direction: way}
}
