-- Create index "budgetalert_account_id_plane_created_at" to table: "budget_alerts"
CREATE INDEX "budgetalert_account_id_plane_created_at" ON "budget_alerts" ("account_id", "plane", "created_at");
-- Create index "budget_updated_at" to table: "budgets"
CREATE INDEX "budget_updated_at" ON "budgets" ("updated_at");
-- Create index "charge_at" to table: "charges"
CREATE INDEX "charge_at" ON "charges" ("at");
-- Drop index "notification_user_id_created_at" from table: "notifications"
DROP INDEX "notification_user_id_created_at";
-- Modify "notifications" table
ALTER TABLE "notifications" ADD COLUMN "shown" boolean NOT NULL DEFAULT true;
-- Create index "notification_read_at" to table: "notifications"
CREATE INDEX "notification_read_at" ON "notifications" ("read_at");
-- Create index "statement_created_at" to table: "statements"
CREATE INDEX "statement_created_at" ON "statements" ("created_at");
-- Modify "webhook_deliveries" table
ALTER TABLE "webhook_deliveries" DROP COLUMN "replay_of", ADD COLUMN "response" character varying NOT NULL DEFAULT '';
-- Create index "webhookdelivery_webhook_id_message_id" to table: "webhook_deliveries"
CREATE UNIQUE INDEX "webhookdelivery_webhook_id_message_id" ON "webhook_deliveries" ("webhook_id", "message_id");
-- Create index "webhookdelivery_webhook_id_status_next_at" to table: "webhook_deliveries"
CREATE INDEX "webhookdelivery_webhook_id_status_next_at" ON "webhook_deliveries" ("webhook_id", "status", "next_at");
-- Modify "webhooks" table
ALTER TABLE "webhooks" ADD COLUMN "failing_since" timestamptz NULL;
