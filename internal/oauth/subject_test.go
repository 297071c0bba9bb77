package oauth

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/ent/externalidentity"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/idtoken/idtokentest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// backend is a program that may exchange tokens, with its secret.
type backend struct {
	*ent.ServiceClient
	secret string
}

func (o *office) backend(t *testing.T, accountID string) backend {
	t.Helper()
	yes, name := true, "backend"
	c, secret, err := o.CreateClient(t.Context(), accountID, false, ClientInput{Name: &name, Planes: []tenancy.Plane{tenancy.Console},
		Permissions: []string{"read"}, TokenExchange: &yes, TrustedSubjects: &yes})
	require.NoError(t, err)
	return backend{c, secret}
}

func (o *office) exchange(t *testing.T, c backend, kind, subject string, more ...string) (int, map[string]any) {
	t.Helper()
	return o.post(t, append([]string{"client_id", c.ID, "client_secret", c.secret, "grant_type", tokenExchange, "subject_token", subject,
		"subject_token_type", kind}, more...)...)
}

// change writes past the verbs.
func (o *office) change(t *testing.T, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	require.NoError(t, o.Server.Store.InTx(tenancy.System(t.Context(), "test"), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return f(ctx, tx)
	}))
}

// provider has an account sign in by an issuer.
func (o *office) provider(t *testing.T, i *idtokentest.Issuer, accountID string) *ent.IdentityProvider {
	t.Helper()
	var p *ent.IdentityProvider
	o.change(t, func(ctx context.Context, tx *store.Tx) (err error) {
		p, err = tx.IdentityProvider.Create().SetAccountID(accountID).SetPlane(identityprovider.PlaneACCOUNT).SetName("IdP " + id.New(id.Request)).
			SetIssuer(i.URL).SetClientID(idtokentest.ClientID).SetScopes([]string{"openid"}).SetStatus(identityprovider.StatusACTIVE).Save(ctx)
		return err
	})
	return p
}

// knows has an account know a user by a subject of a provider's.
func (o *office) knows(t *testing.T, p *ent.IdentityProvider, subject, userID string) {
	t.Helper()
	o.change(t, func(ctx context.Context, tx *store.Tx) error {
		return tx.ExternalIdentity.Create().SetAccountID(p.AccountID).SetPlane(externalidentity.PlaneACCOUNT).SetUserID(userID).
			SetIdentityProviderID(p.ID).SetIssuer(p.Issuer).SetSubject(subject).Exec(ctx)
	})
}

func (o *office) issuer(t *testing.T) *idtokentest.Issuer {
	t.Helper()
	i := idtokentest.New(t)
	i.Now = o.Server.Store.Now
	return i
}

// What an exchanged token rests on is asked for at every look-up: it ends with
// it, though the person, the program and the token go on.
func TestExchangedTokensEndWithWhatTheyRestOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *office) {
		no := false
		disabled, another := identityprovider.StatusDISABLED, "another-client"
		update := func(set func(*ent.IdentityProviderUpdateOne)) func(backend, *ent.IdentityProvider) {
			return func(_ backend, p *ent.IdentityProvider) {
				o.change(t, func(ctx context.Context, tx *store.Tx) error {
					u := tx.IdentityProvider.UpdateOneID(p.ID)
					set(u)
					return u.Exec(ctx)
				})
			}
		}
		for _, accountID := range []string{o.A.Row.ID, id.PlatformID} {
			c := o.backend(t, accountID)
			for name, how := range map[string]struct {
				kind string
				end  func(backend, *ent.IdentityProvider)
			}{
				"trusted subjects are turned off": {userIDType, func(c backend, _ *ent.IdentityProvider) {
					_, err := o.UpdateClient(t.Context(), c.ID, ClientInput{TrustedSubjects: &no}, nil)
					require.NoError(t, err)
				}},
				"the provider is disabled":      {idTokenType, update(func(u *ent.IdentityProviderUpdateOne) { u.SetStatus(disabled) })},
				"the provider gets a client id": {idTokenType, update(func(u *ent.IdentityProviderUpdateOne) { u.SetClientID(another) })},
				"the provider gets an issuer":   {idTokenType, update(func(u *ent.IdentityProviderUpdateOne) { u.SetIssuer("https://elsewhere.example") })},
				"the provider gets a claim":     {idTokenType, update(func(u *ent.IdentityProviderUpdateOne) { u.SetEmailClaim("upn") })},
				"the provider is deleted": {idTokenType, func(_ backend, p *ent.IdentityProvider) {
					o.change(t, func(ctx context.Context, tx *store.Tx) error {
						if _, err := tx.ExternalIdentity.Delete().Where(externalidentity.IdentityProviderID(p.ID)).Exec(ctx); err != nil {
							return err
						}
						return tx.IdentityProvider.DeleteOneID(p.ID).Exec(ctx)
					})
				}},
			} {
				i := o.issuer(t)
				p := o.provider(t, i, o.A.Row.ID)
				person := o.A.Console.Seat.UserID
				o.knows(t, p, "somebody", person)
				subject := person
				if how.kind == idTokenType {
					subject = i.Sign(t, nil)
				}
				status, got := o.exchange(t, c, how.kind, subject)
				require.Equal(t, http.StatusOK, status, "%s: %v", name, got)
				token := got["access_token"].(string)
				v, err := o.viewer(t, token)
				require.NoError(t, err, name)
				require.Equal(t, person, v.UserID)
				update(func(u *ent.IdentityProviderUpdateOne) { u.SetName("Renamed " + p.ID) })(c, p)
				time.Sleep(600 * time.Millisecond) // two polls of the epochs
				_, err = o.viewer(t, token)
				require.NoError(t, err, "another name changes nothing")
				how.end(c, p)
				require.Eventually(t, func() bool {
					_, err := o.viewer(t, token)
					return fault.Is(err, fault.Unauthenticated)
				}, 30*time.Second, 20*time.Millisecond, name)
				if how.kind == userIDType {
					yes := true
					_, err := o.UpdateClient(t.Context(), c.ID, ClientInput{TrustedSubjects: &yes}, nil)
					require.NoError(t, err)
				}
			}
		}
	})
}

