-- What Cockpit registered itself as at an authorization server, and what a connection of COMPOSIO is of.
ALTER TABLE `connections` ADD COLUMN `registered_client` blob NULL;
ALTER TABLE `connections` ADD COLUMN `toolkit` text NOT NULL DEFAULT ('');
ALTER TABLE `connections` ADD COLUMN `auth_config` text NOT NULL DEFAULT ('');
-- Which tools a request for their approval is about.
ALTER TABLE `requests` ADD COLUMN `about` json NULL;
