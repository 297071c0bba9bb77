-- The noun of an action, for lists of all that happened to one kind of things.
CREATE INDEX tenant_audit_events_noun ON audit_events (account_id, substr(action, 1, instr(action || '.', '.') - 1), seq);
-- What is sealed never changes, whoever asks.
CREATE TRIGGER tenant_audit_sealed BEFORE UPDATE ON audit_events WHEN OLD.seq IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'the audit event is sealed');
END;
