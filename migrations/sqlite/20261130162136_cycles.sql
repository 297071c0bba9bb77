-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_budget_cycles" table
CREATE TABLE `new_budget_cycles` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `starts_at` datetime NOT NULL, `ends_at` datetime NOT NULL, `lim` integer NOT NULL DEFAULT (0), `overflow` integer NOT NULL DEFAULT (0), `carried` integer NOT NULL DEFAULT (0), `raised` integer NOT NULL DEFAULT (0), `closed_at` datetime NULL, `prior` integer NOT NULL DEFAULT (0), `corrections` integer NOT NULL DEFAULT (0), `escrowed` integer NOT NULL DEFAULT (0), `folded` integer NOT NULL DEFAULT (0), `excess` integer NOT NULL DEFAULT (0), `revision` integer NOT NULL DEFAULT (0), `budget_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_budget_cycles_budget_id` FOREIGN KEY (`account_id`, `plane`, `budget_id`) REFERENCES `budgets` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_budget_cycles_limit` CHECK (escrowed >= 0 AND excess >= 0 AND escrowed <= lim + overflow + excess));
-- Copy rows from old table "budget_cycles" to new temporary table "new_budget_cycles"
INSERT INTO `new_budget_cycles` (`id`, `account_id`, `plane`, `created_at`, `starts_at`, `ends_at`, `lim`, `overflow`, `carried`, `raised`, `closed_at`, `escrowed`, `folded`, `excess`, `revision`, `budget_id`) SELECT `id`, `account_id`, `plane`, `created_at`, `starts_at`, `ends_at`, `lim`, `overflow`, `carried`, `raised`, `closed_at`, `escrowed`, `folded`, `excess`, `revision`, `budget_id` FROM `budget_cycles`;
-- Drop "budget_cycles" table after copying rows
DROP TABLE `budget_cycles`;
-- Rename temporary table "new_budget_cycles" to "budget_cycles"
ALTER TABLE `new_budget_cycles` RENAME TO `budget_cycles`;
-- Create index "budgetcycle_account_id_plane_id" to table: "budget_cycles"
CREATE UNIQUE INDEX `budgetcycle_account_id_plane_id` ON `budget_cycles` (`account_id`, `plane`, `id`);
-- Create index "budgetcycle_budget_id_starts_at" to table: "budget_cycles"
CREATE UNIQUE INDEX `budgetcycle_budget_id_starts_at` ON `budget_cycles` (`budget_id`, `starts_at`);
-- Create index "budgetcycle_closed_at_ends_at" to table: "budget_cycles"
CREATE INDEX `budgetcycle_closed_at_ends_at` ON `budget_cycles` (`closed_at`, `ends_at`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
