-- A grant names one resource.
ALTER TABLE grants DROP CONSTRAINT tenant_grants_resource;
ALTER TABLE grants ADD CONSTRAINT tenant_grants_resource CHECK (num_nonnulls(model_id, agent_id, connection_id, tool_id) = 1);

SELECT tenant_protect(t, 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE')
FROM unnest(ARRAY['agents', 'connections', 'tools', 'listings', 'ratings', 'guardrail_presets', 'guardrail_assignments',
  'feature_flags']::regclass[]) t;
-- Retired and reviewed, never rewritten.
SELECT tenant_protect('agent_versions', 'SELECT, INSERT, UPDATE', 'SELECT, INSERT, UPDATE, DELETE');
SELECT tenant_protect('listing_versions', 'SELECT, INSERT, UPDATE', 'SELECT, INSERT, UPDATE, DELETE');
-- Sealed and refreshed by the system.
SELECT tenant_protect('connection_credentials', 'SELECT', 'SELECT, INSERT, UPDATE, DELETE');
SELECT tenant_protect('listing_accounts', 'SELECT', 'SELECT, INSERT, UPDATE, DELETE');

-- What the platform offers, to all accounts or to those it names. Functions keep
-- the policies of one table from depending on another.
CREATE OR REPLACE FUNCTION tenant_names_account(listing text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT FROM listing_accounts a WHERE a.listing_id = listing AND a.offered_to = current_setting('cockpit.account', true));
END $$;
CREATE OR REPLACE FUNCTION tenant_listing_offered(listing text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT FROM listings l WHERE l.id = listing AND l.plane = 'PLATFORM');
END $$;
CREATE POLICY tenant_offered ON listing_accounts FOR SELECT TO cockpit_tenant USING (offered_to = current_setting('cockpit.account', true));
CREATE POLICY tenant_offered ON listings FOR SELECT TO cockpit_tenant USING (plane = 'PLATFORM' AND status IN ('PUBLISHED', 'WITHDRAWN')
  AND (eligibility = 'ALL' OR tenant_names_account(id)));
CREATE POLICY tenant_offered ON listing_versions FOR SELECT TO cockpit_tenant USING (plane = 'PLATFORM' AND status = 'PUBLISHED'
  AND tenant_listing_offered(listing_id));
