-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_connection_credentials" table
CREATE TABLE `new_connection_credentials` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `user_id` text NOT NULL DEFAULT (''), `secret` blob NOT NULL, `secret_hint` text NOT NULL DEFAULT (''), `expires_at` datetime NULL, `status` text NOT NULL DEFAULT ('ACTIVE'), `error` text NOT NULL DEFAULT (''), `scopes` text NOT NULL DEFAULT (''), `awaited` text NOT NULL DEFAULT (''), `refreshed_at` datetime NULL, `refreshing_until` datetime NULL, `used_at` datetime NULL, `connection_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_connection_credentials_connection_id` FOREIGN KEY (`account_id`, `plane`, `connection_id`) REFERENCES `connections` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Copy rows from old table "connection_credentials" to new temporary table "new_connection_credentials"
INSERT INTO `new_connection_credentials` (`id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `user_id`, `secret`, `secret_hint`, `expires_at`, `status`, `error`, `scopes`, `refreshed_at`, `refreshing_until`, `used_at`, `connection_id`) SELECT `id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `user_id`, `secret`, `secret_hint`, `expires_at`, `status`, `error`, `scopes`, `refreshed_at`, `refreshing_until`, `used_at`, `connection_id` FROM `connection_credentials`;
-- Drop "connection_credentials" table after copying rows
DROP TABLE `connection_credentials`;
-- Rename temporary table "new_connection_credentials" to "connection_credentials"
ALTER TABLE `new_connection_credentials` RENAME TO `connection_credentials`;
-- Create index "connectioncredential_account_id_plane_id" to table: "connection_credentials"
CREATE UNIQUE INDEX `connectioncredential_account_id_plane_id` ON `connection_credentials` (`account_id`, `plane`, `id`);
-- Create index "connectioncredential_connection_id_user_id" to table: "connection_credentials"
CREATE UNIQUE INDEX `connectioncredential_connection_id_user_id` ON `connection_credentials` (`connection_id`, `user_id`);
-- Create index "connectioncredential_user_id" to table: "connection_credentials"
CREATE INDEX `connectioncredential_user_id` ON `connection_credentials` (`user_id`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
