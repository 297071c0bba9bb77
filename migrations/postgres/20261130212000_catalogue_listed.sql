-- Every catalogue model has one listing, which says to whom it is offered.
SET LOCAL ROLE cockpit_system; -- whoever owns the tables is confined, too
INSERT INTO listings (id, account_id, plane, version, created_at, updated_at, scope_id, kind, name, summary, status, catalog_model_id)
SELECT 'lst_' || split_part(c.id, '_', 2), c.account_id, c.plane, 1, c.created_at, c.updated_at, c.account_id, 'MODEL', c.name, substr(c.description, 1, 300),
  CASE c.status WHEN 'ACTIVE' THEN 'PUBLISHED' WHEN 'RETIRED' THEN 'WITHDRAWN' ELSE 'DRAFT' END, c.id
FROM catalog_models c WHERE NOT EXISTS (SELECT FROM listings l WHERE l.catalog_model_id = c.id);
RESET ROLE;

-- Active models whose listing the account sees, and whatever it has switched on.
DROP POLICY tenant_offered ON catalog_models;
CREATE POLICY tenant_offered ON catalog_models FOR SELECT TO cockpit_tenant USING (
  (status = 'ACTIVE' AND EXISTS (SELECT FROM listings l WHERE l.catalog_model_id = catalog_models.id AND l.status = 'PUBLISHED'))
  OR EXISTS (SELECT FROM models m WHERE m.catalog_model_id = catalog_models.id AND m.account_id = current_setting('cockpit.account', true)));
