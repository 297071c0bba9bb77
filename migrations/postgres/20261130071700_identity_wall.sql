-- The second wall for the tables of identity and access.
SELECT tenant_protect(t, 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE')
FROM unnest(ARRAY['invitations', 'grants']::regclass[]) t;

-- Tenants read these, the system writes them.
SELECT tenant_protect(t, 'SELECT', 'SELECT, INSERT, UPDATE, DELETE')
FROM unnest(ARRAY['domains', 'identity_providers', 'group_mappings', 'external_identities', 'service_clients',
  'authorizations', 'personal_tokens', 'support_accesses']::regclass[]) t;

-- Signed words are only added to.
SELECT tenant_protect('audit_checkpoints', 'SELECT', 'SELECT, INSERT');

-- What could be called before there were grants still can: every model is
-- allowed to its whole plane. Row-level security is forced on the owner too.
ALTER TABLE models NO FORCE ROW LEVEL SECURITY;
ALTER TABLE scopes NO FORCE ROW LEVEL SECURITY;
ALTER TABLE grants NO FORCE ROW LEVEL SECURITY;
INSERT INTO grants (id, account_id, plane, version, created_at, updated_at, effect, note, authority, granted_by, granted_by_name, scope_id, model_id)
SELECT 'grt_' || substr(m.id, 5), m.account_id, m.plane, 1, m.created_at, m.updated_at, 'ALLOW', '', s.path, '', 'System', s.id, m.id
FROM models m JOIN scopes s ON s.account_id = m.account_id AND s.plane = m.plane AND s.kind = m.plane;
ALTER TABLE models FORCE ROW LEVEL SECURITY;
ALTER TABLE scopes FORCE ROW LEVEL SECURITY;
ALTER TABLE grants FORCE ROW LEVEL SECURITY;
