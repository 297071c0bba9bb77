-- Inserted in the transaction of the change, which may be a tenant's; read and
-- answered by the system alone.
SELECT tenant_protect('mutation_keys', 'INSERT', 'SELECT, INSERT, UPDATE, DELETE');
