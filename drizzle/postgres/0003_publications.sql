CREATE TABLE "recording_expectations" (
	"meeting_id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"state" text NOT NULL,
	"met_by" text,
	"ended_at" timestamp (3) with time zone NOT NULL,
	"deadline" timestamp (3) with time zone NOT NULL,
	"looks" integer NOT NULL,
	"looked_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "signing_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"public_jwk" jsonb NOT NULL,
	"private_sealed" bytea NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "event_sequences" (
	"meeting_id" text PRIMARY KEY NOT NULL,
	"last" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "audit_heads" (
	"marketplace_id" text PRIMARY KEY NOT NULL,
	"seq" integer NOT NULL,
	"hash" text NOT NULL
);
--> statement-breakpoint
DROP INDEX "recording_links_recipient";
--> statement-breakpoint
ALTER TABLE "meetings" ADD COLUMN "records_automatically" boolean DEFAULT false NOT NULL;
--> statement-breakpoint
ALTER TABLE "recordings" ADD COLUMN "reason" text;
--> statement-breakpoint
ALTER TABLE "recordings" ADD COLUMN "ready_at" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "recordings" ADD COLUMN "shared_at" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "recordings" ADD COLUMN "vendor_ending" text;
--> statement-breakpoint
ALTER TABLE "recordings" ADD COLUMN "vendor_ended_at" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "recording_links" ADD COLUMN "kind" text DEFAULT 'recipient' NOT NULL;
--> statement-breakpoint
ALTER TABLE "recording_links" ADD COLUMN "incident_id" text;
--> statement-breakpoint
ALTER TABLE "recording_links" ADD COLUMN "expires_at" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "disabled_reason" text;
--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "failing_since" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "sequence" integer;
--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "reason" text;
--> statement-breakpoint
ALTER TABLE "audit" ADD COLUMN "seq" integer;
--> statement-breakpoint
ALTER TABLE "audit" ADD COLUMN "hash" text;
--> statement-breakpoint
CREATE INDEX "recording_expectations_open" ON "recording_expectations" USING btree ("deadline") WHERE state = 'open';
--> statement-breakpoint
CREATE INDEX "recording_links_recording" ON "recording_links" USING btree ("recording_id");
--> statement-breakpoint
CREATE UNIQUE INDEX "audit_chain" ON "audit" USING btree ("marketplace_id","seq");
--> statement-breakpoint
CREATE UNIQUE INDEX "recording_links_recipient" ON "recording_links" USING btree ("recording_id","customer_id") WHERE revoked_at is null and kind = 'recipient';
--> statement-breakpoint
UPDATE recordings SET ready_at = created_at WHERE state <> 'processing';
--> statement-breakpoint
UPDATE recordings SET reason = 'consent_missing' WHERE state = 'withheld';
--> statement-breakpoint
UPDATE recordings SET reason = 'marketplace' WHERE state = 'revoked';
--> statement-breakpoint
ALTER TABLE "meetings" ALTER COLUMN "records_automatically" DROP DEFAULT;
--> statement-breakpoint
ALTER TABLE "recording_links" ALTER COLUMN "kind" DROP DEFAULT;