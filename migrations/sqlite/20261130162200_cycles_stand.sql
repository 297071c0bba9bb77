-- A closed cycle has its statement: nothing of it moves any more.
CREATE TRIGGER tenant_cycle_closed BEFORE UPDATE ON budget_cycles WHEN OLD.closed_at IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'a closed budget cycle never changes');
END;
