-- Whoever changes a limit calls leases back; the engine does the rest.
SELECT tenant_protect('budget_leases', 'SELECT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE');

-- Closed to tenants.
SELECT tenant_protect('idempotency_keys', '', 'SELECT, INSERT, UPDATE, DELETE');
