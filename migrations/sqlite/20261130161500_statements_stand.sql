-- A statement never moves, whoever asks.
CREATE TRIGGER tenant_statements_stand BEFORE UPDATE ON statements
BEGIN
  SELECT RAISE(ABORT, 'a statement never changes');
END;