// An account that configures another's issuer, with whatever client, any number
// of times, is in nobody's way: only accounts that know the person count.
func TestNobodyBlocksAnothersExchange(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *office) {
		c, i := o.backend(t, id.PlatformID), o.issuer(t)
		o.change(t, func(ctx context.Context, tx *store.Tx) error {
			for range 120 { // more than a page, and older than the real one
				if err := tx.IdentityProvider.Create().SetAccountID(o.B.Row.ID).SetPlane(identityprovider.PlaneACCOUNT).SetName("IdP " + id.New(id.Request)).
					SetIssuer(i.URL).SetClientID(idtokentest.ClientID).SetScopes([]string{"openid"}).SetStatus(identityprovider.StatusACTIVE).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		p := o.provider(t, i, o.A.Row.ID)
		person, stranger := o.A.Console.Seat.UserID, o.B.Console.Seat.UserID
		o.knows(t, p, "known", person)
		status, got := o.exchange(t, c, idTokenType, i.Sign(t, map[string]any{"sub": "known"}))
		require.Equal(t, http.StatusOK, status, got)
		v, err := o.viewer(t, got["access_token"].(string))
		require.NoError(t, err)
		require.Equal(t, person, v.UserID)

		// By a verified address it is whose domain it is.
		address := o.Server.Store.User.GetX(tenancy.System(t.Context(), "test"), o.A.Console.Admin.UserID).Email
		_, host, _ := strings.Cut(address, "@")
		require.True(t, o.Server.Store.Domain.Query().Where(domain.AccountID(o.A.Row.ID), domain.VerifiedName(host)).ExistX(tenancy.System(t.Context(), "test")))
		status, got = o.exchange(t, c, idTokenType, i.Sign(t, map[string]any{"sub": "new", "email": address, "email_verified": true}))
		require.Equal(t, http.StatusOK, status, got)
		v, err = o.viewer(t, got["access_token"].(string))
		require.NoError(t, err)
		require.Equal(t, o.A.Console.Admin.UserID, v.UserID)

		// Two accounts that really know the person are told apart by the parameter.
		theirs := o.Server.Store.IdentityProvider.Query().Where(identityprovider.AccountID(o.B.Row.ID), identityprovider.Issuer(i.URL)).FirstX(tenancy.System(t.Context(), "test"))
		o.knows(t, theirs, "known", stranger)
		status, got = o.exchange(t, c, idTokenType, i.Sign(t, map[string]any{"sub": "known"}))
		require.Equal(t, []any{http.StatusBadRequest, "invalid_request"}, []any{status, got["error"]})
		require.Contains(t, got["error_description"], "by the parameter account")
		for accountID, userID := range map[string]string{o.A.Row.ID: person, o.B.Row.ID: stranger} {
			status, got = o.exchange(t, c, idTokenType, i.Sign(t, map[string]any{"sub": "known"}), "account", accountID)
			require.Equal(t, http.StatusOK, status, got)
			v, err = o.viewer(t, got["access_token"].(string))
			require.NoError(t, err)
			require.Equal(t, userID, v.UserID)
		}
		// An account that is suspended is no match, nor one whose user was deactivated.
		suspend := func(status account.Status) {
			o.change(t, func(ctx context.Context, tx *store.Tx) error {
				return tx.Account.UpdateOneID(o.B.Row.ID).SetStatus(status).Exec(ctx)
			})
		}
		suspend(account.StatusSUSPENDED)
		status, got = o.exchange(t, c, idTokenType, i.Sign(t, map[string]any{"sub": "known"}))
		require.Equal(t, http.StatusOK, status, got)
		suspend(account.StatusACTIVE)
		o.change(t, func(ctx context.Context, tx *store.Tx) error {
			return tx.User.UpdateOneID(stranger).SetStatus(user.StatusDEACTIVATED).Exec(ctx)
		})
		status, got = o.exchange(t, c, idTokenType, i.Sign(t, map[string]any{"sub": "known"}))
		require.Equal(t, http.StatusOK, status, got)

		// Nor does a token speak for who is deactivated where it is known.
		o.change(t, func(ctx context.Context, tx *store.Tx) error {
			return tx.User.UpdateOneID(person).SetStatus(user.StatusDEACTIVATED).Exec(ctx)
		})
		status, _ = o.exchange(t, c, idTokenType, i.Sign(t, map[string]any{"sub": "known", "email": address, "email_verified": true}))
		require.Equal(t, http.StatusBadRequest, status)
		// The client decides, not the issuer alone.
		status, got = o.exchange(t, c, idTokenType, i.Sign(t, map[string]any{"sub": "known", "aud": "another-app"}))
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, got["error_description"], "another audience")
	})
}

