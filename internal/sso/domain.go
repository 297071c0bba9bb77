package sso

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// maxDomains bounds the domains that an account may claim.
const maxDomains = 200

// ascii brings a domain to the form it is stored in.
func ascii(name string) (string, error) {
	name, err := idna.Lookup.ToASCII(strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), ".")))
	if err != nil || name == "" || len(name) > 253 {
		return "", fmt.Errorf("sso: not a domain: %w", err)
	}
	return name, nil
}

// checkDomain brings a mail domain to the form it is stored in, or refuses one
// that can't be a single account's.
func checkDomain(given string) (string, error) {
	name, err := ascii(given)
	if err != nil || !strings.Contains(name, ".") {
		return "", fault.At("name", "%q isn't a domain; give a name such as example.com.", clip(given))
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return "", fault.At("name", "An address of a machine isn't a domain; give a name such as example.com.")
	}
	base, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return "", fault.At("name", "Everybody can have a name below %s; give the domain that is yours alone.", name)
	}
	if slices.Contains(publicMail, base) {
		return "", fault.At("name", "Everybody can have a mailbox at %s; give a domain that is your company's alone.", base)
	}
	return name, nil
}

// CreateDomain claims a mail domain for an account. Others may claim it too:
// who proves it has it.
func (g *Gate) CreateDomain(ctx context.Context, accountID, given string) (*ent.Domain, error) {
	name, err := checkDomain(given)
	if err != nil {
		return nil, err
	}
	var d *ent.Domain
	err = g.change(ctx, accountID, func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.Domain.Query().Where(domain.AccountID(accountID)).Count(ctx)
		if err != nil {
			return err
		}
		if n >= maxDomains {
			return fault.New(fault.Invalid, "An account has at most %d domains. Delete one that isn't used any more.", maxDomains)
		}
		d, err = tx.Domain.Create().SetAccountID(accountID).SetPlane(domain.PlaneACCOUNT).SetName(name).SetToken(secret.Token()).Save(ctx)
		if store.IsConflict(err) {
			e := fault.At("name", "%s is on your list already.", name)
			e.Code = fault.Exists
			return e
		}
		if err != nil {
			return err
		}
		return tx.Audit(ctx, event("domain.create", accountID, d.ID, name))
	})
	return d, err
}

// recordName is where the TXT record of a domain is looked for, recordValue what
// it must say.
func recordName(d *ent.Domain) string  { return "_cockpit." + d.Name }
func recordValue(d *ent.Domain) string { return "cockpit-verification=" + d.Token }

// VerifyDomain looks the TXT record up and takes the proof. What was wrong is
// kept with the domain too.
func (g *Gate) VerifyDomain(ctx context.Context, d *ent.Domain) (*ent.Domain, error) {
	problem := g.lookUp(ctx, d) // no transaction is open while waiting for others
	if problem == "" {
		return g.prove(ctx, d)
	}
	err := g.change(ctx, d.AccountID, func(ctx context.Context, tx *store.Tx) error {
		err := tx.Domain.UpdateOneID(d.ID).SetCheckedAt(tx.Now()).SetCheckError(clip(problem)).Exec(ctx)
		if err != nil {
			return missing(err, "domain")
		}
		return tx.Audit(ctx, event("domain.check", d.AccountID, d.ID, d.Name))
	})
	if err != nil {
		return nil, err
	}
	return nil, fault.At("domainId", "%s", problem)
}

func (g *Gate) prove(ctx context.Context, d *ent.Domain) (*ent.Domain, error) {
	var out *ent.Domain
	err := g.change(ctx, d.AccountID, func(ctx context.Context, tx *store.Tx) (err error) {
		u := tx.Domain.UpdateOneID(d.ID).SetCheckedAt(tx.Now()).SetCheckError("")
		if d.VerifiedName == nil {
			u.SetVerifiedName(d.Name).SetVerifiedAt(tx.Now()).SetVerifiedBy(domain.VerifiedByDNS)
		}
		out, err = u.Save(ctx)
		if store.IsConflict(err) {
			return fault.New(fault.Exists, "%s was proved by another account already. If it is yours, ask whoever runs Cockpit to settle it.", d.Name)
		}
		if err != nil {
			return missing(err, "domain")
		}
		return tx.Audit(ctx, event("domain.verify", d.AccountID, d.ID, d.Name))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteDomain gives a domain up.
func (g *Gate) DeleteDomain(ctx context.Context, d *ent.Domain) error {
	return g.change(ctx, d.AccountID, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Domain.DeleteOneID(d.ID).Exec(ctx); err != nil {
			return missing(err, "domain")
		}
		if err := enforceable(ctx, tx, d.AccountID); err != nil {
			return err
		}
		return tx.Audit(ctx, event("domain.delete", d.AccountID, d.ID, d.Name))
	})
}

// lookUp tells what is wrong with a domain's TXT record, in words; nothing when
// it is right.
func (g *Gate) lookUp(ctx context.Context, d *ent.Domain) string {
	ctx, cancel := context.WithTimeout(ctx, outboundTime)
	defer cancel()
	resolver := net.DefaultResolver
	if g.DNSServer != "" {
		resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, g.DNSServer)
		}}
	}
	// The dot at the end keeps the machine's search domains out.
	found, err := resolver.LookupTXT(ctx, recordName(d)+".")
	var not *net.DNSError
	switch {
	case errors.As(err, &not) && not.IsNotFound, err == nil && len(found) == 0:
		return fmt.Sprintf("There is no TXT record at %s yet. New records can take an hour to be seen everywhere.", recordName(d))
	case err != nil:
		return fmt.Sprintf("The name servers of %s don't answer right now. Try again in a few minutes.", d.Name)
	}
	for _, text := range found {
		if strings.TrimSpace(text) == recordValue(d) {
			return ""
		}
	}
	return fmt.Sprintf("The TXT record at %s says %q, and not what it must say.", recordName(d), clipTo(found[0], 200))
}

// change runs f in a transaction of the system's that has the account for
// itself, so that what must stand together can be counted. Whether the viewer
// may is checked before.
func (g *Gate) change(ctx context.Context, accountID string, f func(ctx context.Context, tx *store.Tx) error) error {
	ctx = tenancy.System(ctx, "sign-in settings are written by the system for whoever may")
	return g.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		query := "UPDATE accounts SET version = version WHERE id = ?"
		if g.Store.Dialect == store.Postgres {
			query = "UPDATE accounts SET version = version WHERE id = $1"
		}
		if _, err := tx.SQL().ExecContext(ctx, query, accountID); err != nil {
			return err
		}
		return f(ctx, tx)
	})
}

func event(action, accountID, targetID, name string) audit.Event {
	return audit.Event{Action: action, AccountID: accountID, Plane: tenancy.PlaneAccount,
		ScopeID: accountID, ScopePath: "/" + accountID + "/", TargetID: targetID, TargetName: name}
}

func missing(err error, noun string) error {
	if ent.IsNotFound(err) {
		return fault.Missing(noun)
	}
	return err
}

// clip cuts text to what a row keeps of it.
func clip(s string) string { return clipTo(s, 500) }

func clipTo(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
