-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_budget_cycles" table
CREATE TABLE `new_budget_cycles` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `starts_at` datetime NOT NULL, `ends_at` datetime NOT NULL, `lim` integer NOT NULL DEFAULT (0), `overflow` integer NOT NULL DEFAULT (0), `carried` integer NOT NULL DEFAULT (0), `raised` integer NOT NULL DEFAULT (0), `closed_at` datetime NULL, `escrowed` integer NOT NULL DEFAULT (0), `folded` integer NOT NULL DEFAULT (0), `excess` integer NOT NULL DEFAULT (0), `revision` integer NOT NULL DEFAULT (0), `budget_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_budget_cycles_budget_id` FOREIGN KEY (`account_id`, `plane`, `budget_id`) REFERENCES `budgets` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_budget_cycles_limit` CHECK (escrowed >= 0 AND excess >= 0 AND escrowed <= lim + overflow + excess));
-- Copy rows from old table "budget_cycles" to new temporary table "new_budget_cycles"
INSERT INTO `new_budget_cycles` (`id`, `account_id`, `plane`, `created_at`, `starts_at`, `ends_at`, `lim`, `overflow`, `carried`, `raised`, `closed_at`, `escrowed`, `folded`, `excess`, `revision`, `budget_id`) SELECT `id`, `account_id`, `plane`, `created_at`, `starts_at`, `ends_at`, `lim`, `overflow`, `carried`, `raised`, `closed_at`, `spent` + `held`, `spent`, `excess`, `revision`, `budget_id` FROM `budget_cycles`;
-- Drop "budget_cycles" table after copying rows
DROP TABLE `budget_cycles`;
-- Rename temporary table "new_budget_cycles" to "budget_cycles"
ALTER TABLE `new_budget_cycles` RENAME TO `budget_cycles`;
-- Create index "budgetcycle_account_id_plane_id" to table: "budget_cycles"
CREATE UNIQUE INDEX `budgetcycle_account_id_plane_id` ON `budget_cycles` (`account_id`, `plane`, `id`);
-- Create index "budgetcycle_budget_id_starts_at" to table: "budget_cycles"
CREATE UNIQUE INDEX `budgetcycle_budget_id_starts_at` ON `budget_cycles` (`budget_id`, `starts_at`);
-- Create "new_nodes" table
CREATE TABLE `new_nodes` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `started_at` datetime NOT NULL, `seen_at` datetime NOT NULL, `seq` integer NOT NULL DEFAULT (0), PRIMARY KEY (`id`));
-- Copy rows from old table "nodes" to new temporary table "new_nodes"
INSERT INTO `new_nodes` (`id`, `account_id`, `plane`, `started_at`, `seen_at`) SELECT `id`, `account_id`, `plane`, `started_at`, `seen_at` FROM `nodes`;
-- Drop "nodes" table after copying rows
DROP TABLE `nodes`;
-- Rename temporary table "new_nodes" to "nodes"
ALTER TABLE `new_nodes` RENAME TO `nodes`;
-- Create index "node_account_id_plane_id" to table: "nodes"
CREATE UNIQUE INDEX `node_account_id_plane_id` ON `nodes` (`account_id`, `plane`, `id`);
-- Create "budget_leases" table
CREATE TABLE `budget_leases` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `node_id` text NOT NULL, `granted` integer NOT NULL DEFAULT (0), `spent` integer NOT NULL DEFAULT (0), `held` integer NOT NULL DEFAULT (0), `recalled` bool NOT NULL DEFAULT (false), `revision` integer NOT NULL DEFAULT (0), `cycle_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_budget_leases_cycle_id` FOREIGN KEY (`account_id`, `plane`, `cycle_id`) REFERENCES `budget_cycles` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_budget_leases_granted` CHECK (spent >= 0 AND held >= 0 AND spent + held <= granted));
-- Create index "budgetlease_account_id_plane_id" to table: "budget_leases"
CREATE UNIQUE INDEX `budgetlease_account_id_plane_id` ON `budget_leases` (`account_id`, `plane`, `id`);
-- Create index "budgetlease_cycle_id_node_id" to table: "budget_leases"
CREATE UNIQUE INDEX `budgetlease_cycle_id_node_id` ON `budget_leases` (`cycle_id`, `node_id`);
-- Create index "budgetlease_node_id_recalled" to table: "budget_leases"
CREATE INDEX `budgetlease_node_id_recalled` ON `budget_leases` (`node_id`, `recalled`);
-- Create "idempotency_keys" table
CREATE TABLE `idempotency_keys` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `principal` text NOT NULL, `key_hash` text NOT NULL, `request_hash` text NOT NULL, `charge_id` text NOT NULL, `ended` bool NOT NULL DEFAULT (false), `expires_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- Create index "idempotencykey_account_id_plane_id" to table: "idempotency_keys"
CREATE UNIQUE INDEX `idempotencykey_account_id_plane_id` ON `idempotency_keys` (`account_id`, `plane`, `id`);
-- Create index "idempotencykey_account_id_plane_principal_key_hash" to table: "idempotency_keys"
CREATE UNIQUE INDEX `idempotencykey_account_id_plane_principal_key_hash` ON `idempotency_keys` (`account_id`, `plane`, `principal`, `key_hash`);
-- Create index "idempotencykey_charge_id" to table: "idempotency_keys"
CREATE INDEX `idempotencykey_charge_id` ON `idempotency_keys` (`charge_id`);
-- Create index "idempotencykey_expires_at" to table: "idempotency_keys"
CREATE INDEX `idempotencykey_expires_at` ON `idempotency_keys` (`expires_at`);
-- Calls that ran when the server stopped; its next start charges them in full.
INSERT INTO budget_leases (id, account_id, plane, node_id, granted, held, cycle_id)
SELECT 'lse_' || substr(h.node_id, 5) || substr(c.id, 5), c.account_id, c.plane, h.node_id, sum(h.amount), sum(h.amount), c.id
FROM holds h CROSS JOIN json_each(h.cycles) k JOIN budget_cycles c ON c.id = k.value
GROUP BY c.id, c.account_id, c.plane, h.node_id;
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
