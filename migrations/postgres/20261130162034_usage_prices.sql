-- Drop index "charge_account_id_plane_day" from table: "charges"
DROP INDEX "charge_account_id_plane_day";
-- Create index "charge_account_id_plane_at" to table: "charges"
CREATE INDEX "charge_account_id_plane_at" ON "charges" ("account_id", "plane", "at");
-- Drop index "usageday_account_id_plane_day__95b1087eab95f63b0ac22dacbb5f8652" from table: "usage_days"
DROP INDEX "usageday_account_id_plane_day__95b1087eab95f63b0ac22dacbb5f8652";
-- Modify "usage_days" table
ALTER TABLE "usage_days" ADD COLUMN "price_id" character varying NOT NULL DEFAULT '', ADD COLUMN "factor_ppm" bigint NOT NULL DEFAULT 0;
-- Create index "usageday_account_id_plane_day__f12b81447619f1df17c173f24d5b9d72" to table: "usage_days"
CREATE UNIQUE INDEX "usageday_account_id_plane_day__f12b81447619f1df17c173f24d5b9d72" ON "usage_days" ("account_id", "plane", "day", "path", "user_id", "agent_id", "client_id", "model_id", "price_id", "factor_ppm");
-- Create index "usageday_member_id_day" to table: "usage_days"
CREATE INDEX "usageday_member_id_day" ON "usage_days" ("member_id", "day");
-- Create index "usageday_organization_id_day" to table: "usage_days"
CREATE INDEX "usageday_organization_id_day" ON "usage_days" ("organization_id", "day");
-- Create index "usageday_team_id_day" to table: "usage_days"
CREATE INDEX "usageday_team_id_day" ON "usage_days" ("team_id", "day");
-- Create index "usageday_user_id_day" to table: "usage_days"
CREATE INDEX "usageday_user_id_day" ON "usage_days" ("user_id", "day");
-- Drop index "usagetag_account_id_plane_day_path_tag" from table: "usage_tags"
DROP INDEX "usagetag_account_id_plane_day_path_tag";
-- Modify "usage_tags" table
ALTER TABLE "usage_tags" ADD COLUMN "organization_id" character varying NOT NULL DEFAULT '', ADD COLUMN "team_id" character varying NOT NULL DEFAULT '', ADD COLUMN "member_id" character varying NOT NULL DEFAULT '', ADD COLUMN "user_id" character varying NOT NULL DEFAULT '', ADD COLUMN "key_id" character varying NOT NULL DEFAULT '', ADD COLUMN "agent_id" character varying NOT NULL DEFAULT '', ADD COLUMN "client_id" character varying NOT NULL DEFAULT '', ADD COLUMN "model_id" character varying NOT NULL, ADD COLUMN "price_id" character varying NOT NULL DEFAULT '', ADD COLUMN "factor_ppm" bigint NOT NULL DEFAULT 0, ADD COLUMN "model_name" character varying NOT NULL DEFAULT '';
-- Create index "usagetag_account_id_plane_day__99a12eeba63926b4be3836050535b424" to table: "usage_tags"
CREATE UNIQUE INDEX "usagetag_account_id_plane_day__99a12eeba63926b4be3836050535b424" ON "usage_tags" ("account_id", "plane", "day", "tag", "path", "user_id", "agent_id", "client_id", "model_id", "price_id", "factor_ppm");
