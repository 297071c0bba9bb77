-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_accounts" table
CREATE TABLE `new_accounts` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `slug` text NOT NULL, `status` text NOT NULL DEFAULT ('ACTIVE'), `time_zone` text NOT NULL DEFAULT ('UTC'), `console` bool NOT NULL DEFAULT (true), `copilot` bool NOT NULL DEFAULT (true), `status_reason` text NOT NULL DEFAULT (''), `closed_at` datetime NULL, `deleted_at` datetime NULL, `sso_enforced` bool NOT NULL DEFAULT (false), `session_idle_minutes` integer NOT NULL DEFAULT (720), `session_lifetime_minutes` integer NOT NULL DEFAULT (10080), `audit_retention_days` integer NOT NULL DEFAULT (0), `epoch` integer NOT NULL DEFAULT (1), `epoch_at` datetime NOT NULL, `audit_seq` integer NOT NULL DEFAULT (0), `audit_hash` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- Copy rows from old table "accounts" to new temporary table "new_accounts"
INSERT INTO `new_accounts` (`id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `name`, `slug`, `status`, `time_zone`, `console`, `copilot`, `epoch`, `epoch_at`, `audit_seq`, `audit_hash`) SELECT `id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `name`, `slug`, `status`, `time_zone`, `console`, `copilot`, `epoch`, `epoch_at`, `audit_seq`, `audit_hash` FROM `accounts`;
-- Drop "accounts" table after copying rows
DROP TABLE `accounts`;
-- Rename temporary table "new_accounts" to "accounts"
ALTER TABLE `new_accounts` RENAME TO `accounts`;
-- Create index "accounts_slug_key" to table: "accounts"
CREATE UNIQUE INDEX `accounts_slug_key` ON `accounts` (`slug`);
-- Create index "account_account_id_plane_id" to table: "accounts"
CREATE UNIQUE INDEX `account_account_id_plane_id` ON `accounts` (`account_id`, `plane`, `id`);
-- Create index "account_epoch_at" to table: "accounts"
CREATE INDEX `account_epoch_at` ON `accounts` (`epoch_at`);
-- Create "new_audit_events" table
CREATE TABLE `new_audit_events` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `seq` integer NULL, `hash` text NOT NULL DEFAULT (''), `at` datetime NOT NULL, `actor_kind` text NOT NULL, `actor_id` text NOT NULL DEFAULT (''), `actor_name` text NOT NULL DEFAULT (''), `via_kind` text NOT NULL DEFAULT ('NONE'), `via_id` text NOT NULL DEFAULT (''), `via_name` text NOT NULL DEFAULT (''), `action` text NOT NULL, `outcome` text NOT NULL, `scope_id` text NOT NULL DEFAULT (''), `scope_path` text NOT NULL, `target_id` text NOT NULL DEFAULT (''), `target_name` text NOT NULL DEFAULT (''), `changes` json NULL, `reason` text NOT NULL DEFAULT (''), `decision_id` text NOT NULL DEFAULT (''), `request_id` text NOT NULL DEFAULT (''), `count` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- Copy rows from old table "audit_events" to new temporary table "new_audit_events"
INSERT INTO `new_audit_events` (`id`, `account_id`, `plane`, `seq`, `hash`, `at`, `actor_kind`, `actor_id`, `actor_name`, `action`, `outcome`, `scope_id`, `scope_path`, `target_id`, `target_name`, `changes`, `reason`, `decision_id`, `request_id`, `count`) SELECT `id`, `account_id`, `plane`, `seq`, `hash`, `at`, `actor_kind`, `actor_id`, `actor_name`, `action`, `outcome`, `scope_id`, `scope_path`, `target_id`, `target_name`, `changes`, `reason`, `decision_id`, `request_id`, `count` FROM `audit_events`;
-- Drop "audit_events" table after copying rows
DROP TABLE `audit_events`;
-- Rename temporary table "new_audit_events" to "audit_events"
ALTER TABLE `new_audit_events` RENAME TO `audit_events`;
-- Create index "auditevent_account_id_plane_id" to table: "audit_events"
CREATE UNIQUE INDEX `auditevent_account_id_plane_id` ON `audit_events` (`account_id`, `plane`, `id`);
-- Create index "auditevent_account_id_seq" to table: "audit_events"
CREATE UNIQUE INDEX `auditevent_account_id_seq` ON `audit_events` (`account_id`, `seq`);
-- Create index "auditevent_account_id_action_seq" to table: "audit_events"
CREATE INDEX `auditevent_account_id_action_seq` ON `audit_events` (`account_id`, `action`, `seq`);
-- Create index "auditevent_account_id_actor_id_seq" to table: "audit_events"
CREATE INDEX `auditevent_account_id_actor_id_seq` ON `audit_events` (`account_id`, `actor_id`, `seq`);
-- Create index "auditevent_account_id_at" to table: "audit_events"
CREATE INDEX `auditevent_account_id_at` ON `audit_events` (`account_id`, `at`);
-- Create "new_logins" table
CREATE TABLE `new_logins` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `email` text NOT NULL, `password_hash` text NOT NULL DEFAULT (''), `reset_hash` text NULL, `reset_expires_at` datetime NULL, PRIMARY KEY (`id`));
-- Copy rows from old table "logins" to new temporary table "new_logins"
INSERT INTO `new_logins` (`id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `email`, `password_hash`) SELECT `id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `email`, `password_hash` FROM `logins`;
-- Drop "logins" table after copying rows
DROP TABLE `logins`;
-- Rename temporary table "new_logins" to "logins"
ALTER TABLE `new_logins` RENAME TO `logins`;
-- Create index "logins_email_key" to table: "logins"
CREATE UNIQUE INDEX `logins_email_key` ON `logins` (`email`);
-- Create index "logins_reset_hash_key" to table: "logins"
CREATE UNIQUE INDEX `logins_reset_hash_key` ON `logins` (`reset_hash`);
-- Create index "login_account_id_plane_id" to table: "logins"
CREATE UNIQUE INDEX `login_account_id_plane_id` ON `logins` (`account_id`, `plane`, `id`);
-- Create "new_members" table
CREATE TABLE `new_members` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `is_default` bool NOT NULL DEFAULT (false), `source` text NOT NULL DEFAULT (''), `team_id` text NOT NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_members_team_id` FOREIGN KEY (`account_id`, `plane`, `team_id`) REFERENCES `teams` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_members_user_id` FOREIGN KEY (`account_id`, `user_id`) REFERENCES `users` (`account_id`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_members_id` FOREIGN KEY (`account_id`, `plane`, `id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Copy rows from old table "members" to new temporary table "new_members"
INSERT INTO `new_members` (`id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `is_default`, `team_id`, `user_id`) SELECT `id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `is_default`, `team_id`, `user_id` FROM `members`;
-- Drop "members" table after copying rows
DROP TABLE `members`;
-- Rename temporary table "new_members" to "members"
ALTER TABLE `new_members` RENAME TO `members`;
-- Create index "member_account_id_plane_id" to table: "members"
CREATE UNIQUE INDEX `member_account_id_plane_id` ON `members` (`account_id`, `plane`, `id`);
-- Create index "member_team_id_user_id" to table: "members"
CREATE UNIQUE INDEX `member_team_id_user_id` ON `members` (`team_id`, `user_id`);
-- Create index "member_user_id" to table: "members"
CREATE INDEX `member_user_id` ON `members` (`user_id`);
-- Create "new_role_bindings" table
CREATE TABLE `new_role_bindings` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `role` text NOT NULL, `source` text NOT NULL DEFAULT (''), `scope_id` text NOT NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_role_bindings_scope_id` FOREIGN KEY (`account_id`, `plane`, `scope_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_role_bindings_user_id` FOREIGN KEY (`account_id`, `user_id`) REFERENCES `users` (`account_id`, `id`) ON DELETE NO ACTION);
-- Copy rows from old table "role_bindings" to new temporary table "new_role_bindings"
INSERT INTO `new_role_bindings` (`id`, `account_id`, `plane`, `created_at`, `role`, `scope_id`, `user_id`) SELECT `id`, `account_id`, `plane`, `created_at`, `role`, `scope_id`, `user_id` FROM `role_bindings`;
-- Drop "role_bindings" table after copying rows
DROP TABLE `role_bindings`;
-- Rename temporary table "new_role_bindings" to "role_bindings"
ALTER TABLE `new_role_bindings` RENAME TO `role_bindings`;
-- Create index "rolebinding_account_id_plane_id" to table: "role_bindings"
CREATE UNIQUE INDEX `rolebinding_account_id_plane_id` ON `role_bindings` (`account_id`, `plane`, `id`);
-- Create index "rolebinding_user_id_scope_id_role" to table: "role_bindings"
CREATE UNIQUE INDEX `rolebinding_user_id_scope_id_role` ON `role_bindings` (`user_id`, `scope_id`, `role`);
-- Create index "rolebinding_scope_id" to table: "role_bindings"
CREATE INDEX `rolebinding_scope_id` ON `role_bindings` (`scope_id`);
-- Add column "deleted_at" to table: "scopes"
ALTER TABLE `scopes` ADD COLUMN `deleted_at` datetime NULL;
-- Create "new_sessions" table
CREATE TABLE `new_sessions` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `kind` text NOT NULL DEFAULT ('PASSWORD'), `identity_provider_id` text NOT NULL DEFAULT (''), `token_hash` text NOT NULL, `user_agent` text NOT NULL DEFAULT (''), `ip` text NOT NULL DEFAULT (''), `last_seen_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `revoked_at` datetime NULL, `support_access_id` text NULL, `user_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_sessions_support_access_id` FOREIGN KEY (`account_id`, `plane`, `support_access_id`) REFERENCES `support_accesses` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_sessions_user_id` FOREIGN KEY (`account_id`, `plane`, `user_id`) REFERENCES `users` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_sessions_whose` CHECK ((user_id IS NULL) <> (support_access_id IS NULL)));
-- Copy rows from old table "sessions" to new temporary table "new_sessions"
INSERT INTO `new_sessions` (`id`, `account_id`, `plane`, `created_at`, `token_hash`, `user_agent`, `ip`, `last_seen_at`, `expires_at`, `revoked_at`, `user_id`) SELECT `id`, `account_id`, `plane`, `created_at`, `token_hash`, `user_agent`, `ip`, `last_seen_at`, `expires_at`, `revoked_at`, `user_id` FROM `sessions`;
-- Drop "sessions" table after copying rows
DROP TABLE `sessions`;
-- Rename temporary table "new_sessions" to "sessions"
ALTER TABLE `new_sessions` RENAME TO `sessions`;
-- Create index "sessions_token_hash_key" to table: "sessions"
CREATE UNIQUE INDEX `sessions_token_hash_key` ON `sessions` (`token_hash`);
-- Create index "session_account_id_plane_id" to table: "sessions"
CREATE UNIQUE INDEX `session_account_id_plane_id` ON `sessions` (`account_id`, `plane`, `id`);
-- Create index "session_user_id" to table: "sessions"
CREATE INDEX `session_user_id` ON `sessions` (`user_id`);
-- Create index "session_support_access_id" to table: "sessions"
CREATE INDEX `session_support_access_id` ON `sessions` (`support_access_id`);
-- Add column "last_sign_in_at" to table: "users"
ALTER TABLE `users` ADD COLUMN `last_sign_in_at` datetime NULL;
-- Create "audit_checkpoints" table
CREATE TABLE `audit_checkpoints` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `seq` integer NOT NULL, `hash` text NOT NULL, `at` datetime NOT NULL, `signature` text NOT NULL, `signing_key_id` text NOT NULL, PRIMARY KEY (`id`));
-- Create index "auditcheckpoint_account_id_plane_id" to table: "audit_checkpoints"
CREATE UNIQUE INDEX `auditcheckpoint_account_id_plane_id` ON `audit_checkpoints` (`account_id`, `plane`, `id`);
-- Create index "auditcheckpoint_account_id_seq" to table: "audit_checkpoints"
CREATE UNIQUE INDEX `auditcheckpoint_account_id_seq` ON `audit_checkpoints` (`account_id`, `seq`);
-- Create "authorizations" table
CREATE TABLE `authorizations` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `client_id` text NOT NULL, `client_name` text NOT NULL, `permissions` json NOT NULL, `redirect_uri` text NOT NULL, `challenge` text NOT NULL, `nonce` text NOT NULL DEFAULT (''), `code_hash` text NOT NULL, `code_expires_at` datetime NOT NULL, `code_used_at` datetime NULL, `refresh_hash` text NULL, `expires_at` datetime NOT NULL, `last_used_at` datetime NULL, `revoked_at` datetime NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_authorizations_user_id` FOREIGN KEY (`account_id`, `plane`, `user_id`) REFERENCES `users` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "authorizations_code_hash_key" to table: "authorizations"
CREATE UNIQUE INDEX `authorizations_code_hash_key` ON `authorizations` (`code_hash`);
-- Create index "authorizations_refresh_hash_key" to table: "authorizations"
CREATE UNIQUE INDEX `authorizations_refresh_hash_key` ON `authorizations` (`refresh_hash`);
-- Create index "authorization_account_id_plane_id" to table: "authorizations"
CREATE UNIQUE INDEX `authorization_account_id_plane_id` ON `authorizations` (`account_id`, `plane`, `id`);
-- Create index "authorization_user_id" to table: "authorizations"
CREATE INDEX `authorization_user_id` ON `authorizations` (`user_id`);
-- Create index "authorization_client_id" to table: "authorizations"
CREATE INDEX `authorization_client_id` ON `authorizations` (`client_id`);
-- Create "domains" table
CREATE TABLE `domains` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `verified_name` text NULL, `token` text NOT NULL, `verified_at` datetime NULL, `verified_by` text NOT NULL DEFAULT ('NOBODY'), `checked_at` datetime NULL, `check_error` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- Create index "domains_verified_name_key" to table: "domains"
CREATE UNIQUE INDEX `domains_verified_name_key` ON `domains` (`verified_name`);
-- Create index "domain_account_id_plane_id" to table: "domains"
CREATE UNIQUE INDEX `domain_account_id_plane_id` ON `domains` (`account_id`, `plane`, `id`);
-- Create index "domain_account_id_name" to table: "domains"
CREATE UNIQUE INDEX `domain_account_id_name` ON `domains` (`account_id`, `name`);
-- Create "external_identities" table
CREATE TABLE `external_identities` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `issuer` text NOT NULL, `subject` text NOT NULL, `email` text NOT NULL DEFAULT (''), `last_sign_in_at` datetime NULL, `identity_provider_id` text NOT NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_external_identities_identity_provider_id` FOREIGN KEY (`account_id`, `plane`, `identity_provider_id`) REFERENCES `identity_providers` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_external_identities_user_id` FOREIGN KEY (`account_id`, `plane`, `user_id`) REFERENCES `users` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "externalidentity_account_id_plane_id" to table: "external_identities"
CREATE UNIQUE INDEX `externalidentity_account_id_plane_id` ON `external_identities` (`account_id`, `plane`, `id`);
-- Create index "externalidentity_account_id_issuer_subject" to table: "external_identities"
CREATE UNIQUE INDEX `externalidentity_account_id_issuer_subject` ON `external_identities` (`account_id`, `issuer`, `subject`);
-- Create index "externalidentity_user_id" to table: "external_identities"
CREATE INDEX `externalidentity_user_id` ON `external_identities` (`user_id`);
-- Create index "externalidentity_identity_provider_id" to table: "external_identities"
CREATE INDEX `externalidentity_identity_provider_id` ON `external_identities` (`identity_provider_id`);
-- Create "grants" table
CREATE TABLE `grants` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `effect` text NOT NULL, `expires_at` datetime NULL, `note` text NOT NULL DEFAULT (''), `authority` text NOT NULL, `granted_by` text NOT NULL DEFAULT (''), `granted_by_name` text NOT NULL DEFAULT (''), `scope_id` text NOT NULL, `model_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_grants_scope_id` FOREIGN KEY (`account_id`, `plane`, `scope_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_grants_model_id` FOREIGN KEY (`account_id`, `plane`, `model_id`) REFERENCES `models` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_grants_resource` CHECK (model_id IS NOT NULL));
-- Create index "grant_account_id_plane_id" to table: "grants"
CREATE UNIQUE INDEX `grant_account_id_plane_id` ON `grants` (`account_id`, `plane`, `id`);
-- Create index "grant_scope_id_model_id" to table: "grants"
CREATE UNIQUE INDEX `grant_scope_id_model_id` ON `grants` (`scope_id`, `model_id`);
-- Create index "grant_model_id" to table: "grants"
CREATE INDEX `grant_model_id` ON `grants` (`model_id`);
-- Create "group_mappings" table
CREATE TABLE `group_mappings` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `group_name` text NOT NULL DEFAULT (''), `role` text NOT NULL, `scope_id` text NOT NULL, `identity_provider_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_group_mappings_scope_id` FOREIGN KEY (`account_id`, `plane`, `scope_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_group_mappings_identity_provider_id` FOREIGN KEY (`account_id`, `identity_provider_id`) REFERENCES `identity_providers` (`account_id`, `id`) ON DELETE NO ACTION);
-- Create index "groupmapping_account_id_plane_id" to table: "group_mappings"
CREATE UNIQUE INDEX `groupmapping_account_id_plane_id` ON `group_mappings` (`account_id`, `plane`, `id`);
-- Create index "groupmapping_identity_provider_id_group_name_scope_id_role" to table: "group_mappings"
CREATE UNIQUE INDEX `groupmapping_identity_provider_id_group_name_scope_id_role` ON `group_mappings` (`identity_provider_id`, `group_name`, `scope_id`, `role`);
-- Create index "groupmapping_scope_id" to table: "group_mappings"
CREATE INDEX `groupmapping_scope_id` ON `group_mappings` (`scope_id`);
-- Create "identity_providers" table
CREATE TABLE `identity_providers` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `issuer` text NOT NULL, `client_id` text NOT NULL, `secret` blob NULL, `secret_hint` text NOT NULL DEFAULT (''), `scopes` json NOT NULL, `email_claim` text NOT NULL DEFAULT ('email'), `name_claim` text NOT NULL DEFAULT ('name'), `groups_claim` text NOT NULL DEFAULT ('groups'), `status` text NOT NULL DEFAULT ('DRAFT'), `just_in_time` bool NOT NULL DEFAULT (true), `tested_at` datetime NULL, `test_error` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- Create index "identityprovider_account_id_plane_id" to table: "identity_providers"
CREATE UNIQUE INDEX `identityprovider_account_id_plane_id` ON `identity_providers` (`account_id`, `plane`, `id`);
-- Create index "identityprovider_account_id_name" to table: "identity_providers"
CREATE UNIQUE INDEX `identityprovider_account_id_name` ON `identity_providers` (`account_id`, `name`);
-- Create index "tenant_identity_providers_account_id_id" to table: "identity_providers"
CREATE UNIQUE INDEX `tenant_identity_providers_account_id_id` ON `identity_providers` (`account_id`, `id`);
-- Create "invitations" table
CREATE TABLE `invitations` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `email` text NOT NULL, `name` text NOT NULL DEFAULT (''), `role` text NOT NULL, `token_hash` text NOT NULL, `invited_by` text NOT NULL DEFAULT (''), `invited_by_name` text NOT NULL DEFAULT (''), `expires_at` datetime NOT NULL, `accepted_at` datetime NULL, `revoked_at` datetime NULL, `mail` text NOT NULL DEFAULT ('NONE'), `mail_error` text NOT NULL DEFAULT (''), `scope_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_invitations_scope_id` FOREIGN KEY (`account_id`, `plane`, `scope_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "invitations_token_hash_key" to table: "invitations"
CREATE UNIQUE INDEX `invitations_token_hash_key` ON `invitations` (`token_hash`);
-- Create index "invitation_account_id_plane_id" to table: "invitations"
CREATE UNIQUE INDEX `invitation_account_id_plane_id` ON `invitations` (`account_id`, `plane`, `id`);
-- Create index "invitation_scope_id" to table: "invitations"
CREATE INDEX `invitation_scope_id` ON `invitations` (`scope_id`);
-- Create index "invitation_account_id_email" to table: "invitations"
CREATE INDEX `invitation_account_id_email` ON `invitations` (`account_id`, `email`);
-- Create "personal_tokens" table
CREATE TABLE `personal_tokens` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `name` text NOT NULL, `token_hash` text NOT NULL, `prefix` text NOT NULL, `permissions` json NOT NULL, `expires_at` datetime NOT NULL, `last_used_at` datetime NULL, `revoked_at` datetime NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_personal_tokens_user_id` FOREIGN KEY (`account_id`, `plane`, `user_id`) REFERENCES `users` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "personal_tokens_token_hash_key" to table: "personal_tokens"
CREATE UNIQUE INDEX `personal_tokens_token_hash_key` ON `personal_tokens` (`token_hash`);
-- Create index "personaltoken_account_id_plane_id" to table: "personal_tokens"
CREATE UNIQUE INDEX `personaltoken_account_id_plane_id` ON `personal_tokens` (`account_id`, `plane`, `id`);
-- Create index "personaltoken_user_id" to table: "personal_tokens"
CREATE INDEX `personaltoken_user_id` ON `personal_tokens` (`user_id`);
-- Create "service_clients" table
CREATE TABLE `service_clients` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `description` text NOT NULL DEFAULT (''), `status` text NOT NULL DEFAULT ('ACTIVE'), `public` bool NOT NULL DEFAULT (false), `console` bool NOT NULL DEFAULT (false), `copilot` bool NOT NULL DEFAULT (false), `permissions` json NOT NULL, `redirect_uris` json NOT NULL, `client_credentials` bool NOT NULL DEFAULT (false), `token_exchange` bool NOT NULL DEFAULT (false), `trusted_subjects` bool NOT NULL DEFAULT (false), `secret_hash` text NOT NULL DEFAULT (''), `secret_hint` text NOT NULL DEFAULT (''), `secret_at` datetime NULL, `previous_secret_hash` text NOT NULL DEFAULT (''), `previous_secret_hint` text NOT NULL DEFAULT (''), `previous_secret_expires_at` datetime NULL, `created_by` text NOT NULL DEFAULT (''), `last_used_at` datetime NULL, PRIMARY KEY (`id`));
-- Create index "serviceclient_account_id_plane_id" to table: "service_clients"
CREATE UNIQUE INDEX `serviceclient_account_id_plane_id` ON `service_clients` (`account_id`, `plane`, `id`);
-- Create index "serviceclient_account_id_name" to table: "service_clients"
CREATE UNIQUE INDEX `serviceclient_account_id_name` ON `service_clients` (`account_id`, `name`);
-- Create "support_accesses" table
CREATE TABLE `support_accesses` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `staff_id` text NOT NULL, `staff_name` text NOT NULL, `staff_email` text NOT NULL, `reason` text NOT NULL, `writes` bool NOT NULL DEFAULT (false), `expires_at` datetime NOT NULL, `ended_at` datetime NULL, `ended_by_name` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- Create index "supportaccess_account_id_plane_id" to table: "support_accesses"
CREATE UNIQUE INDEX `supportaccess_account_id_plane_id` ON `support_accesses` (`account_id`, `plane`, `id`);
-- Create index "supportaccess_account_id_created_at" to table: "support_accesses"
CREATE INDEX `supportaccess_account_id_created_at` ON `support_accesses` (`account_id`, `created_at`);
-- Create index "supportaccess_staff_id" to table: "support_accesses"
CREATE INDEX `supportaccess_staff_id` ON `support_accesses` (`staff_id`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- What could be called before there were grants still can: every model is
-- allowed to its whole plane.
INSERT INTO grants (id, account_id, plane, version, created_at, updated_at, effect, note, authority, granted_by, granted_by_name, scope_id, model_id)
SELECT 'grt_' || substr(m.id, 5), m.account_id, m.plane, 1, m.created_at, m.updated_at, 'ALLOW', '', s.path, '', 'System', s.id, m.id
FROM models m JOIN scopes s ON s.account_id = m.account_id AND s.plane = m.plane AND s.kind = m.plane;
