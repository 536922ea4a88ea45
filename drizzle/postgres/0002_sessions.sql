CREATE TABLE "meeting_facts" (
	"meeting_id" text NOT NULL,
	"key" text NOT NULL,
	"marketplace_id" text NOT NULL,
	"instance_id" text NOT NULL,
	"kind" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"participant_id" text,
	"side" text NOT NULL,
	"customer_id" text,
	"limit_reached" boolean NOT NULL,
	"source" text NOT NULL,
	CONSTRAINT "meeting_facts_meeting_id_key_pk" PRIMARY KEY("meeting_id","key")
);
--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "declared_plan" text;
--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "learned_plan" text;
--> statement-breakpoint
ALTER TABLE "meetings" ADD COLUMN "plan_basis" text DEFAULT 'none' NOT NULL;
--> statement-breakpoint
ALTER TABLE "meetings" ADD COLUMN "running_since" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "meetings" ADD COLUMN "limit_ends_at" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "meetings" ADD COLUMN "host_away_since" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "meetings" ADD COLUMN "host_lost_at" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "meetings" ADD COLUMN "continues" text;
--> statement-breakpoint
ALTER TABLE "meetings" ADD COLUMN "continued_by" text;
--> statement-breakpoint
CREATE INDEX "meetings_connection" ON "meetings" USING btree ("connection_id","starts_at");
--> statement-breakpoint
UPDATE meetings SET plan_basis = 'vendor' WHERE plan <> 'unknown';
--> statement-breakpoint
ALTER TABLE "meetings" ALTER COLUMN "plan_basis" DROP DEFAULT;
