-- Audit log, ledger and prices are only added to: nobody may delete there. These
-- functions, with their owner's rights, are the way around it for the one case
-- in which rows must go: an account that was closed and is being deleted. They
-- do a batch at a time and return its size; rows of any other account stay.
CREATE FUNCTION tenant_deleting(account text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- The owner is under row-level security, too, and sees rows as cockpit_system.
  IF NOT pg_has_role(current_user, 'cockpit_system', 'USAGE') THEN
    RAISE EXCEPTION 'the owner % does not inherit the rights of cockpit_system', current_user USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM FROM accounts WHERE id = account AND status = 'CLOSED' AND deleting_at IS NOT NULL AND deleted_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the account % is not being deleted', account USING ERRCODE = 'insufficient_privilege';
  END IF;
END $$;

CREATE FUNCTION tenant_erase_audit(account text, most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  events bigint;
  checkpoints bigint;
BEGIN
  PERFORM tenant_deleting(account);
  DELETE FROM audit_checkpoints WHERE id IN (SELECT id FROM audit_checkpoints WHERE account_id = account LIMIT most);
  GET DIAGNOSTICS checkpoints = ROW_COUNT;
  DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE account_id = account LIMIT most);
  GET DIAGNOSTICS events = ROW_COUNT;
  RETURN events + checkpoints;
END $$;

-- What a charge says in the account's own words; ids and amounts stay.
CREATE FUNCTION tenant_erase_words(account text, most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  n bigint;
BEGIN
  PERFORM tenant_deleting(account);
  UPDATE charges SET tags = NULL, session_ref = '', model_name = 'deleted'
  WHERE id IN (SELECT id FROM charges WHERE account_id = account AND (tags IS NOT NULL OR session_ref <> '' OR model_name <> 'deleted') LIMIT most);
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;

CREATE FUNCTION tenant_erase_prices(account text, most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  priced bigint;
  factors bigint;
BEGIN
  PERFORM tenant_deleting(account);
  DELETE FROM prices WHERE id IN (SELECT id FROM prices WHERE account_id = account LIMIT most);
  GET DIAGNOSTICS priced = ROW_COUNT;
  DELETE FROM credit_factors WHERE id IN (SELECT id FROM credit_factors WHERE account_id = account LIMIT most);
  GET DIAGNOSTICS factors = ROW_COUNT;
  RETURN priced + factors;
END $$;

-- Owner's rights, so: names are looked up in this schema alone, and nobody but
-- the system calls them.
DO $$
DECLARE
  f text;
BEGIN
  FOREACH f IN ARRAY ARRAY['tenant_deleting(text)', 'tenant_erase_audit(text, integer)', 'tenant_erase_words(text, integer)', 'tenant_erase_prices(text, integer)'] LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', f, current_schema());
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO cockpit_system', f);
  END LOOP;
END $$;
