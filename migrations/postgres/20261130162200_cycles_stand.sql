-- A closed cycle has its statement: nothing of it moves any more. Whoever comes
-- too late runs again and finds the cycle that is open.
CREATE FUNCTION tenant_cycle_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'budget cycle % is closed', OLD.id USING ERRCODE = 'serialization_failure';
END $$;
CREATE TRIGGER tenant_cycle_closed BEFORE UPDATE ON budget_cycles FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL) EXECUTE FUNCTION tenant_cycle_closed();
