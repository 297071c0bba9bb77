-- Requests for more budget become requests of any kind.
ALTER TABLE "increase_requests" RENAME TO "requests";
ALTER TABLE "requests" RENAME CONSTRAINT "increase_requests_pkey" TO "requests_pkey";
ALTER TABLE "requests" RENAME CONSTRAINT "tenant_increase_requests_scope_id" TO "tenant_requests_scope_id";
ALTER INDEX "increaserequest_account_id_plane_id" RENAME TO "request_account_id_plane_id";
ALTER INDEX "increaserequest_account_id_status_waits_at" RENAME TO "request_account_id_status_waits_at";
ALTER INDEX "increaserequest_requested_by_created_at" RENAME TO "request_requested_by_created_at";
ALTER INDEX "increaserequest_scope_id_created_at" RENAME TO "request_scope_id_created_at";
ALTER TABLE "requests" ALTER COLUMN "amount" SET DEFAULT 0, ADD COLUMN "kind" character varying NOT NULL DEFAULT 'BUDGET', ADD COLUMN "resource_id" character varying NOT NULL DEFAULT '', ADD COLUMN "resource_name" character varying NOT NULL DEFAULT '', ADD COLUMN "assigned_to" character varying NOT NULL DEFAULT '', ADD COLUMN "rule_id" character varying NOT NULL DEFAULT '', ADD COLUMN "granted_scope" character varying NOT NULL DEFAULT '';
-- Create index "request_resource_id" to table: "requests"
CREATE INDEX "request_resource_id" ON "requests" ("resource_id");
-- Create "deputies" table
CREATE TABLE "deputies" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "user_id" character varying NOT NULL, "deputy_id" character varying NOT NULL, "until" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- Create index "deputy_account_id_plane_id" to table: "deputies"
CREATE UNIQUE INDEX "deputy_account_id_plane_id" ON "deputies" ("account_id", "plane", "id");
-- Create index "deputy_user_id" to table: "deputies"
CREATE UNIQUE INDEX "deputy_user_id" ON "deputies" ("user_id");
-- Create "request_rules" table
CREATE TABLE "request_rules" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "kind" character varying NOT NULL, "most" bigint NOT NULL DEFAULT 0, "capabilities" jsonb NULL, "authority" character varying NOT NULL, "set_by" character varying NOT NULL DEFAULT '', "scope_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_request_rules_scope_id" FOREIGN KEY ("account_id", "plane", "scope_id") REFERENCES "scopes" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "requestrule_account_id_plane_id" to table: "request_rules"
CREATE UNIQUE INDEX "requestrule_account_id_plane_id" ON "request_rules" ("account_id", "plane", "id");
-- Create index "requestrule_scope_id_kind" to table: "request_rules"
CREATE UNIQUE INDEX "requestrule_scope_id_kind" ON "request_rules" ("scope_id", "kind");

-- Tenants read these, the system writes them.
SELECT tenant_protect(t, 'SELECT', 'SELECT, INSERT, UPDATE, DELETE') FROM unnest(ARRAY['request_rules', 'deputies']::regclass[]) t;
