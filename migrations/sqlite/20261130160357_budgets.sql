-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_budgets" table
CREATE TABLE `new_budgets` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `unit` text NOT NULL, `lim` integer NOT NULL DEFAULT (0), `overflow` integer NOT NULL DEFAULT (0), `cycle` text NULL, `cycle_day` integer NOT NULL DEFAULT (1), `origin` text NOT NULL DEFAULT ('SET'), `distribution` text NOT NULL DEFAULT ('POOL'), `reserve` integer NOT NULL DEFAULT (0), `rollover_cap` integer NOT NULL DEFAULT (0), `strict` bool NOT NULL DEFAULT (false), `thresholds` json NULL, `frozen_at` datetime NULL, `frozen_by` text NOT NULL DEFAULT (''), `freeze_reason` text NOT NULL DEFAULT (''), `scope_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_budgets_scope_id` FOREIGN KEY (`account_id`, `plane`, `scope_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_budgets_amounts` CHECK (lim >= 0 AND overflow >= 0));
-- Copy rows from old table "budgets" to new temporary table "new_budgets"
INSERT INTO `new_budgets` (`id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `unit`, `lim`, `overflow`, `cycle`, `cycle_day`, `scope_id`) SELECT `id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `unit`, `lim`, `overflow`, `cycle`, `cycle_day`, `scope_id` FROM `budgets`;
-- Drop "budgets" table after copying rows
DROP TABLE `budgets`;
-- Rename temporary table "new_budgets" to "budgets"
ALTER TABLE `new_budgets` RENAME TO `budgets`;
-- Create index "budget_account_id_plane_id" to table: "budgets"
CREATE UNIQUE INDEX `budget_account_id_plane_id` ON `budgets` (`account_id`, `plane`, `id`);
-- Create "new_budget_cycles" table
CREATE TABLE `new_budget_cycles` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `starts_at` datetime NOT NULL, `ends_at` datetime NOT NULL, `lim` integer NOT NULL DEFAULT (0), `overflow` integer NOT NULL DEFAULT (0), `carried` integer NOT NULL DEFAULT (0), `raised` integer NOT NULL DEFAULT (0), `closed_at` datetime NULL, `spent` integer NOT NULL DEFAULT (0), `held` integer NOT NULL DEFAULT (0), `excess` integer NOT NULL DEFAULT (0), `revision` integer NOT NULL DEFAULT (0), `budget_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_budget_cycles_budget_id` FOREIGN KEY (`account_id`, `plane`, `budget_id`) REFERENCES `budgets` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_budget_cycles_limit` CHECK (spent >= 0 AND held >= 0 AND excess >= 0 AND spent + held <= lim + overflow + excess));
-- Copy rows from old table "budget_cycles" to new temporary table "new_budget_cycles"
INSERT INTO `new_budget_cycles` (`id`, `account_id`, `plane`, `created_at`, `starts_at`, `ends_at`, `lim`, `overflow`, `spent`, `held`, `excess`, `revision`, `budget_id`) SELECT `id`, `account_id`, `plane`, `created_at`, `starts_at`, `ends_at`, `lim`, `overflow`, `spent`, `held`, `excess`, `revision`, `budget_id` FROM `budget_cycles`;
-- Drop "budget_cycles" table after copying rows
DROP TABLE `budget_cycles`;
-- Rename temporary table "new_budget_cycles" to "budget_cycles"
ALTER TABLE `new_budget_cycles` RENAME TO `budget_cycles`;
-- Create index "budgetcycle_account_id_plane_id" to table: "budget_cycles"
CREATE UNIQUE INDEX `budgetcycle_account_id_plane_id` ON `budget_cycles` (`account_id`, `plane`, `id`);
-- Create index "budgetcycle_budget_id_starts_at" to table: "budget_cycles"
CREATE UNIQUE INDEX `budgetcycle_budget_id_starts_at` ON `budget_cycles` (`budget_id`, `starts_at`);
-- Create "budget_alerts" table
CREATE TABLE `budget_alerts` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `cycle_id` text NOT NULL, `threshold` integer NOT NULL, `lim` integer NOT NULL DEFAULT (0), `spent` integer NOT NULL DEFAULT (0), `forecast` integer NOT NULL DEFAULT (0), `runs_out_at` datetime NULL, `budget_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_budget_alerts_budget_id` FOREIGN KEY (`account_id`, `plane`, `budget_id`) REFERENCES `budgets` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "budgetalert_account_id_plane_id" to table: "budget_alerts"
CREATE UNIQUE INDEX `budgetalert_account_id_plane_id` ON `budget_alerts` (`account_id`, `plane`, `id`);
-- Create index "budgetalert_budget_id_cycle_id_threshold" to table: "budget_alerts"
CREATE UNIQUE INDEX `budgetalert_budget_id_cycle_id_threshold` ON `budget_alerts` (`budget_id`, `cycle_id`, `threshold`);
-- Create "budget_increases" table
CREATE TABLE `budget_increases` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `amount` integer NOT NULL, `ends_at` datetime NOT NULL, `reason` text NOT NULL DEFAULT (''), `created_by` text NOT NULL DEFAULT (''), `ended_at` datetime NULL, `budget_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_budget_increases_budget_id` FOREIGN KEY (`account_id`, `plane`, `budget_id`) REFERENCES `budgets` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "budgetincrease_account_id_plane_id" to table: "budget_increases"
CREATE UNIQUE INDEX `budgetincrease_account_id_plane_id` ON `budget_increases` (`account_id`, `plane`, `id`);
-- Create index "budgetincrease_budget_id" to table: "budget_increases"
CREATE INDEX `budgetincrease_budget_id` ON `budget_increases` (`budget_id`);
-- Create index "budgetincrease_ended_at_ends_at" to table: "budget_increases"
CREATE INDEX `budgetincrease_ended_at_ends_at` ON `budget_increases` (`ended_at`, `ends_at`);
-- Create "increase_requests" table
CREATE TABLE `increase_requests` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `requested_by` text NOT NULL, `amount` integer NOT NULL, `until` datetime NULL, `reason` text NOT NULL, `status` text NOT NULL DEFAULT ('PENDING'), `waits_at` text NOT NULL, `passed` json NULL, `decided_by` text NOT NULL DEFAULT (''), `decided_at` datetime NULL, `granted` integer NOT NULL DEFAULT (0), `granted_until` datetime NULL, `note` text NOT NULL DEFAULT (''), `scope_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_increase_requests_scope_id` FOREIGN KEY (`account_id`, `plane`, `scope_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "increaserequest_account_id_plane_id" to table: "increase_requests"
CREATE UNIQUE INDEX `increaserequest_account_id_plane_id` ON `increase_requests` (`account_id`, `plane`, `id`);
-- Create index "increaserequest_account_id_status_waits_at" to table: "increase_requests"
CREATE INDEX `increaserequest_account_id_status_waits_at` ON `increase_requests` (`account_id`, `status`, `waits_at`);
-- Create index "increaserequest_scope_id_created_at" to table: "increase_requests"
CREATE INDEX `increaserequest_scope_id_created_at` ON `increase_requests` (`scope_id`, `created_at`);
-- Create index "increaserequest_requested_by_created_at" to table: "increase_requests"
CREATE INDEX `increaserequest_requested_by_created_at` ON `increase_requests` (`requested_by`, `created_at`);
-- Create "notifications" table
CREATE TABLE `notifications` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `topic` text NOT NULL, `about_plane` text NOT NULL, `scope_id` text NOT NULL DEFAULT (''), `title` text NOT NULL, `body` text NOT NULL DEFAULT (''), `link` text NOT NULL DEFAULT (''), `cause` text NOT NULL, `read_at` datetime NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_notifications_user_id` FOREIGN KEY (`account_id`, `plane`, `user_id`) REFERENCES `users` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "notification_account_id_plane_id" to table: "notifications"
CREATE UNIQUE INDEX `notification_account_id_plane_id` ON `notifications` (`account_id`, `plane`, `id`);
-- Create index "notification_user_id_topic_cause" to table: "notifications"
CREATE UNIQUE INDEX `notification_user_id_topic_cause` ON `notifications` (`user_id`, `topic`, `cause`);
-- Create index "notification_user_id_read_at" to table: "notifications"
CREATE INDEX `notification_user_id_read_at` ON `notifications` (`user_id`, `read_at`);
-- Create index "notification_user_id_created_at" to table: "notifications"
CREATE INDEX `notification_user_id_created_at` ON `notifications` (`user_id`, `created_at`);
-- Create "notification_preferences" table
CREATE TABLE `notification_preferences` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `topic` text NOT NULL, `inbox` bool NOT NULL DEFAULT (true), `mail` bool NOT NULL DEFAULT (false), `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_notification_preferences_user_id` FOREIGN KEY (`account_id`, `plane`, `user_id`) REFERENCES `users` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "notificationpreference_account_id_plane_id" to table: "notification_preferences"
CREATE UNIQUE INDEX `notificationpreference_account_id_plane_id` ON `notification_preferences` (`account_id`, `plane`, `id`);
-- Create index "notificationpreference_user_id_topic" to table: "notification_preferences"
CREATE UNIQUE INDEX `notificationpreference_user_id_topic` ON `notification_preferences` (`user_id`, `topic`);
-- Create "statements" table
CREATE TABLE `statements` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `scope_id` text NOT NULL, `budget_id` text NOT NULL, `cycle_id` text NOT NULL, `scope_name` text NOT NULL, `scope_path` text NOT NULL, `unit` text NOT NULL, `starts_at` datetime NOT NULL, `ends_at` datetime NOT NULL, `lim` integer NOT NULL DEFAULT (0), `overflow` integer NOT NULL DEFAULT (0), `carried_in` integer NOT NULL DEFAULT (0), `raised` integer NOT NULL DEFAULT (0), `spent` integer NOT NULL, `overflow_spent` integer NOT NULL DEFAULT (0), `excess_spent` integer NOT NULL DEFAULT (0), `corrections` integer NOT NULL DEFAULT (0), `carried_out` integer NOT NULL DEFAULT (0), `calls` integer NOT NULL DEFAULT (0), `models` json NULL, PRIMARY KEY (`id`));
-- Create index "statements_cycle_id_key" to table: "statements"
CREATE UNIQUE INDEX `statements_cycle_id_key` ON `statements` (`cycle_id`);
-- Create index "statement_account_id_plane_id" to table: "statements"
CREATE UNIQUE INDEX `statement_account_id_plane_id` ON `statements` (`account_id`, `plane`, `id`);
-- Create index "statement_scope_id_ends_at" to table: "statements"
CREATE INDEX `statement_scope_id_ends_at` ON `statements` (`scope_id`, `ends_at`);
-- Create "usage_days" table
CREATE TABLE `usage_days` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `day` integer NOT NULL, `path` text NOT NULL, `organization_id` text NOT NULL DEFAULT (''), `team_id` text NOT NULL DEFAULT (''), `member_id` text NOT NULL DEFAULT (''), `user_id` text NOT NULL DEFAULT (''), `key_id` text NOT NULL DEFAULT (''), `agent_id` text NOT NULL DEFAULT (''), `client_id` text NOT NULL DEFAULT (''), `model_id` text NOT NULL, `model_name` text NOT NULL DEFAULT (''), `calls` integer NOT NULL DEFAULT (0), `input_tokens` integer NOT NULL DEFAULT (0), `cached_input_tokens` integer NOT NULL DEFAULT (0), `cache_write_tokens` integer NOT NULL DEFAULT (0), `output_tokens` integer NOT NULL DEFAULT (0), `reasoning_tokens` integer NOT NULL DEFAULT (0), `audio_input_tokens` integer NOT NULL DEFAULT (0), `audio_output_tokens` integer NOT NULL DEFAULT (0), `cost` integer NOT NULL DEFAULT (0), `credits` integer NOT NULL DEFAULT (0), PRIMARY KEY (`id`));
-- Create index "usageday_account_id_plane_id" to table: "usage_days"
CREATE UNIQUE INDEX `usageday_account_id_plane_id` ON `usage_days` (`account_id`, `plane`, `id`);
-- Create index "usageday_account_id_plane_day_p_1bc8d10240adce459de9768d75f867d6" to table: "usage_days"
CREATE UNIQUE INDEX `usageday_account_id_plane_day_p_1bc8d10240adce459de9768d75f867d6` ON `usage_days` (`account_id`, `plane`, `day`, `path`, `user_id`, `agent_id`, `client_id`, `model_id`);
-- Create "usage_tags" table
CREATE TABLE `usage_tags` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `day` integer NOT NULL, `path` text NOT NULL, `tag` text NOT NULL, `calls` integer NOT NULL DEFAULT (0), `input_tokens` integer NOT NULL DEFAULT (0), `cached_input_tokens` integer NOT NULL DEFAULT (0), `cache_write_tokens` integer NOT NULL DEFAULT (0), `output_tokens` integer NOT NULL DEFAULT (0), `reasoning_tokens` integer NOT NULL DEFAULT (0), `audio_input_tokens` integer NOT NULL DEFAULT (0), `audio_output_tokens` integer NOT NULL DEFAULT (0), `cost` integer NOT NULL DEFAULT (0), `credits` integer NOT NULL DEFAULT (0), PRIMARY KEY (`id`));
-- Create index "usagetag_account_id_plane_id" to table: "usage_tags"
CREATE UNIQUE INDEX `usagetag_account_id_plane_id` ON `usage_tags` (`account_id`, `plane`, `id`);
-- Create index "usagetag_account_id_plane_day_path_tag" to table: "usage_tags"
CREATE UNIQUE INDEX `usagetag_account_id_plane_day_path_tag` ON `usage_tags` (`account_id`, `plane`, `day`, `path`, `tag`);
-- Create "usage_totals" table
CREATE TABLE `usage_totals` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `day` integer NOT NULL, `model_id` text NOT NULL, `model_name` text NOT NULL DEFAULT (''), `calls` integer NOT NULL DEFAULT (0), `input_tokens` integer NOT NULL DEFAULT (0), `cached_input_tokens` integer NOT NULL DEFAULT (0), `cache_write_tokens` integer NOT NULL DEFAULT (0), `output_tokens` integer NOT NULL DEFAULT (0), `reasoning_tokens` integer NOT NULL DEFAULT (0), `audio_input_tokens` integer NOT NULL DEFAULT (0), `audio_output_tokens` integer NOT NULL DEFAULT (0), `cost` integer NOT NULL DEFAULT (0), `credits` integer NOT NULL DEFAULT (0), PRIMARY KEY (`id`));
-- Create index "usagetotal_account_id_plane_id" to table: "usage_totals"
CREATE UNIQUE INDEX `usagetotal_account_id_plane_id` ON `usage_totals` (`account_id`, `plane`, `id`);
-- Create index "usagetotal_day_account_id_plane_model_id" to table: "usage_totals"
CREATE UNIQUE INDEX `usagetotal_day_account_id_plane_model_id` ON `usage_totals` (`day`, `account_id`, `plane`, `model_id`);
-- Create "webhooks" table
CREATE TABLE `webhooks` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `url` text NOT NULL, `topics` json NOT NULL, `console` bool NOT NULL DEFAULT (true), `copilot` bool NOT NULL DEFAULT (true), `status` text NOT NULL DEFAULT ('ACTIVE'), `status_reason` text NOT NULL DEFAULT (''), `secret` blob NOT NULL, `secret_hint` text NOT NULL DEFAULT (''), `previous_secret` blob NULL, `previous_secret_expires_at` datetime NULL, `created_by` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- Create index "webhook_account_id_plane_id" to table: "webhooks"
CREATE UNIQUE INDEX `webhook_account_id_plane_id` ON `webhooks` (`account_id`, `plane`, `id`);
-- Create index "webhook_account_id_name" to table: "webhooks"
CREATE UNIQUE INDEX `webhook_account_id_name` ON `webhooks` (`account_id`, `name`);
-- Create "webhook_deliveries" table
CREATE TABLE `webhook_deliveries` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `message_id` text NOT NULL, `topic` text NOT NULL, `payload` json NOT NULL, `status` text NOT NULL DEFAULT ('PENDING'), `attempts` integer NOT NULL DEFAULT (0), `next_at` datetime NOT NULL, `done_at` datetime NULL, `response_status` integer NOT NULL DEFAULT (0), `error` text NOT NULL DEFAULT (''), `latency_ms` integer NOT NULL DEFAULT (0), `replay_of` text NOT NULL DEFAULT (''), `webhook_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_webhook_deliveries_webhook_id` FOREIGN KEY (`account_id`, `plane`, `webhook_id`) REFERENCES `webhooks` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "webhookdelivery_account_id_plane_id" to table: "webhook_deliveries"
CREATE UNIQUE INDEX `webhookdelivery_account_id_plane_id` ON `webhook_deliveries` (`account_id`, `plane`, `id`);
-- Create index "webhookdelivery_status_next_at" to table: "webhook_deliveries"
CREATE INDEX `webhookdelivery_status_next_at` ON `webhook_deliveries` (`status`, `next_at`);
-- Create index "webhookdelivery_webhook_id_created_at" to table: "webhook_deliveries"
CREATE INDEX `webhookdelivery_webhook_id_created_at` ON `webhook_deliveries` (`webhook_id`, `created_at`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
