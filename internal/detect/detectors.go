package detect

import (
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Detector is what a rule looks for.
type Detector string

// The detectors.
const (
	Email         Detector = "EMAIL"
	Phone         Detector = "PHONE"
	IBAN          Detector = "IBAN"
	CreditCard    Detector = "CREDIT_CARD"
	IPAddress     Detector = "IP_ADDRESS"
	NationalID    Detector = "NATIONAL_ID"
	AWSKey        Detector = "AWS_KEY"
	GitHubToken   Detector = "GITHUB_TOKEN"
	LLMKey        Detector = "LLM_KEY"
	ServiceToken  Detector = "SERVICE_TOKEN"
	PrivateKey    Detector = "PRIVATE_KEY"
	JWT           Detector = "JWT"
	GenericSecret Detector = "GENERIC_SECRET"
	Jailbreak     Detector = "JAILBREAK"
	Words         Detector = "WORDS"
	Regex         Detector = "REGEX"
)

// check tells whether what a pattern found is what it looks like, and how many
// of its first bytes belong to the context alone.
type check func(found string) (skip int, ok bool)

// kind is how a detector works.
type kind struct {
	pattern string
	mark    string
	check   check
	tall    bool
}

var detectors = map[Detector]kind{
	Email: {mark: "email", pattern: `(?:\b[\pL\pN]|[^\x00-\x7F\pZ\pP\pC])[\pL\pN._%+'-]{0,63}@(?:[\pL\pN-]{1,63}\.){1,4}\pL{2,24}`},
	Phone: {mark: "phone", check: when(phone),
		pattern: `(?:\+|\b00)[1-9]\d{0,2}(?:[ .()/-]{0,2}\d){6,12}\b|(?:\(|\b)[2-9]\d{2}\)?[ .-]\d{3}[ .-]\d{4}\b`},
	IBAN:       {mark: "iban", check: when(iban), pattern: `(?i)\b[a-z]{2}\d{2}(?:[ -]?[a-z0-9]){11,30}\b`},
	CreditCard: {mark: "card", check: when(card), pattern: `\b[2-6]\d{3}(?:[ -]?\d){9,15}\b`},
	IPAddress: {mark: "ip", check: when(address),
		pattern: `\b(?:\d{1,3}\.){3}\d{1,3}\b|(?i)[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}`},
	NationalID: {mark: "national-id", check: when(nationalID),
		pattern: `\b\d{11}\b|\b\d{3}\.\d{3}\.\d{3}-\d{2}\b|(?i)\b[xyz\d]\d{7}-?[a-z]\b|\b[12]\d{2}(?:0[1-9]|1[0-2])\d[\dab]\d{8}\b|` +
			`\b[12] \d{2} \d{2} \d[\dab] \d{3} \d{3} \d{2}\b|\b\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}\b|\b[a-z]{6}\d{2}[a-ehlmprst]\d{2}[a-z]\d{3}[a-z]\b`},
	AWSKey:      {mark: "aws-key", pattern: `\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b`},
	GitHubToken: {mark: "github-token", pattern: `\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b`},
	LLMKey:      {mark: "llm-key", check: when(mixed), pattern: `\bsk-(?:[a-z]{2,8}[0-9]{0,2}-){0,2}[A-Za-z0-9_-]{20,300}`},
	ServiceToken: {mark: "token", pattern: `\bxox[abeprs]-[A-Za-z0-9-]{10,250}|\bglpat-[A-Za-z0-9_-]{20,100}|\bAIza[0-9A-Za-z_-]{35}|` +
		`\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,250}|\bnpm_[A-Za-z0-9]{36}\b|\bhf_[A-Za-z0-9]{30,60}\b`},
	PrivateKey: {mark: "private-key", tall: true, pattern: `-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----` +
		`(?:(?:\s|\\[nr]){0,4}[A-Za-z0-9+/=]{16,})*(?:(?:(?:\s|\\[nr]){0,4}[A-Za-z0-9+/=]{1,80})?(?:\s|\\[nr]){0,4}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?`},
	JWT: {mark: "jwt", tall: true, pattern: `\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}`},
	GenericSecret: {mark: "secret", check: genericSecret,
		pattern: `(?i)\b(?:password|passwd|pwd|passphrase|secret|token|api[ _-]?key|access[ _-]?key|client[ _-]?secret|auth[ _-]?key|bearer|credentials?)` +
			`["']?(?:\s{0,3}(?::=|=>|:|=)\s{0,3}|\s{1,3}(?:is\s{1,3})?)["']?[A-Za-z0-9+/_=.~!@#$%^&*-]{11,200}[A-Za-z0-9+/_=~@#$%^&*-]`},
	Jailbreak: {mark: "jailbreak", pattern: jailbreaks()},
	Words:     {mark: "word"},
	Regex:     {mark: "custom"},
}

// names lists the detectors in their order.
func names() []string {
	out := make([]string, 0, len(detectors))
	for d := range detectors {
		out = append(out, string(d))
	}
	slices.Sort(out)
	return out
}

// when is a check of the whole that was found.
func when(is func(string) bool) check {
	return func(found string) (int, bool) { return 0, is(found) }
}

func digitsOf(s string) []int {
	out := make([]int, 0, len(s))
	for _, c := range s {
		if '0' <= c && c <= '9' {
			out = append(out, int(c-'0'))
		}
	}
	return out
}

func phone(found string) bool {
	n := len(digitsOf(found))
	return 8 <= n && n <= 15
}

func card(found string) bool {
	d := digitsOf(found)
	if len(d) < 13 || len(d) > 19 {
		return false
	}
	sum, same := 0, true
	for i := range d {
		n := d[len(d)-1-i]
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
		same = same && d[i] == d[0]
	}
	return sum%10 == 0 && !same
}

func iban(found string) bool {
	s := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(found))
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	rest := 0
	for _, c := range s[4:] + s[:4] {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return rest == 1
}

func address(found string) bool {
	a, err := netip.ParseAddr(found)
	if err != nil || a.IsUnspecified() {
		return false
	}
	return a.Is4() || strings.Count(found, ":") > 2
}

var (
	spanish = regexp.MustCompile(`^[XYZ\d]\d{7}[A-Z]$`)
	italian = regexp.MustCompile(`^[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]$`)
	french  = regexp.MustCompile(`^[12]\d{4}\d[\dAB]\d{8}$`)
)

// nationalID knows the numbers of Spain, Italy, France, Germany, Poland,
// Belgium and Brazil by their check digits.
func nationalID(found string) bool {
	s := strings.ToUpper(strings.NewReplacer(" ", "", "-", "", ".", "").Replace(found))
	switch {
	case spanish.MatchString(s):
		n, err := strconv.Atoi(strings.NewReplacer("X", "0", "Y", "1", "Z", "2").Replace(s[:8]))
		return err == nil && "TRWAGMYFPDXBNJZSQVHLCKE"[n%23] == s[8]
	case italian.MatchString(s):
		return codiceFiscale(s)
	case french.MatchString(s):
		n, ok := new(big.Int).SetString(strings.NewReplacer("2A", "19", "2B", "18").Replace(s[:13]), 10)
		key, err := strconv.Atoi(s[13:])
		return ok && err == nil && int64(key) == 97-new(big.Int).Mod(n, big.NewInt(97)).Int64()
	case len(s) == 11:
		d := digitsOf(s)
		return len(d) == 11 && (pesel(d) || steuerID(d) || cpf(d) || belgian(s))
	}
	return false
}

func weighed(d, weights []int) int {
	sum := 0
	for i, w := range weights {
		sum += d[i] * w
	}
	return sum
}

// pesel is Poland's; it begins with a date of birth.
func pesel(d []int) bool {
	month, day := (d[2]*10+d[3])%20, d[4]*10+d[5]
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
		(10-weighed(d, []int{1, 3, 7, 9, 1, 3, 7, 9, 1, 3})%10)%10 == d[10]
}

// steuerID is Germany's: of its first ten digits one comes twice or thrice.
func steuerID(d []int) bool {
	var times [10]int
	for _, n := range d[:10] {
		times[n]++
	}
	repeated := 0
	for _, n := range times {
		if n > 3 {
			return false
		}
		if n > 1 {
			repeated++
		}
	}
	if d[0] == 0 || repeated != 1 {
		return false
	}
	product := 10
	for _, n := range d[:10] {
		sum := (n + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = sum * 2 % 11
	}
	return (11-product)%10 == d[10]
}

// cpf is Brazil's.
func cpf(d []int) bool {
	digit := func(sum int) int {
		if r := sum % 11; r >= 2 {
			return 11 - r
		}
		return 0
	}
	same := true
	for _, n := range d {
		same = same && n == d[0]
	}
	return !same && digit(weighed(d, []int{10, 9, 8, 7, 6, 5, 4, 3, 2})) == d[9] &&
		digit(weighed(d, []int{11, 10, 9, 8, 7, 6, 5, 4, 3, 2})) == d[10]
}

// belgian numbers begin with a date of birth too.
func belgian(s string) bool {
	n, err := strconv.Atoi(s[:9])
	key, err2 := strconv.Atoi(s[9:])
	month, day := s[2:4], s[4:6]
	if err != nil || err2 != nil || month > "12" || month == "00" || day > "31" || day == "00" {
		return false
	}
	return 97-n%97 == key || 97-(2_000_000_000+n)%97 == key
}

func codiceFiscale(s string) bool {
	const odd = "1 0 5 7 9 13 15 17 19 21 2 4 18 20 11 3 6 8 12 14 16 10 22 25 24 23"
	values := strings.Fields(odd)
	sum := 0
	for i, c := range s[:15] {
		n := int(c - 'A')
		if c <= '9' {
			n = int(c - '0')
		}
		if i%2 == 0 {
			v, err := strconv.Atoi(values[n])
			if err != nil {
				return false
			}
			n = v
		}
		sum += n
	}
	return byte('A'+sum%26) == s[15]
}

// mixed tells keys from words joined by dashes.
func mixed(found string) bool {
	return strings.ContainsAny(found, "0123456789") && entropy(found) >= 3
}

// genericSecret asks that the value look random; the word before it stays.
func genericSecret(found string) (int, bool) {
	value := strings.TrimLeftFunc(found[len(contextWord.FindString(found)):], func(r rune) bool { return strings.ContainsRune(" \t\r\n\"':=>", r) })
	if v, ok := strings.CutPrefix(value, "is "); ok {
		value = strings.TrimLeft(v, " \"'")
	}
	letters := strings.ContainsFunc(value, unicode.IsLetter)
	return len(found) - len(value), len(value) >= 12 && letters && strings.ContainsAny(value, "0123456789") && entropy(value) >= 3
}

var contextWord = regexp.MustCompile(`(?i)^(?:password|passwd|pwd|passphrase|secret|token|(?:api|access|auth)[ _-]?key|client[ _-]?secret|bearer|credentials?)`)

// entropy is Shannon's, in bits a byte.
func entropy(s string) float64 {
	var times [256]int
	for i := range len(s) {
		times[s[i]]++
	}
	h := 0.0
	for _, n := range times {
		if n > 0 {
			p := float64(n) / float64(len(s))
			h -= p * math.Log2(p)
		}
	}
	return h
}

// phrases are how people try to talk a model out of its instructions. A bar
// parts words of which one is enough, a question mark one that may be missing.
var phrases = []string{
	"ignore|disregard|forget|override all|any|the|your? of? the|your|my? previous|prior|above|earlier|preceding|initial|original instructions|instruction|rules|prompts|prompt|directions|guidelines",
	"ignore|disregard|forget everything|all you were|was told|taught before|previously|above",
	"reveal|print|show|repeat|output|leak me? your|the hidden|full|entire|original|secret? system|initial|developer prompt|instructions|message",
	"you are now|henceforth in? dan|developer|jailbreak|jailbroken|unrestricted|unfiltered mode?",
	"enable|activate|enter|switch to? dan|developer|jailbreak|god|sudo|unrestricted|unfiltered mode",
	"do anything now",
	"pretend|act|behave|respond as? if? you have|had no|without restrictions|rules|filters|guidelines|limits|limitations",
	"without|bypass|bypassing|disable|circumvent any|all|your|the? safety|content|ethical|moderation filters|filter|guidelines|restrictions|policies|policy|protocols",
	"from now on you will|must|shall not? ignore|disregard|bypass|obey|comply",
}

const (
	hidden  = `[\x{00AD}\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{FEFF}]*`
	between = `[\s\pZ\pP\x{200B}-\x{200F}\x{2060}\x{FEFF}]+`
)

// twins are characters that look like a letter.
var twins = map[rune]string{
	'a': `аαɑ4@áàâäãå`, 'b': `ЬвЪ8`, 'c': `сϲç`, 'd': `ԁ`, 'e': `еεё3éèêë`, 'g': `ɡ9`, 'h': `һ`, 'i': `іιı1!|líìîï`, 'j': `ј`, 'k': `кκ`,
	'l': `ӏ1|I`, 'm': `м`, 'n': `ոñ`, 'o': `оοօ0óòôöõ`, 'p': `рρ`, 'q': `ԛ`, 'r': `г`, 's': `ѕ5$`, 't': `тτ7+`, 'u': `υսúùûü`, 'v': `ѵν`,
	'w': `ԝѡ`, 'x': `хχ`, 'y': `уγý`, 'z': `ᴢ2`,
}

// jailbreaks is one pattern of all phrases, whatever the case, the spaces, the
// invisible characters and the look-alikes.
func jailbreaks() string {
	out := make([]string, len(phrases))
	for i, p := range phrases {
		out[i] = phrase(p)
	}
	return `(?i)(?:` + strings.Join(out, "|") + `)`
}

func phrase(p string) string {
	var b strings.Builder
	for i, slot := range strings.Fields(p) {
		options, optional := strings.CutSuffix(slot, "?")
		words := strings.Split(options, "|")
		for j, w := range words {
			words[j] = disguised(w, i == 0)
		}
		one := "(?:" + strings.Join(words, "|") + ")"
		switch {
		case i == 0:
			b.WriteString(one)
		case optional:
			b.WriteString("(?:" + between + one + ")?")
		default:
			b.WriteString(between + one)
		}
	}
	return b.String()
}

// disguised is a word with all that may stand for its letters, and hide among
// them. The first word of a phrase begins where a word does.
func disguised(w string, first bool) string {
	var b strings.Builder
	for i, r := range w {
		if i > 0 {
			b.WriteString(hidden)
		}
		plain, other := string(r), string(fullwidth(r))
		for _, t := range twins[r] {
			if kindOf(t) == word {
				plain += string(t)
			} else {
				other += string(t)
			}
		}
		if i == 0 && first {
			b.WriteString(`(?:\b[` + plain + `]|[` + classText(other) + `])`)
		} else {
			b.WriteString("[" + plain + classText(other) + "]")
		}
	}
	return b.String()
}

func classText(s string) string {
	return strings.NewReplacer(`|`, `\|`, `^`, `\^`, `]`, `\]`, `-`, `\-`).Replace(s)
}

func fullwidth(r rune) rune { return r - '!' + '！' }

// wordsPattern finds whole words and phrases in any case; where that fails, it
// tells why and at which word.
func wordsPattern(words []string) (source string, problem []string) {
	if len(words) == 0 || len(words) > maxWords {
		return "", []string{fmt.Sprintf("List 1 to %d words.", maxWords)}
	}
	parts := make([]string, len(words))
	for i, w := range words {
		w = strings.Join(strings.Fields(w), " ")
		if w == "" || len(w) > maxWord || !utf8.ValidString(w) {
			return "", []string{fmt.Sprintf("A word has 1 to %d bytes.", maxWord), strconv.Itoa(i)}
		}
		text := strings.ReplaceAll(regexp.QuoteMeta(w), " ", `[\s\pZ]{1,8}`)
		first, _ := utf8.DecodeRuneInString(w)
		last, _ := utf8.DecodeLastRuneInString(w)
		if kindOf(first) == word {
			text = `\b` + text
		}
		if kindOf(last) == word {
			text += `\b`
		}
		parts[i] = text
	}
	return "(?i)(?:" + strings.Join(parts, "|") + ")", nil
}
