CREATE TABLE "grants" (
	"id" text PRIMARY KEY NOT NULL,
	"provider" text NOT NULL,
	"kind" text NOT NULL,
	"account_id" text NOT NULL,
	"tokens_sealed" "bytea",
	"access_expires_at" timestamp (3) with time zone,
	"scopes" jsonb NOT NULL,
	"token_version" integer NOT NULL,
	"refresh_leased_until" timestamp (3) with time zone,
	"refreshed_at" timestamp (3) with time zone NOT NULL,
	"failures" integer NOT NULL,
	"failing_since" timestamp (3) with time zone,
	"retry_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "host_slots" (
	"meeting_id" text PRIMARY KEY NOT NULL,
	"connection_id" text NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"ends_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "quota_windows" (
	"key" text PRIMARY KEY NOT NULL,
	"used" integer NOT NULL,
	"ends_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "alarms" (
	"name" text PRIMARY KEY NOT NULL,
	"detail" text NOT NULL,
	"raised_at" timestamp (3) with time zone NOT NULL,
	"seen_at" timestamp (3) with time zone NOT NULL,
	"count" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "encryption_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"check_sealed" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "authorizations" ADD COLUMN "kind" text DEFAULT 'connect' NOT NULL;
--> statement-breakpoint
ALTER TABLE "authorizations" ADD COLUMN "connection_id" text;
--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "grant_id" text DEFAULT '' NOT NULL;
--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "status_version" integer DEFAULT 1 NOT NULL;
--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "preferred_at" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "profile_read_at" timestamp (3) with time zone DEFAULT 'epoch' NOT NULL;
--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "concurrent_meetings" integer DEFAULT 1 NOT NULL;
--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "erased_at" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "inbox" ADD COLUMN "body_sealed" "bytea";
--> statement-breakpoint
CREATE UNIQUE INDEX "grants_account" ON "grants" USING btree ("provider","kind","account_id");
--> statement-breakpoint
CREATE INDEX "host_slots_host" ON "host_slots" USING btree ("connection_id","ends_at");
--> statement-breakpoint
CREATE INDEX "quota_windows_end" ON "quota_windows" USING btree ("ends_at");
--> statement-breakpoint
CREATE INDEX "connections_grant" ON "connections" USING btree ("grant_id");
--> statement-breakpoint
INSERT INTO "grants" (id, provider, kind, account_id, tokens_sealed, access_expires_at, scopes, token_version, refreshed_at, failures)
SELECT id, provider, 'user', account_id, tokens_sealed, access_expires_at, scopes, token_version, created_at, 0
FROM (
	SELECT c.*, row_number() OVER (
		PARTITION BY provider, account_id ORDER BY CASE WHEN status = 'active' THEN 0 ELSE 1 END, access_expires_at DESC NULLS LAST, id
	) AS place
	FROM connections c
) ranked
WHERE place = 1;
--> statement-breakpoint
UPDATE connections SET
	grant_id = (SELECT g.id FROM grants g WHERE g.provider = connections.provider AND g.account_id = connections.account_id),
	profile_read_at = created_at,
	status_reason = CASE status WHEN 'active' THEN NULL WHEN 'revoked' THEN 'disconnected' ELSE 'unknown' END;
--> statement-breakpoint
UPDATE inbox SET body_sealed = body;
--> statement-breakpoint
ALTER TABLE "connections" ALTER COLUMN "grant_id" DROP DEFAULT;
--> statement-breakpoint
ALTER TABLE "connections" ALTER COLUMN "status_version" DROP DEFAULT;
--> statement-breakpoint
ALTER TABLE "connections" ALTER COLUMN "profile_read_at" DROP DEFAULT;
--> statement-breakpoint
ALTER TABLE "connections" ALTER COLUMN "concurrent_meetings" DROP DEFAULT;
--> statement-breakpoint
ALTER TABLE "connections" DROP COLUMN "scopes";
--> statement-breakpoint
ALTER TABLE "connections" DROP COLUMN "tokens_sealed";
--> statement-breakpoint
ALTER TABLE "connections" DROP COLUMN "access_expires_at";
--> statement-breakpoint
ALTER TABLE "connections" DROP COLUMN "token_version";
--> statement-breakpoint
ALTER TABLE "connections" DROP COLUMN "refresh_leased_until";
--> statement-breakpoint
ALTER TABLE "inbox" DROP COLUMN "body";
