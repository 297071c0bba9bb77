-- Modify "accounts" table
ALTER TABLE "accounts" ADD COLUMN "deleting_at" timestamptz NULL;
-- Modify "sessions" table
ALTER TABLE "sessions" ADD COLUMN "rests_on" character varying NOT NULL DEFAULT '';
