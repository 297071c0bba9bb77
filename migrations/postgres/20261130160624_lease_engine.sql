-- Modify "budget_cycles" table
ALTER TABLE "budget_cycles" ADD COLUMN "escrowed" bigint NOT NULL DEFAULT 0, ADD COLUMN "folded" bigint NOT NULL DEFAULT 0;
-- What stood before is folded; running calls become leases further down, which
-- the next node that looks charges in full. The owner is under row-level security
-- like others, unless it isn't forced.
ALTER TABLE budget_cycles NO FORCE ROW LEVEL SECURITY;
ALTER TABLE holds NO FORCE ROW LEVEL SECURITY;
UPDATE budget_cycles SET folded = spent, escrowed = spent + held;
ALTER TABLE "budget_cycles" DROP COLUMN "spent", DROP COLUMN "held", ADD CONSTRAINT "tenant_budget_cycles_limit" CHECK (escrowed >= 0 AND excess >= 0 AND escrowed <= lim + overflow + excess);
-- Modify "nodes" table
ALTER TABLE "nodes" ADD COLUMN "seq" bigint NOT NULL DEFAULT 0;
-- Create "idempotency_keys" table
CREATE TABLE "idempotency_keys" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "principal" character varying NOT NULL, "key_hash" character varying NOT NULL, "request_hash" character varying NOT NULL, "charge_id" character varying NOT NULL, "ended" boolean NOT NULL DEFAULT false, "expires_at" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- Create index "idempotencykey_account_id_plane_id" to table: "idempotency_keys"
CREATE UNIQUE INDEX "idempotencykey_account_id_plane_id" ON "idempotency_keys" ("account_id", "plane", "id");
-- Create index "idempotencykey_account_id_plane_principal_key_hash" to table: "idempotency_keys"
CREATE UNIQUE INDEX "idempotencykey_account_id_plane_principal_key_hash" ON "idempotency_keys" ("account_id", "plane", "principal", "key_hash");
-- Create index "idempotencykey_charge_id" to table: "idempotency_keys"
CREATE INDEX "idempotencykey_charge_id" ON "idempotency_keys" ("charge_id");
-- Create index "idempotencykey_expires_at" to table: "idempotency_keys"
CREATE INDEX "idempotencykey_expires_at" ON "idempotency_keys" ("expires_at");
-- Create "budget_leases" table
CREATE TABLE "budget_leases" ("id" character varying NOT NULL, "account_id" character varying NOT NULL, "plane" character varying NOT NULL, "node_id" character varying NOT NULL, "granted" bigint NOT NULL DEFAULT 0, "spent" bigint NOT NULL DEFAULT 0, "held" bigint NOT NULL DEFAULT 0, "recalled" boolean NOT NULL DEFAULT false, "revision" bigint NOT NULL DEFAULT 0, "cycle_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tenant_budget_leases_cycle_id" FOREIGN KEY ("account_id", "plane", "cycle_id") REFERENCES "budget_cycles" ("account_id", "plane", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "tenant_budget_leases_granted" CHECK (spent >= 0 AND held >= 0 AND spent + held <= granted));
-- Create index "budgetlease_account_id_plane_id" to table: "budget_leases"
CREATE UNIQUE INDEX "budgetlease_account_id_plane_id" ON "budget_leases" ("account_id", "plane", "id");
-- Create index "budgetlease_cycle_id_node_id" to table: "budget_leases"
CREATE UNIQUE INDEX "budgetlease_cycle_id_node_id" ON "budget_leases" ("cycle_id", "node_id");
-- Create index "budgetlease_node_id_recalled" to table: "budget_leases"
CREATE INDEX "budgetlease_node_id_recalled" ON "budget_leases" ("node_id", "recalled");
-- Calls that run while the replicas are replaced.
INSERT INTO budget_leases (id, account_id, plane, node_id, granted, held, cycle_id)
SELECT 'lse_' || substr(h.node_id, 5) || substr(c.id, 5), c.account_id, c.plane, h.node_id, sum(h.amount), sum(h.amount), c.id
FROM holds h CROSS JOIN LATERAL jsonb_array_elements_text(h.cycles) k (id) JOIN budget_cycles c ON c.id = k.id
GROUP BY c.id, c.account_id, c.plane, h.node_id;
ALTER TABLE budget_cycles FORCE ROW LEVEL SECURITY;
ALTER TABLE holds FORCE ROW LEVEL SECURITY;
