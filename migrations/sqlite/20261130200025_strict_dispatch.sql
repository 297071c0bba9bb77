-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_accounts" table
CREATE TABLE `new_accounts` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `slug` text NOT NULL, `status` text NOT NULL DEFAULT ('ACTIVE'), `time_zone` text NOT NULL DEFAULT ('UTC'), `console` bool NOT NULL DEFAULT (true), `copilot` bool NOT NULL DEFAULT (true), `strict_dispatch` bool NOT NULL DEFAULT (false), `status_reason` text NOT NULL DEFAULT (''), `closed_at` datetime NULL, `deleting_at` datetime NULL, `deleted_at` datetime NULL, `sso_enforced` bool NOT NULL DEFAULT (false), `session_idle_minutes` integer NOT NULL DEFAULT (720), `session_lifetime_minutes` integer NOT NULL DEFAULT (10080), `audit_retention_days` integer NOT NULL DEFAULT (0), `epoch` integer NOT NULL DEFAULT (1), `epoch_at` datetime NOT NULL, `audit_seq` integer NOT NULL DEFAULT (0), `audit_hash` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- Copy rows from old table "accounts" to new temporary table "new_accounts"
INSERT INTO `new_accounts` (`id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `name`, `slug`, `status`, `time_zone`, `console`, `copilot`, `status_reason`, `closed_at`, `deleting_at`, `deleted_at`, `sso_enforced`, `session_idle_minutes`, `session_lifetime_minutes`, `audit_retention_days`, `epoch`, `epoch_at`, `audit_seq`, `audit_hash`) SELECT `id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `name`, `slug`, `status`, `time_zone`, `console`, `copilot`, `status_reason`, `closed_at`, `deleting_at`, `deleted_at`, `sso_enforced`, `session_idle_minutes`, `session_lifetime_minutes`, `audit_retention_days`, `epoch`, `epoch_at`, `audit_seq`, `audit_hash` FROM `accounts`;
-- Drop "accounts" table after copying rows
DROP TABLE `accounts`;
-- Rename temporary table "new_accounts" to "accounts"
ALTER TABLE `new_accounts` RENAME TO `accounts`;
-- Create index "accounts_slug_key" to table: "accounts"
CREATE UNIQUE INDEX `accounts_slug_key` ON `accounts` (`slug`);
-- Create index "account_account_id_plane_id" to table: "accounts"
CREATE UNIQUE INDEX `account_account_id_plane_id` ON `accounts` (`account_id`, `plane`, `id`);
-- Create index "account_epoch_at" to table: "accounts"
CREATE INDEX `account_epoch_at` ON `accounts` (`epoch_at`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
