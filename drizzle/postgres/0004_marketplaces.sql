CREATE TABLE "incident_entries" (
	"id" text PRIMARY KEY NOT NULL,
	"incident_id" text NOT NULL,
	"marketplace_id" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"kind" text NOT NULL,
	"by" text NOT NULL,
	"state" text,
	"text" text
);
--> statement-breakpoint
CREATE TABLE "professionals" (
	"marketplace_id" text NOT NULL,
	"professional_id" text NOT NULL,
	"presence" text NOT NULL,
	"video" boolean NOT NULL,
	"present_until" timestamp (3) with time zone,
	"presence_version" integer NOT NULL,
	"time_zone" text,
	"hours" jsonb NOT NULL,
	"default_duration_minutes" integer,
	"standing" text NOT NULL,
	"standing_until" timestamp (3) with time zone,
	"decision_id" text,
	CONSTRAINT "professionals_marketplace_id_professional_id_pk" PRIMARY KEY("marketplace_id","professional_id")
);
--> statement-breakpoint
CREATE TABLE "standing_decisions" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"professional_id" text NOT NULL,
	"standing" text NOT NULL,
	"until" timestamp (3) with time zone,
	"reason" text NOT NULL,
	"incident_id" text,
	"appeal_id" text,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "appeals" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"professional_id" text NOT NULL,
	"decision_id" text NOT NULL,
	"text" text NOT NULL,
	"evidence" jsonb NOT NULL,
	"state" text NOT NULL,
	"answer" text,
	"at" timestamp (3) with time zone NOT NULL,
	"decided_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "calls" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"booking_id" text NOT NULL,
	"professional_id" text NOT NULL,
	"customer_id" text NOT NULL,
	"initiator" text NOT NULL,
	"purpose" text,
	"conversation_id" text,
	"video" boolean NOT NULL,
	"prepaid_blocks" integer,
	"state" text NOT NULL,
	"rings" boolean NOT NULL,
	"accept_by" timestamp (3) with time zone NOT NULL,
	"answered_at" timestamp (3) with time zone,
	"meeting_id" text,
	"request" jsonb NOT NULL,
	"professional_token_hash" text NOT NULL,
	"professional_token_sealed" bytea NOT NULL,
	"customer_token_hash" text NOT NULL,
	"customer_token_sealed" bytea NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "meters" (
	"meeting_id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"booking_id" text NOT NULL,
	"credit_blocks" integer,
	"used_blocks" integer NOT NULL,
	"block_ends_at" timestamp (3) with time zone,
	"exhausted_at" timestamp (3) with time zone,
	"balance_text" text
);
--> statement-breakpoint
CREATE TABLE "meter_blocks" (
	"meeting_id" text NOT NULL,
	"marketplace_id" text NOT NULL,
	"booking_id" text NOT NULL,
	"instance_id" text NOT NULL,
	"number" integer NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"voided_at" timestamp (3) with time zone,
	CONSTRAINT "meter_blocks_meeting_id_instance_id_number_pk" PRIMARY KEY("meeting_id","instance_id","number")
);
--> statement-breakpoint
CREATE TABLE "early_ends" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"meeting_id" text NOT NULL,
	"asked_by" text NOT NULL,
	"customer_id" text,
	"state" text NOT NULL,
	"answer_by" timestamp (3) with time zone NOT NULL,
	"answered_at" timestamp (3) with time zone,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "guests" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"meeting_id" text NOT NULL,
	"name" text,
	"invited_by" text NOT NULL,
	"customer_id" text,
	"token_hash" text NOT NULL,
	"token_sealed" bytea NOT NULL,
	"uses" integer NOT NULL,
	"last_used_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "join_places" (
	"attendee_id" text NOT NULL,
	"place_hash" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "join_places_attendee_id_place_hash_pk" PRIMARY KEY("attendee_id","place_hash")
);
--> statement-breakpoint
CREATE TABLE "ratings" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"meeting_id" text NOT NULL,
	"professional_id" text NOT NULL,
	"customer_id" text NOT NULL,
	"professional" integer NOT NULL,
	"connection" integer NOT NULL,
	"comment" text,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contents" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"booking_id" text NOT NULL,
	"professional_id" text NOT NULL,
	"title" text NOT NULL,
	"link_sealed" bytea,
	"fingerprint" text NOT NULL,
	"erased_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "content_links" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"booking_id" text NOT NULL,
	"customer_id" text NOT NULL,
	"token_hash" text NOT NULL,
	"token_sealed" bytea,
	"views" integer NOT NULL,
	"first_viewed_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "meetings" ADD COLUMN "call_id" text;
