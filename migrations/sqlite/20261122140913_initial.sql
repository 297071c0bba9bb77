-- Create "accounts" table
CREATE TABLE `accounts` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `slug` text NOT NULL, `status` text NOT NULL DEFAULT ('ACTIVE'), `time_zone` text NOT NULL DEFAULT ('UTC'), `console` bool NOT NULL DEFAULT (true), `copilot` bool NOT NULL DEFAULT (true), `epoch` integer NOT NULL DEFAULT (1), `epoch_at` datetime NOT NULL, `audit_seq` integer NOT NULL DEFAULT (0), `audit_hash` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- Create index "accounts_slug_key" to table: "accounts"
CREATE UNIQUE INDEX `accounts_slug_key` ON `accounts` (`slug`);
-- Create index "account_account_id_plane_id" to table: "accounts"
CREATE UNIQUE INDEX `account_account_id_plane_id` ON `accounts` (`account_id`, `plane`, `id`);
-- Create index "account_epoch_at" to table: "accounts"
CREATE INDEX `account_epoch_at` ON `accounts` (`epoch_at`);
-- Create "audit_events" table
CREATE TABLE `audit_events` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `seq` integer NULL, `hash` text NOT NULL DEFAULT (''), `at` datetime NOT NULL, `actor_kind` text NOT NULL, `actor_id` text NOT NULL DEFAULT (''), `actor_name` text NOT NULL DEFAULT (''), `action` text NOT NULL, `outcome` text NOT NULL, `scope_id` text NOT NULL DEFAULT (''), `scope_path` text NOT NULL, `target_id` text NOT NULL DEFAULT (''), `target_name` text NOT NULL DEFAULT (''), `changes` json NULL, `reason` text NOT NULL DEFAULT (''), `decision_id` text NOT NULL DEFAULT (''), `request_id` text NOT NULL DEFAULT (''), `count` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- Create index "auditevent_account_id_plane_id" to table: "audit_events"
CREATE UNIQUE INDEX `auditevent_account_id_plane_id` ON `audit_events` (`account_id`, `plane`, `id`);
-- Create index "auditevent_account_id_seq" to table: "audit_events"
CREATE UNIQUE INDEX `auditevent_account_id_seq` ON `audit_events` (`account_id`, `seq`);
-- Create index "auditevent_account_id_action_seq" to table: "audit_events"
CREATE INDEX `auditevent_account_id_action_seq` ON `audit_events` (`account_id`, `action`, `seq`);
-- Create "budgets" table
CREATE TABLE `budgets` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `unit` text NOT NULL, `lim` integer NOT NULL DEFAULT (0), `overflow` integer NOT NULL DEFAULT (0), `cycle` text NULL, `cycle_day` integer NOT NULL DEFAULT (1), `scope_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_budgets_scope_id` FOREIGN KEY (`account_id`, `plane`, `scope_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_budgets_amounts` CHECK (lim >= 0 AND overflow >= 0));
-- Create index "budget_account_id_plane_id" to table: "budgets"
CREATE UNIQUE INDEX `budget_account_id_plane_id` ON `budgets` (`account_id`, `plane`, `id`);
-- Create "budget_cycles" table
CREATE TABLE `budget_cycles` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `starts_at` datetime NOT NULL, `ends_at` datetime NOT NULL, `lim` integer NOT NULL DEFAULT (0), `overflow` integer NOT NULL DEFAULT (0), `spent` integer NOT NULL DEFAULT (0), `held` integer NOT NULL DEFAULT (0), `excess` integer NOT NULL DEFAULT (0), `revision` integer NOT NULL DEFAULT (0), `budget_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_budget_cycles_budget_id` FOREIGN KEY (`account_id`, `plane`, `budget_id`) REFERENCES `budgets` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_budget_cycles_limit` CHECK (spent >= 0 AND held >= 0 AND excess >= 0 AND spent + held <= lim + overflow + excess));
-- Create index "budgetcycle_account_id_plane_id" to table: "budget_cycles"
CREATE UNIQUE INDEX `budgetcycle_account_id_plane_id` ON `budget_cycles` (`account_id`, `plane`, `id`);
-- Create index "budgetcycle_budget_id_starts_at" to table: "budget_cycles"
CREATE UNIQUE INDEX `budgetcycle_budget_id_starts_at` ON `budget_cycles` (`budget_id`, `starts_at`);
-- Create "catalog_models" table
CREATE TABLE `catalog_models` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `upstream_name` text NOT NULL, `description` text NOT NULL DEFAULT (''), `capability` text NOT NULL DEFAULT ('BALANCED'), `context_length` integer NOT NULL, `max_output_tokens` integer NOT NULL, `status` text NOT NULL DEFAULT ('DRAFT'), `central_provider_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_catalog_models_central_provider_id` FOREIGN KEY (`account_id`, `plane`, `central_provider_id`) REFERENCES `central_providers` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "catalog_models_name_key" to table: "catalog_models"
CREATE UNIQUE INDEX `catalog_models_name_key` ON `catalog_models` (`name`);
-- Create index "catalogmodel_account_id_plane_id" to table: "catalog_models"
CREATE UNIQUE INDEX `catalogmodel_account_id_plane_id` ON `catalog_models` (`account_id`, `plane`, `id`);
-- Create "central_providers" table
CREATE TABLE `central_providers` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `base_url` text NOT NULL, `secret` blob NULL, `secret_hint` text NOT NULL DEFAULT (''), `status` text NOT NULL DEFAULT ('ACTIVE'), `tested_at` datetime NULL, `test_error` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- Create index "centralprovider_account_id_plane_id" to table: "central_providers"
CREATE UNIQUE INDEX `centralprovider_account_id_plane_id` ON `central_providers` (`account_id`, `plane`, `id`);
-- Create index "centralprovider_name" to table: "central_providers"
CREATE UNIQUE INDEX `centralprovider_name` ON `central_providers` (`name`);
-- Create "charges" table
CREATE TABLE `charges` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `kind` text NOT NULL, `adjusts` text NOT NULL DEFAULT (''), `path` text NOT NULL, `organization_id` text NOT NULL DEFAULT (''), `team_id` text NOT NULL DEFAULT (''), `member_id` text NOT NULL DEFAULT (''), `user_id` text NOT NULL DEFAULT (''), `key_id` text NOT NULL DEFAULT (''), `agent_id` text NOT NULL DEFAULT (''), `client_id` text NOT NULL DEFAULT (''), `session_ref` text NOT NULL DEFAULT (''), `tags` json NULL, `cycles` json NOT NULL, `model_id` text NOT NULL, `model_name` text NOT NULL, `price_id` text NOT NULL DEFAULT (''), `factor_id` text NOT NULL DEFAULT (''), `factor_ppm` integer NOT NULL DEFAULT (0), `request_id` text NOT NULL, `input_tokens` integer NOT NULL DEFAULT (0), `cached_input_tokens` integer NOT NULL DEFAULT (0), `cache_write_tokens` integer NOT NULL DEFAULT (0), `output_tokens` integer NOT NULL DEFAULT (0), `reasoning_tokens` integer NOT NULL DEFAULT (0), `audio_input_tokens` integer NOT NULL DEFAULT (0), `audio_output_tokens` integer NOT NULL DEFAULT (0), `cost` integer NOT NULL, `credits` integer NOT NULL DEFAULT (0), `held` integer NOT NULL DEFAULT (0), `stream` bool NOT NULL DEFAULT (false), `latency_ms` integer NOT NULL DEFAULT (0), `first_byte_ms` integer NOT NULL DEFAULT (0), `held_at` datetime NOT NULL, `at` datetime NOT NULL, `day` integer NOT NULL, PRIMARY KEY (`id`));
-- Create index "charge_account_id_plane_id" to table: "charges"
CREATE UNIQUE INDEX `charge_account_id_plane_id` ON `charges` (`account_id`, `plane`, `id`);
-- Create index "charge_account_id_plane_day" to table: "charges"
CREATE INDEX `charge_account_id_plane_day` ON `charges` (`account_id`, `plane`, `day`);
-- Create index "charge_team_id_at" to table: "charges"
CREATE INDEX `charge_team_id_at` ON `charges` (`team_id`, `at`);
-- Create index "charge_member_id_at" to table: "charges"
CREATE INDEX `charge_member_id_at` ON `charges` (`member_id`, `at`);
-- Create index "charge_organization_id_at" to table: "charges"
CREATE INDEX `charge_organization_id_at` ON `charges` (`organization_id`, `at`);
-- Create index "charge_key_id_at" to table: "charges"
CREATE INDEX `charge_key_id_at` ON `charges` (`key_id`, `at`);
-- Create index "charge_request_id" to table: "charges"
CREATE INDEX `charge_request_id` ON `charges` (`request_id`);
-- Create "credit_factors" table
CREATE TABLE `credit_factors` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `ppm` integer NOT NULL, `effective_from` datetime NOT NULL, PRIMARY KEY (`id`));
-- Create index "creditfactor_account_id_plane_id" to table: "credit_factors"
CREATE UNIQUE INDEX `creditfactor_account_id_plane_id` ON `credit_factors` (`account_id`, `plane`, `id`);
-- Create index "creditfactor_account_id_effective_from" to table: "credit_factors"
CREATE UNIQUE INDEX `creditfactor_account_id_effective_from` ON `credit_factors` (`account_id`, `effective_from`);
-- Create "holds" table
CREATE TABLE `holds` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `node_id` text NOT NULL, `path` text NOT NULL, `cycles` json NOT NULL, `amount` integer NOT NULL DEFAULT (0), `cost` integer NOT NULL DEFAULT (0), `call` json NOT NULL, `held_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- Create index "hold_account_id_plane_id" to table: "holds"
CREATE UNIQUE INDEX `hold_account_id_plane_id` ON `holds` (`account_id`, `plane`, `id`);
-- Create index "hold_node_id" to table: "holds"
CREATE INDEX `hold_node_id` ON `holds` (`node_id`);
-- Create "keys" table
CREATE TABLE `keys` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `token_hash` text NOT NULL, `prefix` text NOT NULL, `requests_per_minute` integer NOT NULL DEFAULT (0), `expires_at` datetime NULL, `revoked_at` datetime NULL, `created_by` text NOT NULL DEFAULT (''), `owner_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_keys_owner_id` FOREIGN KEY (`account_id`, `plane`, `owner_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_keys_id` FOREIGN KEY (`account_id`, `plane`, `id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "keys_token_hash_key" to table: "keys"
CREATE UNIQUE INDEX `keys_token_hash_key` ON `keys` (`token_hash`);
-- Create index "key_account_id_plane_id" to table: "keys"
CREATE UNIQUE INDEX `key_account_id_plane_id` ON `keys` (`account_id`, `plane`, `id`);
-- Create index "key_owner_id" to table: "keys"
CREATE INDEX `key_owner_id` ON `keys` (`owner_id`);
-- Create "key_models" table
CREATE TABLE `key_models` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `key_id` text NOT NULL, `model_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_key_models_key_id` FOREIGN KEY (`account_id`, `plane`, `key_id`) REFERENCES `keys` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_key_models_model_id` FOREIGN KEY (`account_id`, `plane`, `model_id`) REFERENCES `models` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "keymodel_account_id_plane_id" to table: "key_models"
CREATE UNIQUE INDEX `keymodel_account_id_plane_id` ON `key_models` (`account_id`, `plane`, `id`);
-- Create index "keymodel_key_id_model_id" to table: "key_models"
CREATE UNIQUE INDEX `keymodel_key_id_model_id` ON `key_models` (`key_id`, `model_id`);
-- Create index "keymodel_model_id" to table: "key_models"
CREATE INDEX `keymodel_model_id` ON `key_models` (`model_id`);
-- Create "logins" table
CREATE TABLE `logins` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `email` text NOT NULL, `password_hash` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- Create index "logins_email_key" to table: "logins"
CREATE UNIQUE INDEX `logins_email_key` ON `logins` (`email`);
-- Create index "login_account_id_plane_id" to table: "logins"
CREATE UNIQUE INDEX `login_account_id_plane_id` ON `logins` (`account_id`, `plane`, `id`);
-- Create "members" table
CREATE TABLE `members` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `is_default` bool NOT NULL DEFAULT (false), `team_id` text NOT NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_members_team_id` FOREIGN KEY (`account_id`, `plane`, `team_id`) REFERENCES `teams` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_members_user_id` FOREIGN KEY (`account_id`, `user_id`) REFERENCES `users` (`account_id`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_members_id` FOREIGN KEY (`account_id`, `plane`, `id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "member_account_id_plane_id" to table: "members"
CREATE UNIQUE INDEX `member_account_id_plane_id` ON `members` (`account_id`, `plane`, `id`);
-- Create index "member_team_id_user_id" to table: "members"
CREATE UNIQUE INDEX `member_team_id_user_id` ON `members` (`team_id`, `user_id`);
-- Create index "member_user_id" to table: "members"
CREATE INDEX `member_user_id` ON `members` (`user_id`);
-- Create "models" table
CREATE TABLE `models` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `upstream_name` text NOT NULL DEFAULT (''), `context_length` integer NOT NULL DEFAULT (0), `max_output_tokens` integer NOT NULL DEFAULT (0), `ceiling` integer NULL, `status` text NOT NULL DEFAULT ('ACTIVE'), `catalog_model_id` text NULL, `provider_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `fk_models_catalog_model_id` FOREIGN KEY (`catalog_model_id`) REFERENCES `catalog_models` (`id`) ON DELETE NO ACTION, CONSTRAINT `tenant_models_provider_id` FOREIGN KEY (`account_id`, `plane`, `provider_id`) REFERENCES `providers` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_models_route` CHECK ((plane = 'CONSOLE' AND provider_id IS NOT NULL AND catalog_model_id IS NULL) OR (plane = 'COPILOT' AND catalog_model_id IS NOT NULL AND provider_id IS NULL)));
-- Create index "model_account_id_plane_id" to table: "models"
CREATE UNIQUE INDEX `model_account_id_plane_id` ON `models` (`account_id`, `plane`, `id`);
-- Create index "model_account_id_plane_name" to table: "models"
CREATE UNIQUE INDEX `model_account_id_plane_name` ON `models` (`account_id`, `plane`, `name`);
-- Create index "model_provider_id" to table: "models"
CREATE INDEX `model_provider_id` ON `models` (`provider_id`);
-- Create index "model_catalog_model_id" to table: "models"
CREATE INDEX `model_catalog_model_id` ON `models` (`catalog_model_id`);
-- Create "nodes" table
CREATE TABLE `nodes` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `started_at` datetime NOT NULL, `seen_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- Create index "node_account_id_plane_id" to table: "nodes"
CREATE UNIQUE INDEX `node_account_id_plane_id` ON `nodes` (`account_id`, `plane`, `id`);
-- Create "organizations" table
CREATE TABLE `organizations` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `description` text NOT NULL DEFAULT (''), `is_default` bool NOT NULL DEFAULT (false), PRIMARY KEY (`id`), CONSTRAINT `tenant_organizations_id` FOREIGN KEY (`account_id`, `plane`, `id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "organization_account_id_plane_id" to table: "organizations"
CREATE UNIQUE INDEX `organization_account_id_plane_id` ON `organizations` (`account_id`, `plane`, `id`);
-- Create "prices" table
CREATE TABLE `prices` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `effective_from` datetime NOT NULL, `input` integer NOT NULL DEFAULT (0), `cached_input` integer NULL, `cache_write` integer NULL, `output` integer NOT NULL DEFAULT (0), `reasoning` integer NULL, `audio_input` integer NULL, `audio_output` integer NULL, `request` integer NOT NULL DEFAULT (0), `catalog_model_id` text NULL, `model_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_prices_catalog_model_id` FOREIGN KEY (`account_id`, `plane`, `catalog_model_id`) REFERENCES `catalog_models` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_prices_model_id` FOREIGN KEY (`account_id`, `plane`, `model_id`) REFERENCES `models` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_prices_owner` CHECK ((plane = 'CONSOLE' AND model_id IS NOT NULL AND catalog_model_id IS NULL) OR (plane = 'PLATFORM' AND catalog_model_id IS NOT NULL AND model_id IS NULL)));
-- Create index "price_account_id_plane_id" to table: "prices"
CREATE UNIQUE INDEX `price_account_id_plane_id` ON `prices` (`account_id`, `plane`, `id`);
-- Create index "price_model_id_effective_from" to table: "prices"
CREATE UNIQUE INDEX `price_model_id_effective_from` ON `prices` (`model_id`, `effective_from`);
-- Create index "price_catalog_model_id_effective_from" to table: "prices"
CREATE UNIQUE INDEX `price_catalog_model_id_effective_from` ON `prices` (`catalog_model_id`, `effective_from`);
-- Create "providers" table
CREATE TABLE `providers` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `name` text NOT NULL, `base_url` text NOT NULL, `secret` blob NULL, `secret_hint` text NOT NULL DEFAULT (''), `status` text NOT NULL DEFAULT ('ACTIVE'), `tested_at` datetime NULL, `test_error` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- Create index "provider_account_id_plane_id" to table: "providers"
CREATE UNIQUE INDEX `provider_account_id_plane_id` ON `providers` (`account_id`, `plane`, `id`);
-- Create index "provider_account_id_name" to table: "providers"
CREATE UNIQUE INDEX `provider_account_id_name` ON `providers` (`account_id`, `name`);
-- Create "role_bindings" table
CREATE TABLE `role_bindings` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `role` text NOT NULL, `scope_id` text NOT NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_role_bindings_scope_id` FOREIGN KEY (`account_id`, `plane`, `scope_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_role_bindings_user_id` FOREIGN KEY (`account_id`, `user_id`) REFERENCES `users` (`account_id`, `id`) ON DELETE NO ACTION);
-- Create index "rolebinding_account_id_plane_id" to table: "role_bindings"
CREATE UNIQUE INDEX `rolebinding_account_id_plane_id` ON `role_bindings` (`account_id`, `plane`, `id`);
-- Create index "rolebinding_user_id_scope_id_role" to table: "role_bindings"
CREATE UNIQUE INDEX `rolebinding_user_id_scope_id_role` ON `role_bindings` (`user_id`, `scope_id`, `role`);
-- Create "scopes" table
CREATE TABLE `scopes` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `kind` text NOT NULL, `name` text NOT NULL, `parent_plane` text NULL, `path` text NOT NULL, `archived_at` datetime NULL, `parent_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_scopes_parent_id` FOREIGN KEY (`account_id`, `parent_plane`, `parent_id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_scopes_parent` CHECK ((parent_id IS NULL AND parent_plane IS NULL AND kind IN ('PLATFORM','ACCOUNT')) OR (parent_id IS NOT NULL AND parent_plane = plane AND kind NOT IN ('PLATFORM','ACCOUNT','CONSOLE','COPILOT')) OR (parent_id IS NOT NULL AND parent_plane = 'ACCOUNT' AND kind IN ('CONSOLE','COPILOT') AND kind = plane)));
-- Create index "scope_account_id_plane_id" to table: "scopes"
CREATE UNIQUE INDEX `scope_account_id_plane_id` ON `scopes` (`account_id`, `plane`, `id`);
-- Create index "scope_path" to table: "scopes"
CREATE UNIQUE INDEX `scope_path` ON `scopes` (`path`);
-- Create index "scope_account_id_plane_kind_name" to table: "scopes"
CREATE INDEX `scope_account_id_plane_kind_name` ON `scopes` (`account_id`, `plane`, `kind`, `name`);
-- Create index "scope_parent_id" to table: "scopes"
CREATE INDEX `scope_parent_id` ON `scopes` (`parent_id`);
-- Create "sessions" table
CREATE TABLE `sessions` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `token_hash` text NOT NULL, `user_agent` text NOT NULL DEFAULT (''), `ip` text NOT NULL DEFAULT (''), `last_seen_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `revoked_at` datetime NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_sessions_user_id` FOREIGN KEY (`account_id`, `plane`, `user_id`) REFERENCES `users` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "sessions_token_hash_key" to table: "sessions"
CREATE UNIQUE INDEX `sessions_token_hash_key` ON `sessions` (`token_hash`);
-- Create index "session_account_id_plane_id" to table: "sessions"
CREATE UNIQUE INDEX `session_account_id_plane_id` ON `sessions` (`account_id`, `plane`, `id`);
-- Create index "session_user_id" to table: "sessions"
CREATE INDEX `session_user_id` ON `sessions` (`user_id`);
-- Create "teams" table
CREATE TABLE `teams` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `description` text NOT NULL DEFAULT (''), `is_default` bool NOT NULL DEFAULT (false), `organization_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_teams_organization_id` FOREIGN KEY (`account_id`, `plane`, `organization_id`) REFERENCES `organizations` (`account_id`, `plane`, `id`) ON DELETE NO ACTION, CONSTRAINT `tenant_teams_id` FOREIGN KEY (`account_id`, `plane`, `id`) REFERENCES `scopes` (`account_id`, `plane`, `id`) ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "team_account_id_plane_id" to table: "teams"
CREATE UNIQUE INDEX `team_account_id_plane_id` ON `teams` (`account_id`, `plane`, `id`);
-- Create "users" table
CREATE TABLE `users` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `email` text NOT NULL, `name` text NOT NULL, `status` text NOT NULL DEFAULT ('ACTIVE'), `login_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `fk_users_login_id` FOREIGN KEY (`login_id`) REFERENCES `logins` (`id`) ON DELETE NO ACTION);
-- Create index "user_account_id_plane_id" to table: "users"
CREATE UNIQUE INDEX `user_account_id_plane_id` ON `users` (`account_id`, `plane`, `id`);
-- Create index "user_account_id_email" to table: "users"
CREATE UNIQUE INDEX `user_account_id_email` ON `users` (`account_id`, `email`);
-- Create index "user_login_id" to table: "users"
CREATE INDEX `user_login_id` ON `users` (`login_id`);
-- Create index "tenant_users_account_id_id" to table: "users"
CREATE UNIQUE INDEX `tenant_users_account_id_id` ON `users` (`account_id`, `id`);
