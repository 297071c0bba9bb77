-- Drop index "auditevent_account_id_at" from table: "audit_events"
DROP INDEX "auditevent_account_id_at";
-- Create index "auditevent_account_id_at_seq_outcome_count" to table: "audit_events"
CREATE INDEX "auditevent_account_id_at_seq_outcome_count" ON "audit_events" ("account_id", "at", "seq", "outcome", "count");
-- Create index "auditevent_account_id_outcome_seq" to table: "audit_events"
CREATE INDEX "auditevent_account_id_outcome_seq" ON "audit_events" ("account_id", "outcome", "seq");
-- Create index "auditevent_account_id_scope_path" to table: "audit_events"
CREATE INDEX "auditevent_account_id_scope_path" ON "audit_events" ("account_id", "scope_path" text_pattern_ops);
-- Create index "auditevent_account_id_target_id_seq" to table: "audit_events"
CREATE INDEX "auditevent_account_id_target_id_seq" ON "audit_events" ("account_id", "target_id", "seq");
