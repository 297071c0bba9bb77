-- Modify "connection_credentials" table
ALTER TABLE "connection_credentials" ADD COLUMN "awaited" character varying NOT NULL DEFAULT '';
