-- Create "statements" table
CREATE TABLE "statements" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "scope_id" character varying NOT NULL, "budget_id" character varying NOT NULL, "cycle_id" character varying NOT NULL, "scope_name" character varying NOT NULL, "scope_path" character varying NOT NULL, "unit" character varying NOT NULL, "starts_at" timestamptz NOT NULL, "ends_at" timestamptz NOT NULL, "lim" bigint NOT NULL DEFAULT 0, "overflow" bigint NOT NULL DEFAULT 0, "carried_in" bigint NOT NULL DEFAULT 0, "raised" bigint NOT NULL DEFAULT 0, "spent" bigint NOT NULL, "overflow_spent" bigint NOT NULL DEFAULT 0, "excess_spent" bigint NOT NULL DEFAULT 0, "corrections" bigint NOT NULL DEFAULT 0, "carried_out" bigint NOT NULL DEFAULT 0, "calls" bigint NOT NULL DEFAULT 0, "models" jsonb NULL, PRIMARY KEY ("id"));
-- Create index "statement_account_id_plane_id" to table: "statements"
CREATE UNIQUE INDEX "statement_account_id_plane_id" ON "statements" ("account_id", "plane", "id");
-- Create index "statement_scope_id_ends_at" to table: "statements"
CREATE INDEX "statement_scope_id_ends_at" ON "statements" ("scope_id", "ends_at");
-- Create index "statements_cycle_id_key" to table: "statements"
CREATE UNIQUE INDEX "statements_cycle_id_key" ON "statements" ("cycle_id");
-- Modify "budgets" table
ALTER TABLE "budgets" ADD COLUMN "origin" character varying NOT NULL DEFAULT 'SET', ADD COLUMN "distribution" character varying NOT NULL DEFAULT 'POOL', ADD COLUMN "reserve" bigint NOT NULL DEFAULT 0, ADD COLUMN "rollover_cap" bigint NOT NULL DEFAULT 0, ADD COLUMN "strict" boolean NOT NULL DEFAULT false, ADD COLUMN "thresholds" jsonb NULL, ADD COLUMN "frozen_at" timestamptz NULL, ADD COLUMN "frozen_by" character varying NOT NULL DEFAULT '', ADD COLUMN "freeze_reason" character varying NOT NULL DEFAULT '';
-- Modify "budget_cycles" table
ALTER TABLE "budget_cycles" ADD COLUMN "carried" bigint NOT NULL DEFAULT 0, ADD COLUMN "raised" bigint NOT NULL DEFAULT 0, ADD COLUMN "closed_at" timestamptz NULL;
-- Create "usage_totals" table
CREATE TABLE "usage_totals" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "day" bigint NOT NULL, "model_id" character varying NOT NULL, "model_name" character varying NOT NULL DEFAULT '', "calls" bigint NOT NULL DEFAULT 0, "input_tokens" bigint NOT NULL DEFAULT 0, "cached_input_tokens" bigint NOT NULL DEFAULT 0, "cache_write_tokens" bigint NOT NULL DEFAULT 0, "output_tokens" bigint NOT NULL DEFAULT 0, "reasoning_tokens" bigint NOT NULL DEFAULT 0, "audio_input_tokens" bigint NOT NULL DEFAULT 0, "audio_output_tokens" bigint NOT NULL DEFAULT 0, "cost" bigint NOT NULL DEFAULT 0, "credits" bigint NOT NULL DEFAULT 0, PRIMARY KEY ("id"));
-- Create index "usagetotal_account_id_plane_id" to table: "usage_totals"
CREATE UNIQUE INDEX "usagetotal_account_id_plane_id" ON "usage_totals" ("account_id", "plane", "id");
-- Create index "usagetotal_day_account_id_plane_model_id" to table: "usage_totals"
CREATE UNIQUE INDEX "usagetotal_day_account_id_plane_model_id" ON "usage_totals" ("day", "account_id", "plane", "model_id");
-- Create "usage_tags" table
CREATE TABLE "usage_tags" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "day" bigint NOT NULL, "path" character varying NOT NULL, "tag" character varying NOT NULL, "calls" bigint NOT NULL DEFAULT 0, "input_tokens" bigint NOT NULL DEFAULT 0, "cached_input_tokens" bigint NOT NULL DEFAULT 0, "cache_write_tokens" bigint NOT NULL DEFAULT 0, "output_tokens" bigint NOT NULL DEFAULT 0, "reasoning_tokens" bigint NOT NULL DEFAULT 0, "audio_input_tokens" bigint NOT NULL DEFAULT 0, "audio_output_tokens" bigint NOT NULL DEFAULT 0, "cost" bigint NOT NULL DEFAULT 0, "credits" bigint NOT NULL DEFAULT 0, PRIMARY KEY ("id"));
-- Create index "usagetag_account_id_plane_day_path_tag" to table: "usage_tags"
CREATE UNIQUE INDEX "usagetag_account_id_plane_day_path_tag" ON "usage_tags" ("account_id", "plane", "day", "path", "tag");
-- Create index "usagetag_account_id_plane_id" to table: "usage_tags"
CREATE UNIQUE INDEX "usagetag_account_id_plane_id" ON "usage_tags" ("account_id", "plane", "id");
-- Create "usage_days" table
CREATE TABLE "usage_days" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "day" bigint NOT NULL, "path" character varying NOT NULL, "organization_id" character varying NOT NULL DEFAULT '', "team_id" character varying NOT NULL DEFAULT '', "member_id" character varying NOT NULL DEFAULT '', "user_id" character varying NOT NULL DEFAULT '', "key_id" character varying NOT NULL DEFAULT '', "agent_id" character varying NOT NULL DEFAULT '', "client_id" character varying NOT NULL DEFAULT '', "model_id" character varying NOT NULL, "model_name" character varying NOT NULL DEFAULT '', "calls" bigint NOT NULL DEFAULT 0, "input_tokens" bigint NOT NULL DEFAULT 0, "cached_input_tokens" bigint NOT NULL DEFAULT 0, "cache_write_tokens" bigint NOT NULL DEFAULT 0, "output_tokens" bigint NOT NULL DEFAULT 0, "reasoning_tokens" bigint NOT NULL DEFAULT 0, "audio_input_tokens" bigint NOT NULL DEFAULT 0, "audio_output_tokens" bigint NOT NULL DEFAULT 0, "cost" bigint NOT NULL DEFAULT 0, "credits" bigint NOT NULL DEFAULT 0, PRIMARY KEY ("id"));
-- Create index "usageday_account_id_plane_day__95b1087eab95f63b0ac22dacbb5f8652" to table: "usage_days"
CREATE UNIQUE INDEX "usageday_account_id_plane_day__95b1087eab95f63b0ac22dacbb5f8652" ON "usage_days" ("account_id", "plane", "day", "path", "user_id", "agent_id", "client_id", "model_id");
-- Create index "usageday_account_id_plane_id" to table: "usage_days"
CREATE UNIQUE INDEX "usageday_account_id_plane_id" ON "usage_days" ("account_id", "plane", "id");
-- Create "budget_alerts" table
CREATE TABLE "budget_alerts" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "cycle_id" character varying NOT NULL, "threshold" bigint NOT NULL, "lim" bigint NOT NULL DEFAULT 0, "spent" bigint NOT NULL DEFAULT 0, "forecast" bigint NOT NULL DEFAULT 0, "runs_out_at" timestamptz NULL, "budget_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_budget_alerts_budget_id" FOREIGN KEY ("account_id", "plane", "budget_id") REFERENCES "budgets" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "budgetalert_account_id_plane_id" to table: "budget_alerts"
CREATE UNIQUE INDEX "budgetalert_account_id_plane_id" ON "budget_alerts" ("account_id", "plane", "id");
-- Create index "budgetalert_budget_id_cycle_id_threshold" to table: "budget_alerts"
CREATE UNIQUE INDEX "budgetalert_budget_id_cycle_id_threshold" ON "budget_alerts" ("budget_id", "cycle_id", "threshold");
-- Create "budget_increases" table
CREATE TABLE "budget_increases" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "amount" bigint NOT NULL, "ends_at" timestamptz NOT NULL, "reason" character varying NOT NULL DEFAULT '', "created_by" character varying NOT NULL DEFAULT '', "ended_at" timestamptz NULL, "budget_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_budget_increases_budget_id" FOREIGN KEY ("account_id", "plane", "budget_id") REFERENCES "budgets" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "budgetincrease_account_id_plane_id" to table: "budget_increases"
CREATE UNIQUE INDEX "budgetincrease_account_id_plane_id" ON "budget_increases" ("account_id", "plane", "id");
-- Create index "budgetincrease_budget_id" to table: "budget_increases"
CREATE INDEX "budgetincrease_budget_id" ON "budget_increases" ("budget_id");
-- Create index "budgetincrease_ended_at_ends_at" to table: "budget_increases"
CREATE INDEX "budgetincrease_ended_at_ends_at" ON "budget_increases" ("ended_at", "ends_at");
-- Create "increase_requests" table
CREATE TABLE "increase_requests" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "requested_by" character varying NOT NULL, "amount" bigint NOT NULL, "until" timestamptz NULL, "reason" character varying NOT NULL, "status" character varying NOT NULL DEFAULT 'PENDING', "waits_at" character varying NOT NULL, "passed" jsonb NULL, "decided_by" character varying NOT NULL DEFAULT '', "decided_at" timestamptz NULL, "granted" bigint NOT NULL DEFAULT 0, "granted_until" timestamptz NULL, "note" character varying NOT NULL DEFAULT '', "scope_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_increase_requests_scope_id" FOREIGN KEY ("account_id", "plane", "scope_id") REFERENCES "scopes" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "increaserequest_account_id_plane_id" to table: "increase_requests"
CREATE UNIQUE INDEX "increaserequest_account_id_plane_id" ON "increase_requests" ("account_id", "plane", "id");
-- Create index "increaserequest_account_id_status_waits_at" to table: "increase_requests"
CREATE INDEX "increaserequest_account_id_status_waits_at" ON "increase_requests" ("account_id", "status", "waits_at");
-- Create index "increaserequest_requested_by_created_at" to table: "increase_requests"
CREATE INDEX "increaserequest_requested_by_created_at" ON "increase_requests" ("requested_by", "created_at");
-- Create index "increaserequest_scope_id_created_at" to table: "increase_requests"
CREATE INDEX "increaserequest_scope_id_created_at" ON "increase_requests" ("scope_id", "created_at");
-- Create "notification_preferences" table
CREATE TABLE "notification_preferences" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "topic" character varying NOT NULL, "inbox" boolean NOT NULL DEFAULT true, "mail" boolean NOT NULL DEFAULT false, "user_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_notification_preferences_user_id" FOREIGN KEY ("account_id", "plane", "user_id") REFERENCES "users" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "notificationpreference_account_id_plane_id" to table: "notification_preferences"
CREATE UNIQUE INDEX "notificationpreference_account_id_plane_id" ON "notification_preferences" ("account_id", "plane", "id");
-- Create index "notificationpreference_user_id_topic" to table: "notification_preferences"
CREATE UNIQUE INDEX "notificationpreference_user_id_topic" ON "notification_preferences" ("user_id", "topic");
-- Create "notifications" table
CREATE TABLE "notifications" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "topic" character varying NOT NULL, "about_plane" character varying NOT NULL, "scope_id" character varying NOT NULL DEFAULT '', "title" character varying NOT NULL, "body" character varying NOT NULL DEFAULT '', "link" character varying NOT NULL DEFAULT '', "cause" character varying NOT NULL, "read_at" timestamptz NULL, "user_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_notifications_user_id" FOREIGN KEY ("account_id", "plane", "user_id") REFERENCES "users" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "notification_account_id_plane_id" to table: "notifications"
CREATE UNIQUE INDEX "notification_account_id_plane_id" ON "notifications" ("account_id", "plane", "id");
-- Create index "notification_user_id_created_at" to table: "notifications"
CREATE INDEX "notification_user_id_created_at" ON "notifications" ("user_id", "created_at");
-- Create index "notification_user_id_read_at" to table: "notifications"
CREATE INDEX "notification_user_id_read_at" ON "notifications" ("user_id", "read_at");
-- Create index "notification_user_id_topic_cause" to table: "notifications"
CREATE UNIQUE INDEX "notification_user_id_topic_cause" ON "notifications" ("user_id", "topic", "cause");
-- Create "webhooks" table
CREATE TABLE "webhooks" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "name" character varying NOT NULL, "url" character varying NOT NULL, "topics" jsonb NOT NULL, "console" boolean NOT NULL DEFAULT true, "copilot" boolean NOT NULL DEFAULT true, "status" character varying NOT NULL DEFAULT 'ACTIVE', "status_reason" character varying NOT NULL DEFAULT '', "secret" bytea NOT NULL, "secret_hint" character varying NOT NULL DEFAULT '', "previous_secret" bytea NULL, "previous_secret_expires_at" timestamptz NULL, "created_by" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- Create index "webhook_account_id_name" to table: "webhooks"
CREATE UNIQUE INDEX "webhook_account_id_name" ON "webhooks" ("account_id", "name");
-- Create index "webhook_account_id_plane_id" to table: "webhooks"
CREATE UNIQUE INDEX "webhook_account_id_plane_id" ON "webhooks" ("account_id", "plane", "id");
-- Create "webhook_deliveries" table
CREATE TABLE "webhook_deliveries" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "message_id" character varying NOT NULL, "topic" character varying NOT NULL, "payload" jsonb NOT NULL, "status" character varying NOT NULL DEFAULT 'PENDING', "attempts" bigint NOT NULL DEFAULT 0, "next_at" timestamptz NOT NULL, "done_at" timestamptz NULL, "response_status" bigint NOT NULL DEFAULT 0, "error" character varying NOT NULL DEFAULT '', "latency_ms" bigint NOT NULL DEFAULT 0, "replay_of" character varying NOT NULL DEFAULT '', "webhook_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_webhook_deliveries_webhook_id" FOREIGN KEY ("account_id", "plane", "webhook_id") REFERENCES "webhooks" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "webhookdelivery_account_id_plane_id" to table: "webhook_deliveries"
CREATE UNIQUE INDEX "webhookdelivery_account_id_plane_id" ON "webhook_deliveries" ("account_id", "plane", "id");
-- Create index "webhookdelivery_status_next_at" to table: "webhook_deliveries"
CREATE INDEX "webhookdelivery_status_next_at" ON "webhook_deliveries" ("status", "next_at");
-- Create index "webhookdelivery_webhook_id_created_at" to table: "webhook_deliveries"
CREATE INDEX "webhookdelivery_webhook_id_created_at" ON "webhook_deliveries" ("webhook_id", "created_at");
