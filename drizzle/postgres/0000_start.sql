CREATE TABLE "marketplaces" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"preset" text NOT NULL,
	"policy_patch" jsonb NOT NULL,
	"return_urls" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"key_hash" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "connect_sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"professional_id" text NOT NULL,
	"token_hash" text NOT NULL,
	"providers" jsonb NOT NULL,
	"return_url" text,
	"locale" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "authorizations" (
	"state_hash" text PRIMARY KEY NOT NULL,
	"session_id" text NOT NULL,
	"provider" text NOT NULL,
	"browser_hash" text NOT NULL,
	"code_verifier_sealed" "bytea" NOT NULL,
	"connect_token_sealed" "bytea" NOT NULL,
	"recordings" boolean NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "connections" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"professional_id" text,
	"provider" text NOT NULL,
	"account_id" text NOT NULL,
	"organisation" text,
	"email" text,
	"plan" text NOT NULL,
	"creates_meetings" boolean NOT NULL,
	"cloud_recording" text NOT NULL,
	"scopes" jsonb NOT NULL,
	"status" text NOT NULL,
	"status_reason" text,
	"tokens_sealed" "bytea",
	"access_expires_at" timestamp (3) with time zone,
	"token_version" integer NOT NULL,
	"refresh_leased_until" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "subscriptions" (
	"provider" text NOT NULL,
	"vendor_id" text NOT NULL,
	"connection_id" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "subscriptions_provider_vendor_id_pk" PRIMARY KEY("provider","vendor_id")
);
--> statement-breakpoint
CREATE TABLE "meetings" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"booking_id" text NOT NULL,
	"booking_kind" text NOT NULL,
	"title" text NOT NULL,
	"professional_id" text NOT NULL,
	"connection_id" text,
	"provider" text NOT NULL,
	"state" text NOT NULL,
	"purchase_by" timestamp (3) with time zone NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"duration_minutes" integer NOT NULL,
	"time_zone" text NOT NULL,
	"recording" text NOT NULL,
	"link_source" text NOT NULL,
	"locked_at" timestamp (3) with time zone,
	"vendor_meeting_id" text,
	"vendor_details" jsonb NOT NULL,
	"vendor_join_url_sealed" "bytea",
	"degraded" jsonb NOT NULL,
	"host_token_hash" text NOT NULL,
	"host_token_sealed" "bytea" NOT NULL,
	"plan" text NOT NULL,
	"limit_minutes" integer,
	"limit_exceeded" boolean NOT NULL,
	"decision" jsonb NOT NULL,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"cancel_reason" text,
	"request_key" text,
	"vendor_key" text NOT NULL,
	"package_id" text,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "packages" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"booking_id" text NOT NULL,
	"settled_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "stale_links" (
	"key" text PRIMARY KEY NOT NULL,
	"meeting_id" text NOT NULL,
	"connection_id" text NOT NULL,
	"vendor_meeting_id" text,
	"vendor_details" jsonb NOT NULL,
	"join_url_sealed" "bytea"
);
--> statement-breakpoint
CREATE TABLE "live_bookings" (
	"key" text PRIMARY KEY NOT NULL,
	"meeting_id" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "used_links" (
	"link_hash" text PRIMARY KEY NOT NULL,
	"meeting_id" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "attendees" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"meeting_id" text NOT NULL,
	"customer_id" text NOT NULL,
	"name" text,
	"locale" text,
	"camera_off" boolean NOT NULL,
	"purchased_at" timestamp (3) with time zone,
	"recording_consent" text NOT NULL,
	"join_token_hash" text NOT NULL,
	"join_token_sealed" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "consents" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"meeting_id" text NOT NULL,
	"customer_id" text NOT NULL,
	"decision" text NOT NULL,
	"locale" text NOT NULL,
	"text_version" text NOT NULL,
	"channel" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "incidents" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"meeting_id" text NOT NULL,
	"side" text NOT NULL,
	"reporter_id" text NOT NULL,
	"kind" text,
	"text" text NOT NULL,
	"state" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "recordings" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"meeting_id" text NOT NULL,
	"source" text NOT NULL,
	"state" text NOT NULL,
	"fingerprint" text NOT NULL,
	"vendor_recording_sealed" "bytea",
	"link_sealed" "bytea",
	"title" text,
	"files" jsonb NOT NULL,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"published_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone,
	"erased_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "recording_links" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"recording_id" text NOT NULL,
	"customer_id" text NOT NULL,
	"token_hash" text NOT NULL,
	"token_sealed" "bytea",
	"views" integer NOT NULL,
	"first_viewed_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "webhook_endpoints" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"url" text NOT NULL,
	"events" jsonb NOT NULL,
	"description" text,
	"secret_sealed" "bytea" NOT NULL,
	"previous_secret_sealed" "bytea",
	"previous_secret_until" timestamp (3) with time zone,
	"disabled_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "events" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"type" text NOT NULL,
	"subject_id" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"position" text NOT NULL,
	"data" jsonb NOT NULL,
	"links_sealed" "bytea"
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"event_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"state" text NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"leased_until" timestamp (3) with time zone,
	"attempts" integer NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "delivery_attempts" (
	"id" text PRIMARY KEY NOT NULL,
	"delivery_id" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"status" integer,
	"duration_ms" integer NOT NULL,
	"answer" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "inbox" (
	"key" text PRIMARY KEY NOT NULL,
	"provider" text NOT NULL,
	"body" "bytea",
	"state" text NOT NULL,
	"reason" text,
	"received_at" timestamp (3) with time zone NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"leased_until" timestamp (3) with time zone,
	"attempts" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"subject_id" text NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"leased_until" timestamp (3) with time zone,
	"attempts" integer NOT NULL,
	"dead_at" timestamp (3) with time zone,
	"last_error" text
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"marketplace_id" text NOT NULL,
	"key" text NOT NULL,
	"fingerprint" text NOT NULL,
	"status" integer,
	"body_sealed" "bytea",
	"leased_until" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_marketplace_id_key_pk" PRIMARY KEY("marketplace_id","key")
);
--> statement-breakpoint
CREATE TABLE "audit" (
	"id" text PRIMARY KEY NOT NULL,
	"marketplace_id" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"action" text NOT NULL,
	"subject_id" text NOT NULL,
	"details" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pulses" (
	"name" text PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_hash" ON "api_keys" USING btree ("key_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "connect_sessions_token" ON "connect_sessions" USING btree ("token_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "connections_account" ON "connections" USING btree ("marketplace_id","professional_id","provider","account_id");--> statement-breakpoint
CREATE INDEX "connections_vendor_account" ON "connections" USING btree ("provider","account_id");--> statement-breakpoint
CREATE UNIQUE INDEX "subscriptions_connection" ON "subscriptions" USING btree ("connection_id");--> statement-breakpoint
CREATE UNIQUE INDEX "meetings_vendor" ON "meetings" USING btree ("provider","vendor_meeting_id");--> statement-breakpoint
CREATE UNIQUE INDEX "meetings_host_token" ON "meetings" USING btree ("host_token_hash");--> statement-breakpoint
CREATE INDEX "meetings_marketplace" ON "meetings" USING btree ("marketplace_id","id");--> statement-breakpoint
CREATE INDEX "meetings_package" ON "meetings" USING btree ("package_id");--> statement-breakpoint
CREATE INDEX "meetings_booking" ON "meetings" USING btree ("marketplace_id","booking_id");--> statement-breakpoint
CREATE INDEX "live_bookings_meeting" ON "live_bookings" USING btree ("meeting_id");--> statement-breakpoint
CREATE UNIQUE INDEX "attendees_customer" ON "attendees" USING btree ("meeting_id","customer_id");--> statement-breakpoint
CREATE UNIQUE INDEX "attendees_join_token" ON "attendees" USING btree ("join_token_hash");--> statement-breakpoint
CREATE INDEX "consents_meeting" ON "consents" USING btree ("meeting_id");--> statement-breakpoint
CREATE INDEX "incidents_meeting" ON "incidents" USING btree ("meeting_id");--> statement-breakpoint
CREATE UNIQUE INDEX "recordings_fingerprint" ON "recordings" USING btree ("fingerprint");--> statement-breakpoint
CREATE INDEX "recordings_meeting" ON "recordings" USING btree ("meeting_id");--> statement-breakpoint
CREATE UNIQUE INDEX "recording_links_recipient" ON "recording_links" USING btree ("recording_id","customer_id");--> statement-breakpoint
CREATE UNIQUE INDEX "recording_links_token" ON "recording_links" USING btree ("token_hash");--> statement-breakpoint
CREATE INDEX "webhook_endpoints_marketplace" ON "webhook_endpoints" USING btree ("marketplace_id");--> statement-breakpoint
CREATE INDEX "events_position" ON "events" USING btree ("marketplace_id","position");--> statement-breakpoint
CREATE INDEX "events_subject" ON "events" USING btree ("subject_id");--> statement-breakpoint
CREATE UNIQUE INDEX "deliveries_event_endpoint" ON "deliveries" USING btree ("event_id","endpoint_id");--> statement-breakpoint
CREATE INDEX "deliveries_due" ON "deliveries" USING btree ("due_at") WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX "deliveries_endpoint" ON "deliveries" USING btree ("endpoint_id","id");--> statement-breakpoint
CREATE INDEX "delivery_attempts_delivery" ON "delivery_attempts" USING btree ("delivery_id","id");--> statement-breakpoint
CREATE INDEX "inbox_due" ON "inbox" USING btree ("due_at") WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX "jobs_due" ON "jobs" USING btree ("due_at") WHERE dead_at is null;--> statement-breakpoint
CREATE INDEX "idempotency_keys_age" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "audit_subject" ON "audit" USING btree ("subject_id","id");