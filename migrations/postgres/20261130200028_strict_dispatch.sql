-- Modify "accounts" table
ALTER TABLE "accounts" ADD COLUMN "strict_dispatch" boolean NOT NULL DEFAULT false;
