-- The second wall for the tables of budgets, usage and notifications.
SELECT tenant_protect('budget_increases', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE');

-- Tenants read these, the system writes them.
SELECT tenant_protect(t, 'SELECT', 'SELECT, INSERT, UPDATE, DELETE')
FROM unnest(ARRAY['usage_days', 'usage_tags', 'notifications', 'notification_preferences', 'webhooks',
  'webhook_deliveries', 'increase_requests']::regclass[]) t;

-- A removed budget takes its alerts along.
SELECT tenant_protect('budget_alerts', 'SELECT, DELETE', 'SELECT, INSERT, UPDATE, DELETE');

-- A statement never moves; it goes with a deleted account alone.
SELECT tenant_protect('statements', 'SELECT', 'SELECT, INSERT, DELETE');

-- The platform's own.
SELECT tenant_protect('usage_totals', '', 'SELECT, INSERT, UPDATE, DELETE');
