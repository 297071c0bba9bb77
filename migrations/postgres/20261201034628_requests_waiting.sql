-- Create index "request_waits_at" to table: "requests"
CREATE INDEX "request_waits_at" ON "requests" ("waits_at");
