-- Modify "scopes" table
ALTER TABLE "scopes" ADD COLUMN "default_model_id" character varying NULL, ADD CONSTRAINT "tenant_scopes_default_model_id" FOREIGN KEY ("account_id", "plane", "default_model_id") REFERENCES "models" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- Create "agents" table
CREATE TABLE "agents" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "purpose" character varying NOT NULL DEFAULT '', "icon" character varying NOT NULL DEFAULT '', "group_name" character varying NOT NULL DEFAULT '', "categories" jsonb NULL, "tags" jsonb NULL, "owner_user_id" character varying NOT NULL DEFAULT '', "availability" character varying NOT NULL DEFAULT 'ACTIVE', "draft" jsonb NOT NULL, "published_version" bigint NULL, "session_credits" bigint NOT NULL DEFAULT 0, "session_turns" bigint NOT NULL DEFAULT 0, "listing_id" character varying NOT NULL DEFAULT '', "listing_version" bigint NOT NULL DEFAULT 0, "created_by" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"), CONSTRAINT "tenant_agents_id" FOREIGN KEY ("account_id", "plane", "id") REFERENCES "scopes" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "agent_account_id_plane_group_name" to table: "agents"
CREATE INDEX "agent_account_id_plane_group_name" ON "agents" ("account_id", "plane", "group_name");
-- Create index "agent_account_id_plane_id" to table: "agents"
CREATE UNIQUE INDEX "agent_account_id_plane_id" ON "agents" ("account_id", "plane", "id");
-- Create index "agent_listing_id" to table: "agents"
CREATE INDEX "agent_listing_id" ON "agents" ("listing_id");
-- Create index "agent_owner_user_id" to table: "agents"
CREATE INDEX "agent_owner_user_id" ON "agents" ("owner_user_id");
-- Create "agent_versions" table
CREATE TABLE "agent_versions" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "number" bigint NOT NULL, "definition" jsonb NOT NULL, "changelog" character varying NOT NULL DEFAULT '', "published_by" character varying NOT NULL DEFAULT '', "published_by_name" character varying NOT NULL DEFAULT '', "restores" bigint NOT NULL DEFAULT 0, "retired_at" timestamptz NULL, "agent_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_agent_versions_agent_id" FOREIGN KEY ("account_id", "plane", "agent_id") REFERENCES "agents" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "agentversion_account_id_plane_id" to table: "agent_versions"
CREATE UNIQUE INDEX "agentversion_account_id_plane_id" ON "agent_versions" ("account_id", "plane", "id");
-- Create index "agentversion_agent_id_number" to table: "agent_versions"
CREATE UNIQUE INDEX "agentversion_agent_id_number" ON "agent_versions" ("agent_id", "number");
-- Create "connections" table
CREATE TABLE "connections" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "name" character varying NOT NULL, "description" character varying NOT NULL DEFAULT '', "icon" character varying NOT NULL DEFAULT '', "kind" character varying NOT NULL, "status" character varying NOT NULL DEFAULT 'ACTIVE', "url" character varying NOT NULL DEFAULT '', "command" jsonb NULL, "document" text NOT NULL DEFAULT '', "document_url" character varying NOT NULL DEFAULT '', "auth" character varying NOT NULL DEFAULT 'NONE', "credential" character varying NOT NULL DEFAULT 'SHARED', "auth_name" character varying NOT NULL DEFAULT '', "oauth" jsonb NULL, "client_secret" bytea NULL, "client_secret_hint" character varying NOT NULL DEFAULT '', "discovered_at" timestamptz NULL, "discovery_error" character varying NOT NULL DEFAULT '', "checked_at" timestamptz NULL, "health_error" character varying NOT NULL DEFAULT '', "latency_ms" bigint NOT NULL DEFAULT 0, "listing_id" character varying NOT NULL DEFAULT '', "listing_version" bigint NOT NULL DEFAULT 0, "created_by" character varying NOT NULL DEFAULT '', "scope_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_connections_scope_id" FOREIGN KEY ("account_id", "plane", "scope_id") REFERENCES "scopes" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "connection_account_id_plane_id" to table: "connections"
CREATE UNIQUE INDEX "connection_account_id_plane_id" ON "connections" ("account_id", "plane", "id");
-- Create index "connection_account_id_plane_name" to table: "connections"
CREATE UNIQUE INDEX "connection_account_id_plane_name" ON "connections" ("account_id", "plane", "name");
-- Create index "connection_checked_at" to table: "connections"
CREATE INDEX "connection_checked_at" ON "connections" ("checked_at");
-- Create index "connection_listing_id" to table: "connections"
CREATE INDEX "connection_listing_id" ON "connections" ("listing_id");
-- Create index "connection_scope_id" to table: "connections"
CREATE INDEX "connection_scope_id" ON "connections" ("scope_id");
-- Create "connection_credentials" table
CREATE TABLE "connection_credentials" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "user_id" character varying NOT NULL DEFAULT '', "secret" bytea NOT NULL, "secret_hint" character varying NOT NULL DEFAULT '', "expires_at" timestamptz NULL, "status" character varying NOT NULL DEFAULT 'ACTIVE', "error" character varying NOT NULL DEFAULT '', "scopes" character varying NOT NULL DEFAULT '', "refreshed_at" timestamptz NULL, "refreshing_until" timestamptz NULL, "used_at" timestamptz NULL, "connection_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_connection_credentials_connection_id" FOREIGN KEY ("account_id", "plane", "connection_id") REFERENCES "connections" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "connectioncredential_account_id_plane_id" to table: "connection_credentials"
CREATE UNIQUE INDEX "connectioncredential_account_id_plane_id" ON "connection_credentials" ("account_id", "plane", "id");
-- Create index "connectioncredential_connection_id_user_id" to table: "connection_credentials"
CREATE UNIQUE INDEX "connectioncredential_connection_id_user_id" ON "connection_credentials" ("connection_id", "user_id");
-- Create index "connectioncredential_user_id" to table: "connection_credentials"
CREATE INDEX "connectioncredential_user_id" ON "connection_credentials" ("user_id");
-- Create "feature_flags" table
CREATE TABLE "feature_flags" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "feature" character varying NOT NULL, "setting" character varying NOT NULL, "set_by" character varying NOT NULL DEFAULT '', "scope_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_feature_flags_scope_id" FOREIGN KEY ("account_id", "plane", "scope_id") REFERENCES "scopes" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "featureflag_account_id_plane_id" to table: "feature_flags"
CREATE UNIQUE INDEX "featureflag_account_id_plane_id" ON "feature_flags" ("account_id", "plane", "id");
-- Create index "featureflag_scope_id_feature" to table: "feature_flags"
CREATE UNIQUE INDEX "featureflag_scope_id_feature" ON "feature_flags" ("scope_id", "feature");
-- Create "tools" table
CREATE TABLE "tools" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "name" character varying NOT NULL, "state" character varying NOT NULL DEFAULT 'PENDING', "enabled" boolean NOT NULL DEFAULT true, "definition" jsonb NOT NULL, "digest" character varying NOT NULL, "proposed" jsonb NULL, "proposed_digest" character varying NOT NULL DEFAULT '', "approved_by" character varying NOT NULL DEFAULT '', "approved_at" timestamptz NULL, "price" bigint NOT NULL DEFAULT 0, "connection_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_tools_connection_id" FOREIGN KEY ("account_id", "plane", "connection_id") REFERENCES "connections" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "tool_account_id_plane_id" to table: "tools"
CREATE UNIQUE INDEX "tool_account_id_plane_id" ON "tools" ("account_id", "plane", "id");
-- Create index "tool_connection_id_name" to table: "tools"
CREATE UNIQUE INDEX "tool_connection_id_name" ON "tools" ("connection_id", "name");
-- Modify "grants" table
ALTER TABLE "grants" ADD COLUMN "agent_id" character varying NULL, ADD COLUMN "connection_id" character varying NULL, ADD COLUMN "tool_id" character varying NULL, ADD CONSTRAINT "tenant_grants_agent_id" FOREIGN KEY ("account_id", "plane", "agent_id") REFERENCES "agents" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD CONSTRAINT "tenant_grants_connection_id" FOREIGN KEY ("account_id", "plane", "connection_id") REFERENCES "connections" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD CONSTRAINT "tenant_grants_tool_id" FOREIGN KEY ("account_id", "plane", "tool_id") REFERENCES "tools" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- Create index "grant_agent_id" to table: "grants"
CREATE INDEX "grant_agent_id" ON "grants" ("agent_id");
-- Create index "grant_connection_id" to table: "grants"
CREATE INDEX "grant_connection_id" ON "grants" ("connection_id");
-- Create index "grant_scope_id_agent_id" to table: "grants"
CREATE UNIQUE INDEX "grant_scope_id_agent_id" ON "grants" ("scope_id", "agent_id");
-- Create index "grant_scope_id_connection_id" to table: "grants"
CREATE UNIQUE INDEX "grant_scope_id_connection_id" ON "grants" ("scope_id", "connection_id");
-- Create index "grant_scope_id_tool_id" to table: "grants"
CREATE UNIQUE INDEX "grant_scope_id_tool_id" ON "grants" ("scope_id", "tool_id");
-- Create index "grant_tool_id" to table: "grants"
CREATE INDEX "grant_tool_id" ON "grants" ("tool_id");
-- Create "guardrail_presets" table
CREATE TABLE "guardrail_presets" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "name" character varying NOT NULL, "description" character varying NOT NULL DEFAULT '', "status" character varying NOT NULL DEFAULT 'ACTIVE', "rules" jsonb NOT NULL, "moderation_url" character varying NOT NULL DEFAULT '', "moderation_secret" bytea NULL, "moderation_secret_hint" character varying NOT NULL DEFAULT '', "created_by" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- Create index "guardrailpreset_account_id_plane_id" to table: "guardrail_presets"
CREATE UNIQUE INDEX "guardrailpreset_account_id_plane_id" ON "guardrail_presets" ("account_id", "plane", "id");
-- Create index "guardrailpreset_account_id_plane_name" to table: "guardrail_presets"
CREATE UNIQUE INDEX "guardrailpreset_account_id_plane_name" ON "guardrail_presets" ("account_id", "plane", "name");
-- Create "guardrail_assignments" table
CREATE TABLE "guardrail_assignments" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "assigned_by" character varying NOT NULL DEFAULT '', "scope_id" character varying NOT NULL, "preset_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_guardrail_assignments_preset_id" FOREIGN KEY ("account_id", "plane", "preset_id") REFERENCES "guardrail_presets" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "tenant_guardrail_assignments_scope_id" FOREIGN KEY ("account_id", "plane", "scope_id") REFERENCES "scopes" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "guardrailassignment_account_id_plane_id" to table: "guardrail_assignments"
CREATE UNIQUE INDEX "guardrailassignment_account_id_plane_id" ON "guardrail_assignments" ("account_id", "plane", "id");
-- Create index "guardrailassignment_preset_id" to table: "guardrail_assignments"
CREATE INDEX "guardrailassignment_preset_id" ON "guardrail_assignments" ("preset_id");
-- Create index "guardrailassignment_scope_id_preset_id" to table: "guardrail_assignments"
CREATE UNIQUE INDEX "guardrailassignment_scope_id_preset_id" ON "guardrail_assignments" ("scope_id", "preset_id");
-- Modify "catalog_models" table
ALTER TABLE "catalog_models" ADD COLUMN "inputs" jsonb NULL, ADD COLUMN "outputs" jsonb NULL, ADD COLUMN "region" character varying NOT NULL DEFAULT '', ADD COLUMN "deprecated_at" timestamptz NULL, ADD COLUMN "successor_id" character varying NULL, ADD CONSTRAINT "tenant_catalog_models_successor_id" FOREIGN KEY ("account_id", "plane", "successor_id") REFERENCES "catalog_models" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- Create "listings" table
CREATE TABLE "listings" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "kind" character varying NOT NULL, "name" character varying NOT NULL, "summary" character varying NOT NULL DEFAULT '', "description" character varying NOT NULL DEFAULT '', "icon" character varying NOT NULL DEFAULT '', "categories" jsonb NULL, "tags" jsonb NULL, "screenshots" jsonb NULL, "capabilities" jsonb NULL, "requirements" jsonb NULL, "status" character varying NOT NULL DEFAULT 'DRAFT', "review_note" character varying NOT NULL DEFAULT '', "eligibility" character varying NOT NULL DEFAULT 'ALL', "featured" boolean NOT NULL DEFAULT false, "verified" boolean NOT NULL DEFAULT false, "published_version" bigint NOT NULL DEFAULT 0, "source_id" character varying NOT NULL DEFAULT '', "rating_sum" bigint NOT NULL DEFAULT 0, "rating_count" bigint NOT NULL DEFAULT 0, "install_count" bigint NOT NULL DEFAULT 0, "created_by" character varying NOT NULL DEFAULT '', "publisher" character varying NOT NULL DEFAULT '', "catalog_model_id" character varying NULL, "scope_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_listings_catalog_model_id" FOREIGN KEY ("account_id", "plane", "catalog_model_id") REFERENCES "catalog_models" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "tenant_listings_scope_id" FOREIGN KEY ("account_id", "plane", "scope_id") REFERENCES "scopes" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "tenant_listings_what" CHECK ((plane = 'PLATFORM' AND source_id = '' AND (kind = 'MODEL') = (catalog_model_id IS NOT NULL)) OR (plane = 'COPILOT' AND catalog_model_id IS NULL AND kind <> 'MODEL')));
-- Create index "listing_account_id_plane_id" to table: "listings"
CREATE UNIQUE INDEX "listing_account_id_plane_id" ON "listings" ("account_id", "plane", "id");
-- Create index "listing_account_id_plane_status_kind_name" to table: "listings"
CREATE INDEX "listing_account_id_plane_status_kind_name" ON "listings" ("account_id", "plane", "status", "kind", "name");
-- Create index "listing_catalog_model_id" to table: "listings"
CREATE UNIQUE INDEX "listing_catalog_model_id" ON "listings" ("catalog_model_id");
-- Create index "listing_scope_id" to table: "listings"
CREATE INDEX "listing_scope_id" ON "listings" ("scope_id");
-- Create "listing_accounts" table
CREATE TABLE "listing_accounts" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "offered_to" character varying NOT NULL, "listing_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_listing_accounts_listing_id" FOREIGN KEY ("account_id", "plane", "listing_id") REFERENCES "listings" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "listingaccount_account_id_plane_id" to table: "listing_accounts"
CREATE UNIQUE INDEX "listingaccount_account_id_plane_id" ON "listing_accounts" ("account_id", "plane", "id");
-- Create index "listingaccount_listing_id_offered_to" to table: "listing_accounts"
CREATE UNIQUE INDEX "listingaccount_listing_id_offered_to" ON "listing_accounts" ("listing_id", "offered_to");
-- Create index "listingaccount_offered_to" to table: "listing_accounts"
CREATE INDEX "listingaccount_offered_to" ON "listing_accounts" ("offered_to");
-- Create "listing_versions" table
CREATE TABLE "listing_versions" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "number" bigint NOT NULL, "payload" jsonb NOT NULL, "changelog" character varying NOT NULL DEFAULT '', "status" character varying NOT NULL DEFAULT 'IN_REVIEW', "created_by" character varying NOT NULL DEFAULT '', "reviewed_by" character varying NOT NULL DEFAULT '', "reviewed_at" timestamptz NULL, "listing_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_listing_versions_listing_id" FOREIGN KEY ("account_id", "plane", "listing_id") REFERENCES "listings" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "listingversion_account_id_plane_id" to table: "listing_versions"
CREATE UNIQUE INDEX "listingversion_account_id_plane_id" ON "listing_versions" ("account_id", "plane", "id");
-- Create index "listingversion_listing_id_number" to table: "listing_versions"
CREATE UNIQUE INDEX "listingversion_listing_id_number" ON "listing_versions" ("listing_id", "number");
-- Create "ratings" table
CREATE TABLE "ratings" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "listing_id" character varying NOT NULL, "stars" bigint NOT NULL, "text" character varying NOT NULL DEFAULT '', "user_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_ratings_user_id" FOREIGN KEY ("account_id", "user_id") REFERENCES "users" ("account_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "rating_account_id_plane_id" to table: "ratings"
CREATE UNIQUE INDEX "rating_account_id_plane_id" ON "ratings" ("account_id", "plane", "id");
-- Create index "rating_listing_id_user_id" to table: "ratings"
CREATE UNIQUE INDEX "rating_listing_id_user_id" ON "ratings" ("listing_id", "user_id");
-- Create index "rating_user_id" to table: "ratings"
CREATE INDEX "rating_user_id" ON "ratings" ("user_id");
