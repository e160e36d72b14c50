CREATE TABLE "audit_log" (
	"place" bigint GENERATED ALWAYS AS IDENTITY (sequence name "audit_log_place_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"app" text collate "C" NOT NULL,
	"id" uuid NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"action" text NOT NULL,
	"actor" text collate "C" NOT NULL,
	"channel_id" text collate "C",
	"subject" text,
	"request_id" text,
	"detail" text,
	CONSTRAINT "audit_log_app_place_pk" PRIMARY KEY("app","place")
);
--> statement-breakpoint
CREATE UNIQUE INDEX "audit_log_once" ON "audit_log" USING btree ("app","id");--> statement-breakpoint
CREATE INDEX "audit_log_of_channel" ON "audit_log" USING btree ("app","channel_id","place");--> statement-breakpoint
CREATE FUNCTION "refuse_change_of_audit_log"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit_log is only ever added to: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
--> statement-breakpoint
-- For each statement, not each row: a truncate has no rows, and what would change nothing is refused as well.
CREATE TRIGGER "audit_log_is_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_log"
FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change_of_audit_log"();
--> statement-breakpoint
-- "Always": also for a session that calls itself a replica, which skips other triggers.
ALTER TABLE "audit_log" ENABLE ALWAYS TRIGGER "audit_log_is_append_only";