// Where single sign-on is enforced, what people made by a password counts no
// more than their password: tokens and consents of admins and of whom a provider
// knows stand, as long as they are that.
func TestEnforcingRefusesWhatPasswordsMade(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *office) {
		admin, seat, known := o.A.Admin, o.A.Console.Seat, o.A.Copilot.Seat
		p := o.provider(t, o.issuer(t), o.A.Row.ID)
		o.knows(t, p, "known", known.UserID)
		o.change(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.ExternalIdentity.Delete().Where(externalidentity.UserID(admin.UserID)).Exec(ctx)
			return err
		})
		c := o.program(t, o.A.Row.ID)
		type made struct{ personal, access, refresh string }
		makes := func(v *tenancy.Viewer) made {
			_, personal, err := o.CreatePersonal(tenancy.WithViewer(t.Context(), v), v, "script", []string{"read"}, 1, []string{"profile", "read"})
			require.NoError(t, err)
			status, got := o.redeem(t, c, o.code(t, v, c))
			require.Equal(t, http.StatusOK, status, got)
			return made{personal, got["access_token"].(string), got["refresh_token"].(string)}
		}
		all := map[*tenancy.Viewer]*made{}
		for _, v := range []*tenancy.Viewer{admin, seat, known} {
			m := makes(v)
			all[v] = &m
		}
		stands := func(v *tenancy.Viewer, is bool, why string) {
			t.Helper()
			for _, token := range []string{all[v].personal, all[v].access} {
				require.Eventually(t, func() bool {
					_, err := o.viewer(t, token)
					return is == (err == nil)
				}, 30*time.Second, 20*time.Millisecond, why)
			}
		}
		enforce := func(on bool) {
			o.change(t, func(ctx context.Context, tx *store.Tx) error {
				return tx.Account.UpdateOneID(o.A.Row.ID).SetSSOEnforced(on).Exec(ctx)
			})
		}
		for v := range all {
			stands(v, true, "before")
		}
		enforce(true)
		stands(seat, false, "nobody but a password knows them")
		stands(known, true, "a provider knows them")
		stands(admin, true, "their password is the way back")
		status, got := o.renewed(t, c, all[seat].refresh)
		require.Equal(t, []any{http.StatusBadRequest, "invalid_grant"}, []any{status, got["error"]})
		for _, v := range []*tenancy.Viewer{known, admin} {
			status, got = o.renewed(t, c, all[v].refresh)
			require.Equal(t, http.StatusOK, status, got)
			all[v].access = got["access_token"].(string)
		}
		// They fall with what they rest on.
		o.change(t, func(ctx context.Context, tx *store.Tx) error {
			return tx.IdentityProvider.UpdateOneID(p.ID).SetStatus(identityprovider.StatusDISABLED).Exec(ctx)
		})
		stands(known, false, "their provider is disabled")
		o.change(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.RoleBinding.Delete().Where(rolebinding.UserID(admin.UserID), rolebinding.ScopeID(o.A.Row.ID)).Exec(ctx)
			return err
		})
		stands(admin, false, "an admin no more")
		// Where it is enforced by an admin, they are revoked for good.
		o.change(t, func(ctx context.Context, tx *store.Tx) error {
			tokens, consents, err := EndUnproved(ctx, tx, o.A.Row.ID)
			require.GreaterOrEqual(t, tokens, 3)
			require.GreaterOrEqual(t, consents, 3)
			return err
		})
		enforce(false)
		time.Sleep(600 * time.Millisecond) // two polls of the epochs
		for v := range all {
			stands(v, false, "for good")
		}
		other := o.B.Console.Seat
		_, theirs, err := o.CreatePersonal(tenancy.WithViewer(t.Context(), other), other, "script", []string{"read"}, 1, []string{"profile", "read"})
		require.NoError(t, err)
		_, err = o.viewer(t, theirs)
		require.NoError(t, err, "another account's go on")
	})
}