--> statement-breakpoint
ALTER TABLE "meetings" ADD COLUMN "ended_by" text;
--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "resolution" text;
--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "resolved_at" timestamp (3) with time zone;
--> statement-breakpoint
CREATE INDEX "incident_entries_incident" ON "incident_entries" USING btree ("incident_id","id");
--> statement-breakpoint
CREATE INDEX "standing_decisions_professional" ON "standing_decisions" USING btree ("marketplace_id","professional_id","id");
--> statement-breakpoint
CREATE UNIQUE INDEX "appeals_decision" ON "appeals" USING btree ("decision_id");
--> statement-breakpoint
CREATE INDEX "appeals_professional" ON "appeals" USING btree ("marketplace_id","professional_id","id");
--> statement-breakpoint
CREATE UNIQUE INDEX "calls_professional_token" ON "calls" USING btree ("professional_token_hash");
--> statement-breakpoint
CREATE UNIQUE INDEX "calls_customer_token" ON "calls" USING btree ("customer_token_hash");
--> statement-breakpoint
CREATE UNIQUE INDEX "calls_ringing" ON "calls" USING btree ("marketplace_id","professional_id","customer_id") WHERE state = 'ringing';
--> statement-breakpoint
CREATE INDEX "calls_professional" ON "calls" USING btree ("marketplace_id","professional_id","id");--> statement-breakpoint
CREATE INDEX "calls_marketplace" ON "calls" USING btree ("marketplace_id","id");
--> statement-breakpoint
CREATE INDEX "meter_blocks_booking" ON "meter_blocks" USING btree ("marketplace_id","booking_id");
--> statement-breakpoint
CREATE UNIQUE INDEX "early_ends_asked" ON "early_ends" USING btree ("meeting_id") WHERE state = 'asked';
--> statement-breakpoint
CREATE INDEX "early_ends_meeting" ON "early_ends" USING btree ("meeting_id","id");
--> statement-breakpoint
CREATE UNIQUE INDEX "guests_token" ON "guests" USING btree ("token_hash");
--> statement-breakpoint
CREATE INDEX "guests_meeting" ON "guests" USING btree ("meeting_id","id");
--> statement-breakpoint
CREATE UNIQUE INDEX "ratings_customer" ON "ratings" USING btree ("meeting_id","customer_id");
--> statement-breakpoint
CREATE INDEX "ratings_professional" ON "ratings" USING btree ("marketplace_id","professional_id","id");
--> statement-breakpoint
CREATE UNIQUE INDEX "contents_fingerprint" ON "contents" USING btree ("fingerprint");
--> statement-breakpoint
CREATE INDEX "contents_booking" ON "contents" USING btree ("marketplace_id","booking_id","id");
--> statement-breakpoint
CREATE UNIQUE INDEX "content_links_token" ON "content_links" USING btree ("token_hash");
--> statement-breakpoint
CREATE UNIQUE INDEX "content_links_customer" ON "content_links" USING btree ("marketplace_id","booking_id","customer_id");
--> statement-breakpoint
CREATE INDEX "incidents_marketplace" ON "incidents" USING btree ("marketplace_id","id");