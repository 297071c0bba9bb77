-- Modify "notifications" table
ALTER TABLE "notifications" ADD COLUMN "mail_at" timestamptz NULL, ADD COLUMN "mail_attempts" bigint NOT NULL DEFAULT 0;
-- Create index "notification_mail_at" to table: "notifications"
CREATE INDEX "notification_mail_at" ON "notifications" ("mail_at") WHERE (mail_at IS NOT NULL);
