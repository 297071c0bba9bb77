-- The noun of an action, for lists of all that happened to one kind of things.
-- A column, for under row-level security no function goes by an index.
ALTER TABLE audit_events ADD COLUMN tenant_noun text GENERATED ALWAYS AS (split_part(action, '.', 1)) STORED;
CREATE INDEX tenant_audit_events_noun ON audit_events (account_id, tenant_noun, seq);

-- What is sealed never changes, whoever asks.
CREATE FUNCTION tenant_audit_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit event % is sealed', OLD.id USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER tenant_audit_sealed BEFORE UPDATE ON audit_events FOR EACH ROW WHEN (OLD.seq IS NOT NULL) EXECUTE FUNCTION tenant_audit_sealed();
REVOKE UPDATE (count) ON audit_events FROM cockpit_system;

-- Retention is the one thing that deletes events. The system has no leave to;
-- this function has, and does what the account's setting asks for alone. The
-- owner is under row-level security too: the policies open what it names.
CREATE FUNCTION tenant_prune_audit(account text, upto bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  days bigint;
  n bigint;
BEGIN
  PERFORM set_config('cockpit.prune', account, true);
  SELECT audit_retention_days INTO days FROM accounts WHERE id = account;
  IF COALESCE(days, 0) <= 0 THEN
    RAISE EXCEPTION 'account % keeps its audit events for good', account USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NOT EXISTS (SELECT FROM audit_events e JOIN audit_checkpoints c ON c.account_id = e.account_id AND c.seq = e.seq AND c.hash = e.hash
      WHERE e.account_id = account AND e.seq = upto) THEN
    RAISE EXCEPTION 'there is no checkpoint at audit event % of account %', upto, account USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF EXISTS (SELECT FROM audit_events e WHERE e.account_id = account AND e.seq <= upto AND e.at >= now() - make_interval(days => days::int)) THEN
    RAISE EXCEPTION 'audit events of account % up to % are younger than % days', account, upto, days USING ERRCODE = 'insufficient_privilege';
  END IF;
  DELETE FROM audit_events e WHERE e.account_id = account AND e.seq <= upto;
  GET DIAGNOSTICS n = ROW_COUNT;
  PERFORM set_config('cockpit.prune', '', true);
  RETURN n;
END $$;
CREATE POLICY tenant_prune ON audit_events TO CURRENT_USER USING (account_id = current_setting('cockpit.prune', true));
CREATE POLICY tenant_prune ON audit_checkpoints FOR SELECT TO CURRENT_USER USING (account_id = current_setting('cockpit.prune', true));
CREATE POLICY tenant_prune ON accounts FOR SELECT TO CURRENT_USER USING (account_id = current_setting('cockpit.prune', true));
REVOKE ALL ON FUNCTION tenant_prune_audit(text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_prune_audit(text, bigint) TO cockpit_system;
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION tenant_prune_audit(text, bigint) SET search_path = %I, pg_temp', current_schema());
END $$;
