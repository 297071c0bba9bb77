-- The second wall on PostgreSQL: row-level security for two roles without
-- login. The server's tenant pool acts as cockpit_tenant and names account and
-- planes by settings; its system pool acts as cockpit_system.
DO $$
DECLARE
  role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['cockpit_tenant', 'cockpit_system'] LOOP
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOBYPASSRLS', role);
      END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL; -- another database of this server made it at the same moment
    END;
    IF NOT pg_has_role(current_user, role, 'MEMBER') THEN
      EXECUTE format('GRANT %I TO %I', role, current_user);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role);
  END LOOP;
END $$;

-- Every table with an account goes through here, in the migration that makes it.
CREATE OR REPLACE FUNCTION tenant_protect(t regclass, tenant_may text, system_may text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
  EXECUTE format('CREATE POLICY tenant_rows ON %s TO cockpit_tenant
    USING (account_id = current_setting(''cockpit.account'', true) AND plane = ANY (string_to_array(current_setting(''cockpit.planes'', true), '','')))
    WITH CHECK (account_id = current_setting(''cockpit.account'', true) AND plane = ANY (string_to_array(current_setting(''cockpit.planes'', true), '','')))', t);
  EXECUTE format('CREATE POLICY tenant_system ON %s TO cockpit_system USING (true) WITH CHECK (true)', t);
  EXECUTE format('REVOKE ALL ON %s FROM cockpit_tenant, cockpit_system, PUBLIC', t);
  IF tenant_may <> '' THEN
    EXECUTE format('GRANT %s ON %s TO cockpit_tenant', tenant_may, t);
  END IF;
  EXECUTE format('GRANT %s ON %s TO cockpit_system', system_may, t);
END $$;

SELECT tenant_protect(t, 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE')
FROM unnest(ARRAY['scopes', 'organizations', 'teams', 'members', 'role_bindings', 'keys', 'key_models',
  'providers', 'models', 'budgets', 'budget_cycles']::regclass[]) t;

-- Tenants read these, the system writes them.
SELECT tenant_protect('accounts', 'SELECT, UPDATE (epoch, epoch_at)', 'SELECT, INSERT, UPDATE, DELETE');
SELECT tenant_protect('users', 'SELECT', 'SELECT, INSERT, UPDATE, DELETE');
SELECT tenant_protect('sessions', 'SELECT', 'SELECT, INSERT, UPDATE, DELETE');
SELECT tenant_protect('prices', 'SELECT, INSERT', 'SELECT, INSERT');
SELECT tenant_protect('credit_factors', 'SELECT', 'SELECT, INSERT');
SELECT tenant_protect('catalog_models', 'SELECT', 'SELECT, INSERT, UPDATE, DELETE');
CREATE POLICY tenant_offered ON catalog_models FOR SELECT TO cockpit_tenant USING (status IN ('ACTIVE', 'RETIRED'));

-- The ledger and the audit log are only added to; the sealer sets numbers.
SELECT tenant_protect('charges', 'SELECT', 'SELECT, INSERT');
SELECT tenant_protect('audit_events', 'SELECT, INSERT', 'SELECT, INSERT, UPDATE (seq, hash, count)');

-- Closed to tenants.
SELECT tenant_protect(t, '', 'SELECT, INSERT, UPDATE, DELETE')
FROM unnest(ARRAY['logins', 'central_providers', 'holds', 'nodes']::regclass[]) t;
