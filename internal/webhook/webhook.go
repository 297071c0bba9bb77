// Package webhook keeps accounts' webhooks and delivers to them, signed after
// Standard Webhooks, at least once, with retries.
package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/webhook"
	"github.com/alchemi/cockpit/ent/webhookdelivery"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Options of New; all are needed.
type Options struct {
	Store *store.Store
	Box   *secret.Box
	// Client calls the addresses: see outbound.NewClient.
	Client *http.Client
	// Notify tells admins of a webhook that the system disabled.
	Notify *notify.Notifier
	Now    func() time.Time
	Log    *slog.Logger
}

// Webhooks are all accounts' webhooks. Its verbs expect that the caller has
// asked whether the viewer may.
type Webhooks struct {
	Options
	wake chan struct{}
	busy busy
}

// New makes the webhooks of a server; Run delivers.
func New(o Options) *Webhooks {
	return &Webhooks{Options: o, wake: make(chan struct{}, 1), busy: busy{until: map[string]time.Time{}}}
}

// Input describes a webhook to make or change; what is nil stays as it is.
type Input struct {
	Name, URL *string
	Topics    []notify.Topic
	Planes    []tenancy.Plane
	Disabled  *bool
}

const (
	// Most is how many webhooks an account can have.
	Most = 20
	// Overlap is how long a secret works on after its successor was made.
	Overlap = 24 * time.Hour
)

// Create makes a webhook and returns it with its secret, which is shown once.
func (w *Webhooks) Create(ctx context.Context, accountID string, in Input) (row *ent.Webhook, plain string, err error) {
	ctx = tenancy.System(ctx, "webhooks are the account's own, and written by verbs alone")
	err = w.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, plain, err = w.Add(ctx, tx, accountID, in)
		return err
	})
	return row, plain, err
}

// Add is Create within a transaction of the system's.
func (w *Webhooks) Add(ctx context.Context, tx *store.Tx, accountID string, in Input) (*ent.Webhook, string, error) {
	row := &ent.Webhook{Status: webhook.StatusACTIVE}
	if in.Name == nil || in.URL == nil || in.Topics == nil {
		return nil, "", fault.New(fault.Invalid, "A webhook needs a name, an address and topics.")
	}
	if in.Planes == nil {
		in.Planes = []tenancy.Plane{tenancy.Console, tenancy.Copilot}
	}
	if err := in.into(row); err != nil {
		return nil, "", err
	}
	n, err := tx.Webhook.Query().Where(webhook.AccountID(accountID)).Count(ctx)
	if err != nil {
		return nil, "", err
	}
	if n >= Most {
		return nil, "", fault.New(fault.InUse, "An account has at most %d webhooks. Delete one that isn't needed.", Most)
	}
	rowID, plain := id.New(id.Webhook), NewSecret()
	create := tx.Webhook.Create().SetID(rowID).SetAccountID(accountID).SetPlane(webhook.PlaneACCOUNT).SetName(row.Name).SetURL(row.URL).
		SetTopics(row.Topics).SetConsole(row.Console).SetCopilot(row.Copilot).SetStatus(row.Status).
		SetSecret(w.Box.Seal(rowID, plain)).SetSecretHint(secret.Hint(plain))
	if v := tenancy.ViewerFrom(ctx); v != nil {
		create.SetCreatedBy(v.UserID)
	}
	row, err = create.Save(ctx)
	if err != nil {
		return nil, "", taken(err, *in.Name)
	}
	return row, plain, tx.Audit(ctx, about("webhook.create", row))
}

// Update changes a webhook. Switched on again, it begins with what happens from
// then on.
func (w *Webhooks) Update(ctx context.Context, webhookID string, in Input, expected *int) (*ent.Webhook, error) {
	var row *ent.Webhook
	err := w.change(ctx, webhookID, func(ctx context.Context, tx *store.Tx, old *ent.Webhook) error {
		if expected != nil && *expected != old.Version {
			e := fault.New(fault.Conflict, "Somebody changed this since you opened it. Look at the newest state, then change it again.").
				With("expectedVersion", *expected).With("currentVersion", old.Version)
			e.Path = []string{"expectedVersion"}
			return e
		}
		was := old.Status
		if err := in.into(old); err != nil {
			return err
		}
		update := tx.Webhook.UpdateOneID(old.ID).SetName(old.Name).SetURL(old.URL).SetTopics(old.Topics).
			SetConsole(old.Console).SetCopilot(old.Copilot).SetStatus(old.Status)
		if was != old.Status {
			update.SetStatusReason("").ClearFailingSince()
		}
		if was != old.Status && old.Status == webhook.StatusDISABLED {
			if err := w.drop(ctx, tx, old.ID, "The webhook was disabled."); err != nil {
				return err
			}
		}
		var err error
		if row, err = update.Save(ctx); err != nil {
			return taken(err, old.Name)
		}
		return tx.Audit(ctx, about("webhook.update", row))
	})
	return row, err
}

