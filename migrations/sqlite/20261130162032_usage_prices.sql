-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Drop index "charge_account_id_plane_day" from table: "charges"
DROP INDEX `charge_account_id_plane_day`;
-- Create index "charge_account_id_plane_at" to table: "charges"
CREATE INDEX `charge_account_id_plane_at` ON `charges` (`account_id`, `plane`, `at`);
-- Create "new_usage_days" table
CREATE TABLE `new_usage_days` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `day` integer NOT NULL, `path` text NOT NULL, `organization_id` text NOT NULL DEFAULT (''), `team_id` text NOT NULL DEFAULT (''), `member_id` text NOT NULL DEFAULT (''), `user_id` text NOT NULL DEFAULT (''), `key_id` text NOT NULL DEFAULT (''), `agent_id` text NOT NULL DEFAULT (''), `client_id` text NOT NULL DEFAULT (''), `model_id` text NOT NULL, `price_id` text NOT NULL DEFAULT (''), `factor_ppm` integer NOT NULL DEFAULT (0), `model_name` text NOT NULL DEFAULT (''), `calls` integer NOT NULL DEFAULT (0), `input_tokens` integer NOT NULL DEFAULT (0), `cached_input_tokens` integer NOT NULL DEFAULT (0), `cache_write_tokens` integer NOT NULL DEFAULT (0), `output_tokens` integer NOT NULL DEFAULT (0), `reasoning_tokens` integer NOT NULL DEFAULT (0), `audio_input_tokens` integer NOT NULL DEFAULT (0), `audio_output_tokens` integer NOT NULL DEFAULT (0), `cost` integer NOT NULL DEFAULT (0), `credits` integer NOT NULL DEFAULT (0), PRIMARY KEY (`id`));
-- Copy rows from old table "usage_days" to new temporary table "new_usage_days"
INSERT INTO `new_usage_days` (`id`, `account_id`, `plane`, `day`, `path`, `organization_id`, `team_id`, `member_id`, `user_id`, `key_id`, `agent_id`, `client_id`, `model_id`, `model_name`, `calls`, `input_tokens`, `cached_input_tokens`, `cache_write_tokens`, `output_tokens`, `reasoning_tokens`, `audio_input_tokens`, `audio_output_tokens`, `cost`, `credits`) SELECT `id`, `account_id`, `plane`, `day`, `path`, `organization_id`, `team_id`, `member_id`, `user_id`, `key_id`, `agent_id`, `client_id`, `model_id`, `model_name`, `calls`, `input_tokens`, `cached_input_tokens`, `cache_write_tokens`, `output_tokens`, `reasoning_tokens`, `audio_input_tokens`, `audio_output_tokens`, `cost`, `credits` FROM `usage_days`;
-- Drop "usage_days" table after copying rows
DROP TABLE `usage_days`;
-- Rename temporary table "new_usage_days" to "usage_days"
ALTER TABLE `new_usage_days` RENAME TO `usage_days`;
-- Create index "usageday_account_id_plane_id" to table: "usage_days"
CREATE UNIQUE INDEX `usageday_account_id_plane_id` ON `usage_days` (`account_id`, `plane`, `id`);
-- Create index "usageday_account_id_plane_day_p_afd5412e8a24b8defd095301bf352000" to table: "usage_days"
CREATE UNIQUE INDEX `usageday_account_id_plane_day_p_afd5412e8a24b8defd095301bf352000` ON `usage_days` (`account_id`, `plane`, `day`, `path`, `user_id`, `agent_id`, `client_id`, `model_id`, `price_id`, `factor_ppm`);
-- Create index "usageday_organization_id_day" to table: "usage_days"
CREATE INDEX `usageday_organization_id_day` ON `usage_days` (`organization_id`, `day`);
-- Create index "usageday_team_id_day" to table: "usage_days"
CREATE INDEX `usageday_team_id_day` ON `usage_days` (`team_id`, `day`);
-- Create index "usageday_member_id_day" to table: "usage_days"
CREATE INDEX `usageday_member_id_day` ON `usage_days` (`member_id`, `day`);
-- Create index "usageday_user_id_day" to table: "usage_days"
CREATE INDEX `usageday_user_id_day` ON `usage_days` (`user_id`, `day`);
-- Create "new_usage_tags" table
CREATE TABLE `new_usage_tags` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `tag` text NOT NULL, `day` integer NOT NULL, `path` text NOT NULL, `organization_id` text NOT NULL DEFAULT (''), `team_id` text NOT NULL DEFAULT (''), `member_id` text NOT NULL DEFAULT (''), `user_id` text NOT NULL DEFAULT (''), `key_id` text NOT NULL DEFAULT (''), `agent_id` text NOT NULL DEFAULT (''), `client_id` text NOT NULL DEFAULT (''), `model_id` text NOT NULL, `price_id` text NOT NULL DEFAULT (''), `factor_ppm` integer NOT NULL DEFAULT (0), `model_name` text NOT NULL DEFAULT (''), `calls` integer NOT NULL DEFAULT (0), `input_tokens` integer NOT NULL DEFAULT (0), `cached_input_tokens` integer NOT NULL DEFAULT (0), `cache_write_tokens` integer NOT NULL DEFAULT (0), `output_tokens` integer NOT NULL DEFAULT (0), `reasoning_tokens` integer NOT NULL DEFAULT (0), `audio_input_tokens` integer NOT NULL DEFAULT (0), `audio_output_tokens` integer NOT NULL DEFAULT (0), `cost` integer NOT NULL DEFAULT (0), `credits` integer NOT NULL DEFAULT (0), PRIMARY KEY (`id`));
-- Copy rows from old table "usage_tags" to new temporary table "new_usage_tags"
INSERT INTO `new_usage_tags` (`id`, `account_id`, `plane`, `tag`, `day`, `path`, `calls`, `input_tokens`, `cached_input_tokens`, `cache_write_tokens`, `output_tokens`, `reasoning_tokens`, `audio_input_tokens`, `audio_output_tokens`, `cost`, `credits`) SELECT `id`, `account_id`, `plane`, `tag`, `day`, `path`, `calls`, `input_tokens`, `cached_input_tokens`, `cache_write_tokens`, `output_tokens`, `reasoning_tokens`, `audio_input_tokens`, `audio_output_tokens`, `cost`, `credits` FROM `usage_tags`;
-- Drop "usage_tags" table after copying rows
DROP TABLE `usage_tags`;
-- Rename temporary table "new_usage_tags" to "usage_tags"
ALTER TABLE `new_usage_tags` RENAME TO `usage_tags`;
-- Create index "usagetag_account_id_plane_id" to table: "usage_tags"
CREATE UNIQUE INDEX `usagetag_account_id_plane_id` ON `usage_tags` (`account_id`, `plane`, `id`);
-- Create index "usagetag_account_id_plane_day_t_287fbbfe063d4ea39ec939f0719aa03b" to table: "usage_tags"
CREATE UNIQUE INDEX `usagetag_account_id_plane_day_t_287fbbfe063d4ea39ec939f0719aa03b` ON `usage_tags` (`account_id`, `plane`, `day`, `tag`, `path`, `user_id`, `agent_id`, `client_id`, `model_id`, `price_id`, `factor_ppm`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
