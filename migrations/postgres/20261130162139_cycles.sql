-- Modify "budget_cycles" table
ALTER TABLE "budget_cycles" ADD COLUMN "prior" bigint NOT NULL DEFAULT 0, ADD COLUMN "corrections" bigint NOT NULL DEFAULT 0;
-- Create index "budgetcycle_closed_at_ends_at" to table: "budget_cycles"
CREATE INDEX "budgetcycle_closed_at_ends_at" ON "budget_cycles" ("closed_at", "ends_at");
