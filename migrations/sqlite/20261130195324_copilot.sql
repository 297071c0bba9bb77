-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_catalog_models" table
CREATE TABLE `new_catalog_models` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `upstream_name` text NOT NULL, `description` text NOT NULL DEFAULT (''), `capability` text NOT NULL DEFAULT ('BALANCED'), `context_length` integer NOT NULL, `max_output_tokens` integer NOT NULL, `status` text NOT NULL DEFAULT ('DRAFT'), `inputs` json NULL, `outputs` json NULL, `region` text NOT NULL DEFAULT (''), `deprecated_at` datetime NULL, `successor_id` text NULL, `central_provider_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_catalog_models_successor_id` FOREIGN KEY (`account_id`, `plane`, `successor_id`) REFERENCES `catalog_models` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_catalog_models_central_provider_id` FOREIGN KEY (`account_id`, `plane`, `central_provider_id`) REFERENCES `central_providers` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Copy rows from old table "catalog_models" to new temporary table "new_catalog_models"
INSERT INTO `new_catalog_models` (`id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `name`, `upstream_name`, `description`, `capability`, `context_length`, `max_output_tokens`, `status`, `central_provider_id`) SELECT `id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `name`, `upstream_name`, `description`, `capability`, `context_length`, `max_output_tokens`, `status`, `central_provider_id` FROM `catalog_models`;
-- Drop "catalog_models" table after copying rows
DROP TABLE `catalog_models`;
-- Rename temporary table "new_catalog_models" to "catalog_models"
ALTER TABLE `new_catalog_models` RENAME TO `catalog_models`;
-- Create index "catalog_models_name_key" to table: "catalog_models"
CREATE UNIQUE INDEX `catalog_models_name_key` ON `catalog_models` (`name`);
-- Create index "catalogmodel_account_id_plane_id" to table: "catalog_models"
CREATE UNIQUE INDEX `catalogmodel_account_id_plane_id` ON `catalog_models` (`account_id`, `plane`, `id`);
-- Create "new_scopes" table
CREATE TABLE `new_scopes` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `kind` text NOT NULL, `name` text NOT NULL, `parent_plane` text NULL, `path` text NOT NULL, `archived_at` datetime NULL, `deleted_at` datetime NULL, `parent_id` text NULL, `default_model_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_scopes_parent_id` FOREIGN KEY (`account_id`, `parent_plane`, `parent_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_scopes_default_model_id` FOREIGN KEY (`account_id`, `plane`, `default_model_id`) REFERENCES `models` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_scopes_parent` CHECK ((parent_id IS NULL AND parent_plane IS NULL AND kind IN ('PLATFORM','ACCOUNT')) OR (parent_id IS NOT NULL AND parent_plane = plane AND kind NOT IN ('PLATFORM','ACCOUNT','CONSOLE','COPILOT')) OR (parent_id IS NOT NULL AND parent_plane = 'ACCOUNT' AND kind IN ('CONSOLE','COPILOT') AND kind = plane)));
-- Copy rows from old table "scopes" to new temporary table "new_scopes"
INSERT INTO `new_scopes` (`id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `kind`, `name`, `parent_plane`, `path`, `archived_at`, `deleted_at`, `parent_id`) SELECT `id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `kind`, `name`, `parent_plane`, `path`, `archived_at`, `deleted_at`, `parent_id` FROM `scopes`;
-- Drop "scopes" table after copying rows
DROP TABLE `scopes`;
-- Rename temporary table "new_scopes" to "scopes"
ALTER TABLE `new_scopes` RENAME TO `scopes`;
-- Create index "scope_account_id_plane_id" to table: "scopes"
CREATE UNIQUE INDEX `scope_account_id_plane_id` ON `scopes` (`account_id`, `plane`, `id`);
-- Create index "scope_path" to table: "scopes"
CREATE UNIQUE INDEX `scope_path` ON `scopes` (`path`);
-- Create index "scope_account_id_plane_kind_name" to table: "scopes"
CREATE INDEX `scope_account_id_plane_kind_name` ON `scopes` (`account_id`, `plane`, `kind`, `name`);
-- Create index "scope_parent_id" to table: "scopes"
CREATE INDEX `scope_parent_id` ON `scopes` (`parent_id`);
-- Create "new_grants" table
CREATE TABLE `new_grants` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `effect` text NOT NULL, `expires_at` datetime NULL, `note` text NOT NULL DEFAULT (''), `authority` text NOT NULL, `granted_by` text NOT NULL DEFAULT (''), `granted_by_name` text NOT NULL DEFAULT (''), `scope_id` text NOT NULL, `model_id` text NULL, `agent_id` text NULL, `connection_id` text NULL, `tool_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_grants_scope_id` FOREIGN KEY (`account_id`, `plane`, `scope_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_grants_model_id` FOREIGN KEY (`account_id`, `plane`, `model_id`) REFERENCES `models` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_grants_agent_id` FOREIGN KEY (`account_id`, `plane`, `agent_id`) REFERENCES `agents` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_grants_connection_id` FOREIGN KEY (`account_id`, `plane`, `connection_id`) REFERENCES `connections` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_grants_tool_id` FOREIGN KEY (`account_id`, `plane`, `tool_id`) REFERENCES `tools` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_grants_resource` CHECK ((CASE WHEN model_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN agent_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN connection_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN tool_id IS NULL THEN 0 ELSE 1 END) = 1));
-- Copy rows from old table "grants" to new temporary table "new_grants"
INSERT INTO `new_grants` (`id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `effect`, `expires_at`, `note`, `authority`, `granted_by`, `granted_by_name`, `scope_id`, `model_id`) SELECT `id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `effect`, `expires_at`, `note`, `authority`, `granted_by`, `granted_by_name`, `scope_id`, `model_id` FROM `grants`;
-- Drop "grants" table after copying rows
DROP TABLE `grants`;
-- Rename temporary table "new_grants" to "grants"
ALTER TABLE `new_grants` RENAME TO `grants`;
-- Create index "grant_account_id_plane_id" to table: "grants"
CREATE UNIQUE INDEX `grant_account_id_plane_id` ON `grants` (`account_id`, `plane`, `id`);
-- Create index "grant_scope_id_model_id" to table: "grants"
CREATE UNIQUE INDEX `grant_scope_id_model_id` ON `grants` (`scope_id`, `model_id`);
-- Create index "grant_model_id" to table: "grants"
CREATE INDEX `grant_model_id` ON `grants` (`model_id`);
-- Create index "grant_scope_id_agent_id" to table: "grants"
CREATE UNIQUE INDEX `grant_scope_id_agent_id` ON `grants` (`scope_id`, `agent_id`);
-- Create index "grant_agent_id" to table: "grants"
CREATE INDEX `grant_agent_id` ON `grants` (`agent_id`);
-- Create index "grant_scope_id_connection_id" to table: "grants"
CREATE UNIQUE INDEX `grant_scope_id_connection_id` ON `grants` (`scope_id`, `connection_id`);
-- Create index "grant_connection_id" to table: "grants"
CREATE INDEX `grant_connection_id` ON `grants` (`connection_id`);
-- Create index "grant_scope_id_tool_id" to table: "grants"
CREATE UNIQUE INDEX `grant_scope_id_tool_id` ON `grants` (`scope_id`, `tool_id`);
-- Create index "grant_tool_id" to table: "grants"
CREATE INDEX `grant_tool_id` ON `grants` (`tool_id`);
-- Create "agents" table
CREATE TABLE `agents` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `purpose` text NOT NULL DEFAULT (''), `icon` text NOT NULL DEFAULT (''), `group_name` text NOT NULL DEFAULT (''), `categories` json NULL, `tags` json NULL, `owner_user_id` text NOT NULL DEFAULT (''), `availability` text NOT NULL DEFAULT ('ACTIVE'), `draft` json NOT NULL, `published_version` integer NULL, `session_credits` integer NOT NULL DEFAULT (0), `session_turns` integer NOT NULL DEFAULT (0), `listing_id` text NOT NULL DEFAULT (''), `listing_version` integer NOT NULL DEFAULT (0), `created_by` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`), CONSTRAINT `tenant_agents_id` FOREIGN KEY (`account_id`, `plane`, `id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "agent_account_id_plane_id" to table: "agents"
CREATE UNIQUE INDEX `agent_account_id_plane_id` ON `agents` (`account_id`, `plane`, `id`);
-- Create index "agent_account_id_plane_group_name" to table: "agents"
CREATE INDEX `agent_account_id_plane_group_name` ON `agents` (`account_id`, `plane`, `group_name`);
-- Create index "agent_owner_user_id" to table: "agents"
CREATE INDEX `agent_owner_user_id` ON `agents` (`owner_user_id`);
-- Create index "agent_listing_id" to table: "agents"
CREATE INDEX `agent_listing_id` ON `agents` (`listing_id`);
-- Create "agent_versions" table
CREATE TABLE `agent_versions` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `number` integer NOT NULL, `definition` json NOT NULL, `changelog` text NOT NULL DEFAULT (''), `published_by` text NOT NULL DEFAULT (''), `published_by_name` text NOT NULL DEFAULT (''), `restores` integer NOT NULL DEFAULT (0), `retired_at` datetime NULL, `agent_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_agent_versions_agent_id` FOREIGN KEY (`account_id`, `plane`, `agent_id`) REFERENCES `agents` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "agentversion_account_id_plane_id" to table: "agent_versions"
CREATE UNIQUE INDEX `agentversion_account_id_plane_id` ON `agent_versions` (`account_id`, `plane`, `id`);
-- Create index "agentversion_agent_id_number" to table: "agent_versions"
CREATE UNIQUE INDEX `agentversion_agent_id_number` ON `agent_versions` (`agent_id`, `number`);
-- Create "connections" table
CREATE TABLE `connections` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `description` text NOT NULL DEFAULT (''), `icon` text NOT NULL DEFAULT (''), `kind` text NOT NULL, `status` text NOT NULL DEFAULT ('ACTIVE'), `url` text NOT NULL DEFAULT (''), `command` json NULL, `document` text NOT NULL DEFAULT (''), `document_url` text NOT NULL DEFAULT (''), `auth` text NOT NULL DEFAULT ('NONE'), `credential` text NOT NULL DEFAULT ('SHARED'), `auth_name` text NOT NULL DEFAULT (''), `oauth` json NULL, `client_secret` blob NULL, `client_secret_hint` text NOT NULL DEFAULT (''), `discovered_at` datetime NULL, `discovery_error` text NOT NULL DEFAULT (''), `checked_at` datetime NULL, `health_error` text NOT NULL DEFAULT (''), `latency_ms` integer NOT NULL DEFAULT (0), `listing_id` text NOT NULL DEFAULT (''), `listing_version` integer NOT NULL DEFAULT (0), `created_by` text NOT NULL DEFAULT (''), `scope_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_connections_scope_id` FOREIGN KEY (`account_id`, `plane`, `scope_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "connection_account_id_plane_id" to table: "connections"
CREATE UNIQUE INDEX `connection_account_id_plane_id` ON `connections` (`account_id`, `plane`, `id`);
-- Create index "connection_account_id_plane_name" to table: "connections"
CREATE UNIQUE INDEX `connection_account_id_plane_name` ON `connections` (`account_id`, `plane`, `name`);
-- Create index "connection_scope_id" to table: "connections"
CREATE INDEX `connection_scope_id` ON `connections` (`scope_id`);
-- Create index "connection_listing_id" to table: "connections"
CREATE INDEX `connection_listing_id` ON `connections` (`listing_id`);
-- Create index "connection_checked_at" to table: "connections"
CREATE INDEX `connection_checked_at` ON `connections` (`checked_at`);
-- Create "connection_credentials" table
CREATE TABLE `connection_credentials` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `user_id` text NOT NULL DEFAULT (''), `secret` blob NOT NULL, `secret_hint` text NOT NULL DEFAULT (''), `expires_at` datetime NULL, `status` text NOT NULL DEFAULT ('ACTIVE'), `error` text NOT NULL DEFAULT (''), `scopes` text NOT NULL DEFAULT (''), `refreshed_at` datetime NULL, `refreshing_until` datetime NULL, `used_at` datetime NULL, `connection_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_connection_credentials_connection_id` FOREIGN KEY (`account_id`, `plane`, `connection_id`) REFERENCES `connections` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "connectioncredential_account_id_plane_id" to table: "connection_credentials"
CREATE UNIQUE INDEX `connectioncredential_account_id_plane_id` ON `connection_credentials` (`account_id`, `plane`, `id`);
-- Create index "connectioncredential_connection_id_user_id" to table: "connection_credentials"
CREATE UNIQUE INDEX `connectioncredential_connection_id_user_id` ON `connection_credentials` (`connection_id`, `user_id`);
-- Create index "connectioncredential_user_id" to table: "connection_credentials"
CREATE INDEX `connectioncredential_user_id` ON `connection_credentials` (`user_id`);
-- Create "feature_flags" table
CREATE TABLE `feature_flags` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `feature` text NOT NULL, `setting` text NOT NULL, `set_by` text NOT NULL DEFAULT (''), `scope_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_feature_flags_scope_id` FOREIGN KEY (`account_id`, `plane`, `scope_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "featureflag_account_id_plane_id" to table: "feature_flags"
CREATE UNIQUE INDEX `featureflag_account_id_plane_id` ON `feature_flags` (`account_id`, `plane`, `id`);
-- Create index "featureflag_scope_id_feature" to table: "feature_flags"
CREATE UNIQUE INDEX `featureflag_scope_id_feature` ON `feature_flags` (`scope_id`, `feature`);
-- Create "guardrail_assignments" table
CREATE TABLE `guardrail_assignments` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `assigned_by` text NOT NULL DEFAULT (''), `scope_id` text NOT NULL, `preset_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_guardrail_assignments_scope_id` FOREIGN KEY (`account_id`, `plane`, `scope_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_guardrail_assignments_preset_id` FOREIGN KEY (`account_id`, `plane`, `preset_id`) REFERENCES `guardrail_presets` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "guardrailassignment_account_id_plane_id" to table: "guardrail_assignments"
CREATE UNIQUE INDEX `guardrailassignment_account_id_plane_id` ON `guardrail_assignments` (`account_id`, `plane`, `id`);
-- Create index "guardrailassignment_scope_id_preset_id" to table: "guardrail_assignments"
CREATE UNIQUE INDEX `guardrailassignment_scope_id_preset_id` ON `guardrail_assignments` (`scope_id`, `preset_id`);
-- Create index "guardrailassignment_preset_id" to table: "guardrail_assignments"
CREATE INDEX `guardrailassignment_preset_id` ON `guardrail_assignments` (`preset_id`);
-- Create "guardrail_presets" table
CREATE TABLE `guardrail_presets` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `description` text NOT NULL DEFAULT (''), `status` text NOT NULL DEFAULT ('ACTIVE'), `rules` json NOT NULL, `moderation_url` text NOT NULL DEFAULT (''), `moderation_secret` blob NULL, `moderation_secret_hint` text NOT NULL DEFAULT (''), `created_by` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- Create index "guardrailpreset_account_id_plane_id" to table: "guardrail_presets"
CREATE UNIQUE INDEX `guardrailpreset_account_id_plane_id` ON `guardrail_presets` (`account_id`, `plane`, `id`);
-- Create index "guardrailpreset_account_id_plane_name" to table: "guardrail_presets"
CREATE UNIQUE INDEX `guardrailpreset_account_id_plane_name` ON `guardrail_presets` (`account_id`, `plane`, `name`);
-- Create "listings" table
CREATE TABLE `listings` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `kind` text NOT NULL, `name` text NOT NULL, `summary` text NOT NULL DEFAULT (''), `description` text NOT NULL DEFAULT (''), `icon` text NOT NULL DEFAULT (''), `categories` json NULL, `tags` json NULL, `screenshots` json NULL, `capabilities` json NULL, `requirements` json NULL, `status` text NOT NULL DEFAULT ('DRAFT'), `review_note` text NOT NULL DEFAULT (''), `eligibility` text NOT NULL DEFAULT ('ALL'), `featured` bool NOT NULL DEFAULT (false), `verified` bool NOT NULL DEFAULT (false), `published_version` integer NOT NULL DEFAULT (0), `source_id` text NOT NULL DEFAULT (''), `rating_sum` integer NOT NULL DEFAULT (0), `rating_count` integer NOT NULL DEFAULT (0), `install_count` integer NOT NULL DEFAULT (0), `created_by` text NOT NULL DEFAULT (''), `publisher` text NOT NULL DEFAULT (''), `catalog_model_id` text NULL, `scope_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_listings_catalog_model_id` FOREIGN KEY (`account_id`, `plane`, `catalog_model_id`) REFERENCES `catalog_models` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_listings_scope_id` FOREIGN KEY (`account_id`, `plane`, `scope_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_listings_what` CHECK ((plane = 'PLATFORM' AND source_id = '' AND (kind = 'MODEL') = (catalog_model_id IS NOT NULL)) OR (plane = 'COPILOT' AND catalog_model_id IS NULL AND kind <> 'MODEL')));
-- Create index "listing_account_id_plane_id" to table: "listings"
CREATE UNIQUE INDEX `listing_account_id_plane_id` ON `listings` (`account_id`, `plane`, `id`);
-- Create index "listing_account_id_plane_status_kind_name" to table: "listings"
CREATE INDEX `listing_account_id_plane_status_kind_name` ON `listings` (`account_id`, `plane`, `status`, `kind`, `name`);
-- Create index "listing_catalog_model_id" to table: "listings"
CREATE UNIQUE INDEX `listing_catalog_model_id` ON `listings` (`catalog_model_id`);
-- Create index "listing_scope_id" to table: "listings"
CREATE INDEX `listing_scope_id` ON `listings` (`scope_id`);
-- Create "listing_accounts" table
CREATE TABLE `listing_accounts` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `offered_to` text NOT NULL, `listing_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_listing_accounts_listing_id` FOREIGN KEY (`account_id`, `plane`, `listing_id`) REFERENCES `listings` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "listingaccount_account_id_plane_id" to table: "listing_accounts"
CREATE UNIQUE INDEX `listingaccount_account_id_plane_id` ON `listing_accounts` (`account_id`, `plane`, `id`);
-- Create index "listingaccount_listing_id_offered_to" to table: "listing_accounts"
CREATE UNIQUE INDEX `listingaccount_listing_id_offered_to` ON `listing_accounts` (`listing_id`, `offered_to`);
-- Create index "listingaccount_offered_to" to table: "listing_accounts"
CREATE INDEX `listingaccount_offered_to` ON `listing_accounts` (`offered_to`);
-- Create "listing_versions" table
CREATE TABLE `listing_versions` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `number` integer NOT NULL, `payload` json NOT NULL, `changelog` text NOT NULL DEFAULT (''), `status` text NOT NULL DEFAULT ('IN_REVIEW'), `created_by` text NOT NULL DEFAULT (''), `reviewed_by` text NOT NULL DEFAULT (''), `reviewed_at` datetime NULL, `listing_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_listing_versions_listing_id` FOREIGN KEY (`account_id`, `plane`, `listing_id`) REFERENCES `listings` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "listingversion_account_id_plane_id" to table: "listing_versions"
CREATE UNIQUE INDEX `listingversion_account_id_plane_id` ON `listing_versions` (`account_id`, `plane`, `id`);
-- Create index "listingversion_listing_id_number" to table: "listing_versions"
CREATE UNIQUE INDEX `listingversion_listing_id_number` ON `listing_versions` (`listing_id`, `number`);
-- Create "ratings" table
CREATE TABLE `ratings` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `listing_id` text NOT NULL, `stars` integer NOT NULL, `text` text NOT NULL DEFAULT (''), `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_ratings_user_id` FOREIGN KEY (`account_id`, `user_id`) REFERENCES `users` (`account_id`, `id`) ON DELETE NO ACTION);
-- Create index "rating_account_id_plane_id" to table: "ratings"
CREATE UNIQUE INDEX `rating_account_id_plane_id` ON `ratings` (`account_id`, `plane`, `id`);
-- Create index "rating_listing_id_user_id" to table: "ratings"
CREATE UNIQUE INDEX `rating_listing_id_user_id` ON `ratings` (`listing_id`, `user_id`);
-- Create index "rating_user_id" to table: "ratings"
CREATE INDEX `rating_user_id` ON `ratings` (`user_id`);
-- Create "tools" table
CREATE TABLE `tools` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `state` text NOT NULL DEFAULT ('PENDING'), `enabled` bool NOT NULL DEFAULT (true), `definition` json NOT NULL, `digest` text NOT NULL, `proposed` json NULL, `proposed_digest` text NOT NULL DEFAULT (''), `approved_by` text NOT NULL DEFAULT (''), `approved_at` datetime NULL, `price` integer NOT NULL DEFAULT (0), `connection_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_tools_connection_id` FOREIGN KEY (`account_id`, `plane`, `connection_id`) REFERENCES `connections` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "tool_account_id_plane_id" to table: "tools"
CREATE UNIQUE INDEX `tool_account_id_plane_id` ON `tools` (`account_id`, `plane`, `id`);
-- Create index "tool_connection_id_name" to table: "tools"
CREATE UNIQUE INDEX `tool_connection_id_name` ON `tools` (`connection_id`, `name`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
