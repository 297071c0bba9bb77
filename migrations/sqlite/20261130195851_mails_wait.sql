-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_notifications" table
CREATE TABLE `new_notifications` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `topic` text NOT NULL, `about_plane` text NOT NULL, `scope_id` text NOT NULL DEFAULT (''), `title` text NOT NULL, `body` text NOT NULL DEFAULT (''), `link` text NOT NULL DEFAULT (''), `cause` text NOT NULL, `shown` bool NOT NULL DEFAULT (true), `read_at` datetime NULL, `mail_at` datetime NULL, `mail_attempts` integer NOT NULL DEFAULT (0), `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_notifications_user_id` FOREIGN KEY (`account_id`, `plane`, `user_id`) REFERENCES `users` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Copy rows from old table "notifications" to new temporary table "new_notifications"
INSERT INTO `new_notifications` (`id`, `account_id`, `plane`, `created_at`, `topic`, `about_plane`, `scope_id`, `title`, `body`, `link`, `cause`, `shown`, `read_at`, `user_id`) SELECT `id`, `account_id`, `plane`, `created_at`, `topic`, `about_plane`, `scope_id`, `title`, `body`, `link`, `cause`, `shown`, `read_at`, `user_id` FROM `notifications`;
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
-- Create index "notification_mail_at" to table: "notifications"
CREATE INDEX `notification_mail_at` ON `notifications` (`mail_at`) WHERE mail_at IS NOT NULL;
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
