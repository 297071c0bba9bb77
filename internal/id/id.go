// Package id makes and reads Cockpit's opaque identifiers: a type prefix, an
// underscore and a ULID ("team_01JD…"). They sort by creation time and are
// stored as text everywhere.
package id

import (
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// Prefix names the type of the thing that an id stands for.
type Prefix string

// The prefixes in use. A scope's prefix tells its kind.
const (
	Platform               Prefix = "plt"
	Account                Prefix = "acc"
	Console                Prefix = "con"
	Copilot                Prefix = "cop"
	Organization           Prefix = "org"
	Team                   Prefix = "team"
	Member                 Prefix = "mem"
	Key                    Prefix = "key"
	Login                  Prefix = "lgn"
	User                   Prefix = "usr"
	Session                Prefix = "ses"
	RoleBinding            Prefix = "rol"
	Provider               Prefix = "prv"
	CentralProvider        Prefix = "cpv"
	CatalogModel           Prefix = "cat"
	Model                  Prefix = "mod"
	KeyModel               Prefix = "kmd"
	Price                  Prefix = "prc"
	CreditFactor           Prefix = "fac"
	Budget                 Prefix = "bud"
	BudgetCycle            Prefix = "cyc"
	BudgetLease            Prefix = "lse"
	IdempotencyKey         Prefix = "idk"
	MutationKey            Prefix = "mtk"
	Hold                   Prefix = "hld"
	Charge                 Prefix = "chg"
	AuditEvent             Prefix = "evt"
	Request                Prefix = "req"
	Decision               Prefix = "dec"
	Node                   Prefix = "nod"
	Domain                 Prefix = "dom"
	IdentityProvider       Prefix = "idp"
	GroupMapping           Prefix = "gmp"
	ExternalIdentity       Prefix = "ext"
	Invitation             Prefix = "inv"
	ServiceClient          Prefix = "cli"
	Authorization          Prefix = "aut"
	PersonalToken          Prefix = "pat"
	Grant                  Prefix = "grt"
	SupportAccess          Prefix = "sup"
	AuditCheckpoint        Prefix = "chk"
	BudgetIncrease         Prefix = "inc"
	BudgetAlert            Prefix = "alr"
	Statement              Prefix = "stm"
	UsageDay               Prefix = "udy"
	UsageTag               Prefix = "utg"
	UsageTotal             Prefix = "utt"
	Notification           Prefix = "ntf"
	NotificationPreference Prefix = "npf"
	Webhook                Prefix = "whk"
	WebhookDelivery        Prefix = "whd"
	InboxRequest           Prefix = "irq"
	RequestRule            Prefix = "rul"
	Deputy                 Prefix = "dpt"
	Agent                  Prefix = "agt"
	AgentVersion           Prefix = "agv"
	Connection             Prefix = "cnn"
	ConnectionCredential   Prefix = "ccr"
	Tool                   Prefix = "tol"
	Listing                Prefix = "lst"
	ListingVersion         Prefix = "lsv"
	ListingAccount         Prefix = "lsa"
	Rating                 Prefix = "rtg"
	GuardrailPreset        Prefix = "grl"
	GuardrailAssignment    Prefix = "gra"
	FeatureFlag            Prefix = "flg"
)

// PlatformID is the reserved account of the platform itself.
const PlatformID = "plt_00000000000000000000000000"

var entropy = struct {
	sync.Mutex
	*ulid.MonotonicEntropy
}{MonotonicEntropy: ulid.Monotonic(rand.Reader, 0)}

// New makes an id that has never been given before.
func New(p Prefix) string { return At(p, time.Now()) }

// At makes an id whose time part is t, so that back-dated rows sort where
// they belong.
func At(p Prefix, t time.Time) string {
	entropy.Lock()
	defer entropy.Unlock()
	return string(p) + "_" + ulid.MustNew(ulid.Timestamp(t), entropy.MonotonicEntropy).String()
}

// Time is when an id was made, to the millisecond; zero for a malformed one.
func Time(s string) time.Time {
	_, rest, _ := strings.Cut(s, "_")
	u, err := ulid.ParseStrict(rest)
	if err != nil {
		return time.Time{}
	}
	return u.Timestamp().UTC()
}

// PrefixOf returns the type prefix of an id, and false if it is malformed.
func PrefixOf(s string) (Prefix, bool) {
	p, rest, ok := strings.Cut(s, "_")
	if !ok || p == "" {
		return "", false
	}
	if _, err := ulid.ParseStrict(rest); err != nil {
		return "", false
	}
	return Prefix(p), true
}

// Is tells whether s is a well-formed id with prefix p.
func Is(s string, p Prefix) bool {
	got, ok := PrefixOf(s)
	return ok && got == p
}
