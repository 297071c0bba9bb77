-- Create index "charge_agent_id_session_ref" to table: "charges"
CREATE INDEX "charge_agent_id_session_ref" ON "charges" ("agent_id", "session_ref") WHERE (((agent_id)::text <> ''::text) AND ((session_ref)::text <> ''::text));
-- Modify "holds" table
ALTER TABLE "holds" ADD COLUMN "session" character varying NOT NULL DEFAULT '';
-- Create index "hold_session" to table: "holds"
CREATE INDEX "hold_session" ON "holds" ("session") WHERE ((session)::text <> ''::text);
