-- Create "audit_checkpoints" table
CREATE TABLE "audit_checkpoints" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "seq" bigint NOT NULL, "hash" character varying NOT NULL, "at" timestamptz NOT NULL, "signature" character varying NOT NULL, "signing_key_id" character varying NOT NULL, PRIMARY KEY ("id"));
-- Create index "auditcheckpoint_account_id_plane_id" to table: "audit_checkpoints"
CREATE UNIQUE INDEX "auditcheckpoint_account_id_plane_id" ON "audit_checkpoints" ("account_id", "plane", "id");
-- Create index "auditcheckpoint_account_id_seq" to table: "audit_checkpoints"
CREATE UNIQUE INDEX "auditcheckpoint_account_id_seq" ON "audit_checkpoints" ("account_id", "seq");
-- Modify "logins" table
ALTER TABLE "logins" ADD COLUMN "reset_hash" character varying NULL, ADD COLUMN "reset_expires_at" timestamptz NULL;
-- Create index "logins_reset_hash_key" to table: "logins"
CREATE UNIQUE INDEX "logins_reset_hash_key" ON "logins" ("reset_hash");
-- Modify "role_bindings" table
ALTER TABLE "role_bindings" ADD COLUMN "source" character varying NOT NULL DEFAULT '';
-- Create index "rolebinding_scope_id" to table: "role_bindings"
CREATE INDEX "rolebinding_scope_id" ON "role_bindings" ("scope_id");
-- Modify "accounts" table
ALTER TABLE "accounts" ADD COLUMN "status_reason" character varying NOT NULL DEFAULT '', ADD COLUMN "closed_at" timestamptz NULL, ADD COLUMN "deleted_at" timestamptz NULL, ADD COLUMN "sso_enforced" boolean NOT NULL DEFAULT false, ADD COLUMN "session_idle_minutes" bigint NOT NULL DEFAULT 720, ADD COLUMN "session_lifetime_minutes" bigint NOT NULL DEFAULT 10080, ADD COLUMN "audit_retention_days" bigint NOT NULL DEFAULT 0;
-- Create "service_clients" table
CREATE TABLE "service_clients" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "name" character varying NOT NULL, "description" character varying NOT NULL DEFAULT '', "status" character varying NOT NULL DEFAULT 'ACTIVE', "public" boolean NOT NULL DEFAULT false, "console" boolean NOT NULL DEFAULT false, "copilot" boolean NOT NULL DEFAULT false, "permissions" jsonb NOT NULL, "redirect_uris" jsonb NOT NULL, "client_credentials" boolean NOT NULL DEFAULT false, "token_exchange" boolean NOT NULL DEFAULT false, "trusted_subjects" boolean NOT NULL DEFAULT false, "secret_hash" character varying NOT NULL DEFAULT '', "secret_hint" character varying NOT NULL DEFAULT '', "secret_at" timestamptz NULL, "previous_secret_hash" character varying NOT NULL DEFAULT '', "previous_secret_hint" character varying NOT NULL DEFAULT '', "previous_secret_expires_at" timestamptz NULL, "created_by" character varying NOT NULL DEFAULT '', "last_used_at" timestamptz NULL, PRIMARY KEY ("id"));
-- Create index "serviceclient_account_id_name" to table: "service_clients"
CREATE UNIQUE INDEX "serviceclient_account_id_name" ON "service_clients" ("account_id", "name");
-- Create index "serviceclient_account_id_plane_id" to table: "service_clients"
CREATE UNIQUE INDEX "serviceclient_account_id_plane_id" ON "service_clients" ("account_id", "plane", "id");
-- Modify "users" table
ALTER TABLE "users" ADD COLUMN "last_sign_in_at" timestamptz NULL;
-- Modify "audit_events" table
ALTER TABLE "audit_events" ADD COLUMN "via_kind" character varying NOT NULL DEFAULT 'NONE', ADD COLUMN "via_id" character varying NOT NULL DEFAULT '', ADD COLUMN "via_name" character varying NOT NULL DEFAULT '';
-- Create index "auditevent_account_id_actor_id_seq" to table: "audit_events"
CREATE INDEX "auditevent_account_id_actor_id_seq" ON "audit_events" ("account_id", "actor_id", "seq");
-- Create index "auditevent_account_id_at" to table: "audit_events"
CREATE INDEX "auditevent_account_id_at" ON "audit_events" ("account_id", "at");
-- Create "domains" table
CREATE TABLE "domains" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "name" character varying NOT NULL, "verified_name" character varying NULL, "token" character varying NOT NULL, "verified_at" timestamptz NULL, "verified_by" character varying NOT NULL DEFAULT 'NOBODY', "checked_at" timestamptz NULL, "check_error" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- Create index "domain_account_id_name" to table: "domains"
CREATE UNIQUE INDEX "domain_account_id_name" ON "domains" ("account_id", "name");
-- Create index "domain_account_id_plane_id" to table: "domains"
CREATE UNIQUE INDEX "domain_account_id_plane_id" ON "domains" ("account_id", "plane", "id");
-- Create index "domains_verified_name_key" to table: "domains"
CREATE UNIQUE INDEX "domains_verified_name_key" ON "domains" ("verified_name");
-- Modify "members" table
ALTER TABLE "members" ADD COLUMN "source" character varying NOT NULL DEFAULT '';
-- Create "authorizations" table
CREATE TABLE "authorizations" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "client_id" character varying NOT NULL, "client_name" character varying NOT NULL, "permissions" jsonb NOT NULL, "redirect_uri" character varying NOT NULL, "challenge" character varying NOT NULL, "nonce" character varying NOT NULL DEFAULT '', "code_hash" character varying NOT NULL, "code_expires_at" timestamptz NOT NULL, "code_used_at" timestamptz NULL, "refresh_hash" character varying NULL, "expires_at" timestamptz NOT NULL, "last_used_at" timestamptz NULL, "revoked_at" timestamptz NULL, "user_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_authorizations_user_id" FOREIGN KEY ("account_id", "plane", "user_id") REFERENCES "users" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "authorization_account_id_plane_id" to table: "authorizations"
CREATE UNIQUE INDEX "authorization_account_id_plane_id" ON "authorizations" ("account_id", "plane", "id");
-- Create index "authorization_client_id" to table: "authorizations"
CREATE INDEX "authorization_client_id" ON "authorizations" ("client_id");
-- Create index "authorization_user_id" to table: "authorizations"
CREATE INDEX "authorization_user_id" ON "authorizations" ("user_id");
-- Create index "authorizations_code_hash_key" to table: "authorizations"
CREATE UNIQUE INDEX "authorizations_code_hash_key" ON "authorizations" ("code_hash");
-- Create index "authorizations_refresh_hash_key" to table: "authorizations"
CREATE UNIQUE INDEX "authorizations_refresh_hash_key" ON "authorizations" ("refresh_hash");
-- Create "identity_providers" table
CREATE TABLE "identity_providers" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "name" character varying NOT NULL, "issuer" character varying NOT NULL, "client_id" character varying NOT NULL, "secret" bytea NULL, "secret_hint" character varying NOT NULL DEFAULT '', "scopes" jsonb NOT NULL, "email_claim" character varying NOT NULL DEFAULT 'email', "name_claim" character varying NOT NULL DEFAULT 'name', "groups_claim" character varying NOT NULL DEFAULT 'groups', "status" character varying NOT NULL DEFAULT 'DRAFT', "just_in_time" boolean NOT NULL DEFAULT true, "tested_at" timestamptz NULL, "test_error" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- Create index "identityprovider_account_id_name" to table: "identity_providers"
CREATE UNIQUE INDEX "identityprovider_account_id_name" ON "identity_providers" ("account_id", "name");
-- Create index "identityprovider_account_id_plane_id" to table: "identity_providers"
CREATE UNIQUE INDEX "identityprovider_account_id_plane_id" ON "identity_providers" ("account_id", "plane", "id");
-- Create index "tenant_identity_providers_account_id_id" to table: "identity_providers"
CREATE UNIQUE INDEX "tenant_identity_providers_account_id_id" ON "identity_providers" ("account_id", "id");
-- Create "external_identities" table
CREATE TABLE "external_identities" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "issuer" character varying NOT NULL, "subject" character varying NOT NULL, "email" character varying NOT NULL DEFAULT '', "last_sign_in_at" timestamptz NULL, "identity_provider_id" character varying NOT NULL, "user_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_external_identities_identity_provider_id" FOREIGN KEY ("account_id", "plane", "identity_provider_id") REFERENCES "identity_providers" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "tenant_external_identities_user_id" FOREIGN KEY ("account_id", "plane", "user_id") REFERENCES "users" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "externalidentity_account_id_issuer_subject" to table: "external_identities"
CREATE UNIQUE INDEX "externalidentity_account_id_issuer_subject" ON "external_identities" ("account_id", "issuer", "subject");
-- Create index "externalidentity_account_id_plane_id" to table: "external_identities"
CREATE UNIQUE INDEX "externalidentity_account_id_plane_id" ON "external_identities" ("account_id", "plane", "id");
-- Create index "externalidentity_identity_provider_id" to table: "external_identities"
CREATE INDEX "externalidentity_identity_provider_id" ON "external_identities" ("identity_provider_id");
-- Create index "externalidentity_user_id" to table: "external_identities"
CREATE INDEX "externalidentity_user_id" ON "external_identities" ("user_id");
-- Modify "scopes" table
ALTER TABLE "scopes" ADD COLUMN "deleted_at" timestamptz NULL;
-- Create "grants" table
CREATE TABLE "grants" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "effect" character varying NOT NULL, "expires_at" timestamptz NULL, "note" character varying NOT NULL DEFAULT '', "authority" character varying NOT NULL, "granted_by" character varying NOT NULL DEFAULT '', "granted_by_name" character varying NOT NULL DEFAULT '', "scope_id" character varying NOT NULL, "model_id" character varying NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_grants_model_id" FOREIGN KEY ("account_id", "plane", "model_id") REFERENCES "models" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "tenant_grants_scope_id" FOREIGN KEY ("account_id", "plane", "scope_id") REFERENCES "scopes" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "tenant_grants_resource" CHECK (model_id IS NOT NULL));
-- Create index "grant_account_id_plane_id" to table: "grants"
CREATE UNIQUE INDEX "grant_account_id_plane_id" ON "grants" ("account_id", "plane", "id");
-- Create index "grant_model_id" to table: "grants"
CREATE INDEX "grant_model_id" ON "grants" ("model_id");
-- Create index "grant_scope_id_model_id" to table: "grants"
CREATE UNIQUE INDEX "grant_scope_id_model_id" ON "grants" ("scope_id", "model_id");
-- Create "group_mappings" table
CREATE TABLE "group_mappings" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "group_name" character varying NOT NULL DEFAULT '', "role" character varying NOT NULL, "scope_id" character varying NOT NULL, "identity_provider_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_group_mappings_identity_provider_id" FOREIGN KEY ("account_id", "identity_provider_id") REFERENCES "identity_providers" ("account_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "tenant_group_mappings_scope_id" FOREIGN KEY ("account_id", "plane", "scope_id") REFERENCES "scopes" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "groupmapping_account_id_plane_id" to table: "group_mappings"
CREATE UNIQUE INDEX "groupmapping_account_id_plane_id" ON "group_mappings" ("account_id", "plane", "id");
-- Create index "groupmapping_identity_provider_id_group_name_scope_id_role" to table: "group_mappings"
CREATE UNIQUE INDEX "groupmapping_identity_provider_id_group_name_scope_id_role" ON "group_mappings" ("identity_provider_id", "group_name", "scope_id", "role");
-- Create index "groupmapping_scope_id" to table: "group_mappings"
CREATE INDEX "groupmapping_scope_id" ON "group_mappings" ("scope_id");
-- Create "invitations" table
CREATE TABLE "invitations" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "email" character varying NOT NULL, "name" character varying NOT NULL DEFAULT '', "role" character varying NOT NULL, "token_hash" character varying NOT NULL, "invited_by" character varying NOT NULL DEFAULT '', "invited_by_name" character varying NOT NULL DEFAULT '', "expires_at" timestamptz NOT NULL, "accepted_at" timestamptz NULL, "revoked_at" timestamptz NULL, "mail" character varying NOT NULL DEFAULT 'NONE', "mail_error" character varying NOT NULL DEFAULT '', "scope_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_invitations_scope_id" FOREIGN KEY ("account_id", "plane", "scope_id") REFERENCES "scopes" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "invitation_account_id_email" to table: "invitations"
CREATE INDEX "invitation_account_id_email" ON "invitations" ("account_id", "email");
-- Create index "invitation_account_id_plane_id" to table: "invitations"
CREATE UNIQUE INDEX "invitation_account_id_plane_id" ON "invitations" ("account_id", "plane", "id");
-- Create index "invitation_scope_id" to table: "invitations"
CREATE INDEX "invitation_scope_id" ON "invitations" ("scope_id");
-- Create index "invitations_token_hash_key" to table: "invitations"
CREATE UNIQUE INDEX "invitations_token_hash_key" ON "invitations" ("token_hash");
-- Create "personal_tokens" table
CREATE TABLE "personal_tokens" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "name" character varying NOT NULL, "token_hash" character varying NOT NULL, "prefix" character varying NOT NULL, "permissions" jsonb NOT NULL, "expires_at" timestamptz NOT NULL, "last_used_at" timestamptz NULL, "revoked_at" timestamptz NULL, "user_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_personal_tokens_user_id" FOREIGN KEY ("account_id", "plane", "user_id") REFERENCES "users" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "personal_tokens_token_hash_key" to table: "personal_tokens"
CREATE UNIQUE INDEX "personal_tokens_token_hash_key" ON "personal_tokens" ("token_hash");
-- Create index "personaltoken_account_id_plane_id" to table: "personal_tokens"
CREATE UNIQUE INDEX "personaltoken_account_id_plane_id" ON "personal_tokens" ("account_id", "plane", "id");
-- Create index "personaltoken_user_id" to table: "personal_tokens"
CREATE INDEX "personaltoken_user_id" ON "personal_tokens" ("user_id");
-- Create "support_accesses" table
CREATE TABLE "support_accesses" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "staff_id" character varying NOT NULL, "staff_name" character varying NOT NULL, "staff_email" character varying NOT NULL, "reason" character varying NOT NULL, "writes" boolean NOT NULL DEFAULT false, "expires_at" timestamptz NOT NULL, "ended_at" timestamptz NULL, "ended_by_name" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- Create index "supportaccess_account_id_created_at" to table: "support_accesses"
CREATE INDEX "supportaccess_account_id_created_at" ON "support_accesses" ("account_id", "created_at");
-- Create index "supportaccess_account_id_plane_id" to table: "support_accesses"
CREATE UNIQUE INDEX "supportaccess_account_id_plane_id" ON "support_accesses" ("account_id", "plane", "id");
-- Create index "supportaccess_staff_id" to table: "support_accesses"
CREATE INDEX "supportaccess_staff_id" ON "support_accesses" ("staff_id");
-- Modify "sessions" table
ALTER TABLE "sessions" ADD CONSTRAINT "tenant_sessions_whose" CHECK ((user_id IS NULL) <> (support_access_id IS NULL)), ALTER COLUMN "user_id" DROP NOT NULL, ADD COLUMN "kind" character varying NOT NULL DEFAULT 'PASSWORD', ADD COLUMN "identity_provider_id" character varying NOT NULL DEFAULT '', ADD COLUMN "support_access_id" character varying NULL, ADD CONSTRAINT "tenant_sessions_support_access_id" FOREIGN KEY ("account_id", "plane", "support_access_id") REFERENCES "support_accesses" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- Create index "session_support_access_id" to table: "sessions"
CREATE INDEX "session_support_access_id" ON "sessions" ("support_access_id");
