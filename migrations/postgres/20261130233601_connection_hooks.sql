-- What Cockpit registered itself as at an authorization server, and what a connection of COMPOSIO is of.
ALTER TABLE "connections" ADD COLUMN "registered_client" bytea NULL, ADD COLUMN "toolkit" character varying NOT NULL DEFAULT '', ADD COLUMN "auth_config" character varying NOT NULL DEFAULT '';
-- Which tools a request for their approval is about.
ALTER TABLE "requests" ADD COLUMN "about" jsonb NULL;
