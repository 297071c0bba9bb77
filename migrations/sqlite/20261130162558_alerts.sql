-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create index "charge_at" to table: "charges"
CREATE INDEX `charge_at` ON `charges` (`at`);
-- Create index "budget_updated_at" to table: "budgets"
CREATE INDEX `budget_updated_at` ON `budgets` (`updated_at`);
-- Create index "budgetalert_account_id_plane_created_at" to table: "budget_alerts"
CREATE INDEX `budgetalert_account_id_plane_created_at` ON `budget_alerts` (`account_id`, `plane`, `created_at`);
-- Create "new_notifications" table
CREATE TABLE `new_notifications` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `topic` text NOT NULL, `about_plane` text NOT NULL, `scope_id` text NOT NULL DEFAULT (''), `title` text NOT NULL, `body` text NOT NULL DEFAULT (''), `link` text NOT NULL DEFAULT (''), `cause` text NOT NULL, `shown` bool NOT NULL DEFAULT (true), `read_at` datetime NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_notifications_user_id` FOREIGN KEY (`account_id`, `plane`, `user_id`) REFERENCES `users` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Copy rows from old table "notifications" to new temporary table "new_notifications"
INSERT INTO `new_notifications` (`id`, `account_id`, `plane`, `created_at`, `topic`, `about_plane`, `scope_id`, `title`, `body`, `link`, `cause`, `read_at`, `user_id`) SELECT `id`, `account_id`, `plane`, `created_at`, `topic`, `about_plane`, `scope_id`, `title`, `body`, `link`, `cause`, `read_at`, `user_id` FROM `notifications`;
-- Drop "notifications" table after copying rows
DROP TABLE `notifications`;
-- Rename temporary table "new_notifications" to "notifications"
ALTER TABLE `new_notifications` RENAME TO `notifications`;
-- Create index "notification_account_id_plane_id" to table: "notifications"
CREATE UNIQUE INDEX `notification_account_id_plane_id` ON `notifications` (`account_id`, `plane`, `id`);
-- Create index "notification_user_id_topic_cause" to table: "notifications"
CREATE UNIQUE INDEX `notification_user_id_topic_cause` ON `notifications` (`user_id`, `topic`, `cause`);
-- Create index "notification_user_id_read_at" to table: "notifications"
CREATE INDEX `notification_user_id_read_at` ON `notifications` (`user_id`, `read_at`);
-- Create index "notification_read_at" to table: "notifications"
CREATE INDEX `notification_read_at` ON `notifications` (`read_at`);
-- Create index "statement_created_at" to table: "statements"
CREATE INDEX `statement_created_at` ON `statements` (`created_at`);
-- Add column "failing_since" to table: "webhooks"
ALTER TABLE `webhooks` ADD COLUMN `failing_since` datetime NULL;
-- Create "new_webhook_deliveries" table
CREATE TABLE `new_webhook_deliveries` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `message_id` text NOT NULL, `topic` text NOT NULL, `payload` json NOT NULL, `status` text NOT NULL DEFAULT ('PENDING'), `attempts` integer NOT NULL DEFAULT (0), `next_at` datetime NOT NULL, `done_at` datetime NULL, `response_status` integer NOT NULL DEFAULT (0), `error` text NOT NULL DEFAULT (''), `latency_ms` integer NOT NULL DEFAULT (0), `response` text NOT NULL DEFAULT (''), `webhook_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_webhook_deliveries_webhook_id` FOREIGN KEY (`account_id`, `plane`, `webhook_id`) REFERENCES `webhooks` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Copy rows from old table "webhook_deliveries" to new temporary table "new_webhook_deliveries"
INSERT INTO `new_webhook_deliveries` (`id`, `account_id`, `plane`, `created_at`, `message_id`, `topic`, `payload`, `status`, `attempts`, `next_at`, `done_at`, `response_status`, `error`, `latency_ms`, `webhook_id`) SELECT `id`, `account_id`, `plane`, `created_at`, `message_id`, `topic`, `payload`, `status`, `attempts`, `next_at`, `done_at`, `response_status`, `error`, `latency_ms`, `webhook_id` FROM `webhook_deliveries`;
-- Drop "webhook_deliveries" table after copying rows
DROP TABLE `webhook_deliveries`;
-- Rename temporary table "new_webhook_deliveries" to "webhook_deliveries"
ALTER TABLE `new_webhook_deliveries` RENAME TO `webhook_deliveries`;
-- Create index "webhookdelivery_account_id_plane_id" to table: "webhook_deliveries"
CREATE UNIQUE INDEX `webhookdelivery_account_id_plane_id` ON `webhook_deliveries` (`account_id`, `plane`, `id`);
-- Create index "webhookdelivery_status_next_at" to table: "webhook_deliveries"
CREATE INDEX `webhookdelivery_status_next_at` ON `webhook_deliveries` (`status`, `next_at`);
-- Create index "webhookdelivery_webhook_id_status_next_at" to table: "webhook_deliveries"
CREATE INDEX `webhookdelivery_webhook_id_status_next_at` ON `webhook_deliveries` (`webhook_id`, `status`, `next_at`);
-- Create index "webhookdelivery_webhook_id_created_at" to table: "webhook_deliveries"
CREATE INDEX `webhookdelivery_webhook_id_created_at` ON `webhook_deliveries` (`webhook_id`, `created_at`);
-- Create index "webhookdelivery_webhook_id_message_id" to table: "webhook_deliveries"
CREATE UNIQUE INDEX `webhookdelivery_webhook_id_message_id` ON `webhook_deliveries` (`webhook_id`, `message_id`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
