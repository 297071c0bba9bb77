-- Create "mutation_keys" table
CREATE TABLE "mutation_keys" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "created_at" timestamptz NOT NULL, "subject" character varying NOT NULL, "mutation" character varying NOT NULL, "key_hash" character varying NOT NULL, "sealed_request" bytea NOT NULL, "sealed_answer" bytea NULL, "expires_at" timestamptz NOT NULL, "user_id" character varying NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_mutation_keys_user_id" FOREIGN KEY ("account_id", "plane", "user_id") REFERENCES "users" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- Create index "mutationkey_account_id_plane_id" to table: "mutation_keys"
CREATE UNIQUE INDEX "mutationkey_account_id_plane_id" ON "mutation_keys" ("account_id", "plane", "id");
-- Create index "mutationkey_account_id_subject_mutation_key_hash" to table: "mutation_keys"
CREATE UNIQUE INDEX "mutationkey_account_id_subject_mutation_key_hash" ON "mutation_keys" ("account_id", "subject", "mutation", "key_hash");
-- Create index "mutationkey_expires_at" to table: "mutation_keys"
CREATE INDEX "mutationkey_expires_at" ON "mutation_keys" ("expires_at");
-- Create index "mutationkey_user_id" to table: "mutation_keys"
CREATE INDEX "mutationkey_user_id" ON "mutation_keys" ("user_id");
