-- Create "mutation_keys" table
CREATE TABLE `mutation_keys` (`id` text NOT NULL, `account_id` text NOT NULL, `plane` text NOT NULL, `created_at` datetime NOT NULL, `subject` text NOT NULL, `mutation` text NOT NULL, `key_hash` text NOT NULL, `sealed_request` blob NOT NULL, `sealed_answer` blob NULL, `expires_at` datetime NOT NULL, `user_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `tenant_mutation_keys_user_id` FOREIGN KEY (`account_id`, `plane`, `user_id`) REFERENCES `users` (`account_id`, `plane`, `id`) ON DELETE NO ACTION);
-- Create index "mutationkey_account_id_plane_id" to table: "mutation_keys"
CREATE UNIQUE INDEX `mutationkey_account_id_plane_id` ON `mutation_keys` (`account_id`, `plane`, `id`);
-- Create index "mutationkey_account_id_subject_mutation_key_hash" to table: "mutation_keys"
CREATE UNIQUE INDEX `mutationkey_account_id_subject_mutation_key_hash` ON `mutation_keys` (`account_id`, `subject`, `mutation`, `key_hash`);
-- Create index "mutationkey_user_id" to table: "mutation_keys"
CREATE INDEX `mutationkey_user_id` ON `mutation_keys` (`user_id`);
-- Create index "mutationkey_expires_at" to table: "mutation_keys"
CREATE INDEX `mutationkey_expires_at` ON `mutation_keys` (`expires_at`);