// Rotate makes a new secret; deliveries carry signatures by both for a while.
func (w *Webhooks) Rotate(ctx context.Context, webhookID string, overlap time.Duration) (row *ent.Webhook, plain string, err error) {
	if overlap < 0 || overlap > 720*time.Hour {
		return nil, "", fault.At("overlapHours", "The secret before works on for 0 to 720 hours.")
	}
	plain = NewSecret()
	err = w.change(ctx, webhookID, func(ctx context.Context, tx *store.Tx, old *ent.Webhook) error {
		update := tx.Webhook.UpdateOneID(old.ID).SetSecret(w.Box.Seal(old.ID, plain)).SetSecretHint(secret.Hint(plain))
		if overlap > 0 {
			update.SetPreviousSecret(old.Secret).SetPreviousSecretExpiresAt(w.Now().Add(overlap))
		} else {
			update.ClearPreviousSecret().ClearPreviousSecretExpiresAt()
		}
		if row, err = update.Save(ctx); err != nil {
			return err
		}
		return tx.Audit(ctx, about("webhook.secretRotate", row))
	})
	if err != nil {
		return nil, "", err
	}
	return row, plain, nil
}

// Delete forgets a webhook with its deliveries.
func (w *Webhooks) Delete(ctx context.Context, webhookID string) error {
	return w.change(ctx, webhookID, func(ctx context.Context, tx *store.Tx, old *ent.Webhook) error {
		if _, err := tx.WebhookDelivery.Delete().Where(webhookdelivery.WebhookID(old.ID)).Exec(ctx); err != nil {
			return err
		}
		if err := tx.Webhook.DeleteOneID(old.ID).Exec(ctx); err != nil {
			return err
		}
		return tx.Audit(ctx, about("webhook.delete", old))
	})
}

func (w *Webhooks) change(ctx context.Context, webhookID string, change func(context.Context, *store.Tx, *ent.Webhook) error) error {
	ctx = tenancy.System(ctx, "webhooks are the account's own, and written by verbs alone")
	return w.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		old, err := tx.Webhook.Get(ctx, webhookID)
		if ent.IsNotFound(err) {
			return fault.Missing("webhook")
		}
		if err != nil {
			return err
		}
		return change(ctx, tx, old)
	})
}

func about(action string, w *ent.Webhook) audit.Event {
	return audit.Event{Action: action, AccountID: w.AccountID, Plane: tenancy.PlaneAccount, ScopeID: w.AccountID, ScopePath: "/" + w.AccountID + "/",
		TargetID: w.ID, TargetName: w.Name}
}

func taken(err error, name string) error {
	if store.IsConflict(err) {
		e := fault.At("name", "There is a webhook %s already. Choose another name.", name)
		e.Code = fault.Exists
		return e
	}
	return err
}

// into checks the input and writes it onto a webhook.
func (in Input) into(w *ent.Webhook) error {
	if in.Name != nil {
		if w.Name = strings.TrimSpace(*in.Name); w.Name == "" || len(w.Name) > 120 {
			return fault.At("name", "A name has 1–120 characters.")
		}
	}
	if in.URL != nil {
		w.URL = strings.TrimSpace(*in.URL)
		u, err := url.Parse(w.URL)
		if err != nil || len(w.URL) > 2000 || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
			return fault.At("url", "The address must look like https://example.com/hooks/cockpit, without user and fragment.")
		}
	}
	if in.Topics != nil {
		w.Topics = nil
		for _, t := range in.Topics {
			if !t.ForWebhooks() {
				return fault.At("topics", "Webhooks can't subscribe to %s.", t)
			}
			w.Topics = append(w.Topics, string(t))
		}
		slices.Sort(w.Topics)
		if w.Topics = slices.Compact(w.Topics); len(w.Topics) == 0 {
			return fault.At("topics", "Choose at least one topic.")
		}
	}
	if in.Planes != nil {
		w.Console, w.Copilot = slices.Contains(in.Planes, tenancy.Console), slices.Contains(in.Planes, tenancy.Copilot)
		if !w.Console && !w.Copilot {
			return fault.At("planes", "Choose at least one product.")
		}
	}
	if in.Disabled != nil {
		w.Status = webhook.StatusACTIVE
		if *in.Disabled {
			w.Status = webhook.StatusDISABLED
		}
	}
	return nil
}
