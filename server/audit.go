package server

import (
	"context"
	"database/sql"

	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// keepAudit numbers audit events and signs how far they go, tells live lists of
// them, and deletes those that are older than their account keeps them.
func (s *Server) keepAudit() error {
	key, err := s.cfg.masterKey()
	if err != nil {
		return err
	}
	signer, err := audit.NewSigner(key)
	if err != nil {
		return err
	}
	s.exports = make(chan struct{}, maxExports)
	s.stream = audit.NewStream(s.store.System(), s.store.Dialect, s.log)
	s.sealer = &audit.Sealer{DB: s.store.System(), WriteTx: s.store.WriteTx, Dialect: s.store.Dialect, Sealed: s.stream.Announce,
		Signer: signer, Now: s.store.Now, Log: s.log}
	retention := &audit.Retention{DB: s.store.System(), Dialect: s.store.Dialect, InTx: s.inAuditTx, Signer: signer, Now: s.store.Now, Log: s.log}
	s.tasks.Go(func() { s.sealer.Run(s.background) })
	s.tasks.Go(func() { s.stream.Run(s.background) })
	s.tasks.Go(func() { retention.Run(s.background) })
	return nil
}

// inAuditTx gives retention a transaction that writes its own event.
func (s *Server) inAuditTx(ctx context.Context, f func(context.Context, *sql.Tx, func(audit.Event) error) error) error {
	return s.store.InTx(tenancy.System(ctx, "retention is the account's own setting"), func(ctx context.Context, tx *store.Tx) error {
		return f(ctx, tx.SQL(), func(e audit.Event) error { return tx.Audit(ctx, e) })
	})
}
