-- Add column "deleting_at" to table: "accounts"
ALTER TABLE `accounts` ADD COLUMN `deleting_at` datetime NULL;
-- Add column "rests_on" to table: "sessions"
ALTER TABLE `sessions` ADD COLUMN `rests_on` text NOT NULL DEFAULT '';
