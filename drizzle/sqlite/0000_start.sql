CREATE TABLE `marketplaces` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`preset` text NOT NULL,
	`policy_patch` text NOT NULL,
	`return_urls` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`key_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_hash` ON `api_keys` (`key_hash`);--> statement-breakpoint
CREATE TABLE `connect_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`professional_id` text NOT NULL,
	`token_hash` text NOT NULL,
	`providers` text NOT NULL,
	`return_url` text,
	`locale` text,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `connect_sessions_token` ON `connect_sessions` (`token_hash`);--> statement-breakpoint
CREATE TABLE `authorizations` (
	`state_hash` text PRIMARY KEY NOT NULL,
	`session_id` text NOT NULL,
	`provider` text NOT NULL,
	`browser_hash` text NOT NULL,
	`code_verifier_sealed` blob NOT NULL,
	`connect_token_sealed` blob NOT NULL,
	`recordings` integer NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `connections` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`professional_id` text,
	`provider` text NOT NULL,
	`account_id` text NOT NULL,
	`organisation` text,
	`email` text,
	`plan` text NOT NULL,
	`creates_meetings` integer NOT NULL,
	`cloud_recording` text NOT NULL,
	`scopes` text NOT NULL,
	`status` text NOT NULL,
	`status_reason` text,
	`tokens_sealed` blob,
	`access_expires_at` integer,
	`token_version` integer NOT NULL,
	`refresh_leased_until` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `connections_account` ON `connections` (`marketplace_id`,`professional_id`,`provider`,`account_id`);--> statement-breakpoint
CREATE INDEX `connections_vendor_account` ON `connections` (`provider`,`account_id`);--> statement-breakpoint
CREATE TABLE `subscriptions` (
	`provider` text NOT NULL,
	`vendor_id` text NOT NULL,
	`connection_id` text NOT NULL,
	`expires_at` integer NOT NULL,
	PRIMARY KEY(`provider`, `vendor_id`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `subscriptions_connection` ON `subscriptions` (`connection_id`);--> statement-breakpoint
CREATE TABLE `meetings` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`booking_id` text NOT NULL,
	`booking_kind` text NOT NULL,
	`title` text NOT NULL,
	`professional_id` text NOT NULL,
	`connection_id` text,
	`provider` text NOT NULL,
	`state` text NOT NULL,
	`purchase_by` integer NOT NULL,
	`starts_at` integer NOT NULL,
	`duration_minutes` integer NOT NULL,
	`time_zone` text NOT NULL,
	`recording` text NOT NULL,
	`link_source` text NOT NULL,
	`locked_at` integer,
	`vendor_meeting_id` text,
	`vendor_details` text NOT NULL,
	`vendor_join_url_sealed` blob,
	`degraded` text NOT NULL,
	`host_token_hash` text NOT NULL,
	`host_token_sealed` blob NOT NULL,
	`plan` text NOT NULL,
	`limit_minutes` integer,
	`limit_exceeded` integer NOT NULL,
	`decision` text NOT NULL,
	`started_at` integer,
	`ended_at` integer,
	`cancel_reason` text,
	`request_key` text,
	`vendor_key` text NOT NULL,
	`package_id` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `meetings_vendor` ON `meetings` (`provider`,`vendor_meeting_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `meetings_host_token` ON `meetings` (`host_token_hash`);--> statement-breakpoint
CREATE INDEX `meetings_marketplace` ON `meetings` (`marketplace_id`,`id`);--> statement-breakpoint
CREATE INDEX `meetings_package` ON `meetings` (`package_id`);--> statement-breakpoint
CREATE INDEX `meetings_booking` ON `meetings` (`marketplace_id`,`booking_id`);--> statement-breakpoint
CREATE TABLE `packages` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`booking_id` text NOT NULL,
	`settled_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `stale_links` (
	`key` text PRIMARY KEY NOT NULL,
	`meeting_id` text NOT NULL,
	`connection_id` text NOT NULL,
	`vendor_meeting_id` text,
	`vendor_details` text NOT NULL,
	`join_url_sealed` blob
);
--> statement-breakpoint
CREATE TABLE `live_bookings` (
	`key` text PRIMARY KEY NOT NULL,
	`meeting_id` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `live_bookings_meeting` ON `live_bookings` (`meeting_id`);--> statement-breakpoint
CREATE TABLE `used_links` (
	`link_hash` text PRIMARY KEY NOT NULL,
	`meeting_id` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `attendees` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`meeting_id` text NOT NULL,
	`customer_id` text NOT NULL,
	`name` text,
	`locale` text,
	`camera_off` integer NOT NULL,
	`purchased_at` integer,
	`recording_consent` text NOT NULL,
	`join_token_hash` text NOT NULL,
	`join_token_sealed` blob NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `attendees_customer` ON `attendees` (`meeting_id`,`customer_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `attendees_join_token` ON `attendees` (`join_token_hash`);--> statement-breakpoint
CREATE TABLE `consents` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`meeting_id` text NOT NULL,
	`customer_id` text NOT NULL,
	`decision` text NOT NULL,
	`locale` text NOT NULL,
	`text_version` text NOT NULL,
	`channel` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `consents_meeting` ON `consents` (`meeting_id`);--> statement-breakpoint
CREATE TABLE `incidents` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`meeting_id` text NOT NULL,
	`side` text NOT NULL,
	`reporter_id` text NOT NULL,
	`kind` text,
	`text` text NOT NULL,
	`state` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `incidents_meeting` ON `incidents` (`meeting_id`);--> statement-breakpoint
CREATE TABLE `recordings` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`meeting_id` text NOT NULL,
	`source` text NOT NULL,
	`state` text NOT NULL,
	`fingerprint` text NOT NULL,
	`vendor_recording_sealed` blob,
	`link_sealed` blob,
	`title` text,
	`files` text NOT NULL,
	`started_at` integer,
	`ended_at` integer,
	`published_at` integer,
	`expires_at` integer,
	`erased_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `recordings_fingerprint` ON `recordings` (`fingerprint`);--> statement-breakpoint
CREATE INDEX `recordings_meeting` ON `recordings` (`meeting_id`);--> statement-breakpoint
CREATE TABLE `recording_links` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`recording_id` text NOT NULL,
	`customer_id` text NOT NULL,
	`token_hash` text NOT NULL,
	`token_sealed` blob,
	`views` integer NOT NULL,
	`first_viewed_at` integer,
	`revoked_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `recording_links_recipient` ON `recording_links` (`recording_id`,`customer_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `recording_links_token` ON `recording_links` (`token_hash`);--> statement-breakpoint
CREATE TABLE `webhook_endpoints` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`url` text NOT NULL,
	`events` text NOT NULL,
	`description` text,
	`secret_sealed` blob NOT NULL,
	`previous_secret_sealed` blob,
	`previous_secret_until` integer,
	`disabled_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `webhook_endpoints_marketplace` ON `webhook_endpoints` (`marketplace_id`);--> statement-breakpoint
CREATE TABLE `events` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`type` text NOT NULL,
	`subject_id` text NOT NULL,
	`at` integer NOT NULL,
	`position` text NOT NULL,
	`data` text NOT NULL,
	`links_sealed` blob
);
--> statement-breakpoint
CREATE INDEX `events_position` ON `events` (`marketplace_id`,`position`);--> statement-breakpoint
CREATE INDEX `events_subject` ON `events` (`subject_id`);--> statement-breakpoint
CREATE TABLE `deliveries` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`event_id` text NOT NULL,
	`endpoint_id` text NOT NULL,
	`state` text NOT NULL,
	`due_at` integer NOT NULL,
	`leased_until` integer,
	`attempts` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `deliveries_event_endpoint` ON `deliveries` (`event_id`,`endpoint_id`);--> statement-breakpoint
CREATE INDEX `deliveries_due` ON `deliveries` (`due_at`) WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX `deliveries_endpoint` ON `deliveries` (`endpoint_id`,`id`);--> statement-breakpoint
CREATE TABLE `delivery_attempts` (
	`id` text PRIMARY KEY NOT NULL,
	`delivery_id` text NOT NULL,
	`at` integer NOT NULL,
	`status` integer,
	`duration_ms` integer NOT NULL,
	`answer` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `delivery_attempts_delivery` ON `delivery_attempts` (`delivery_id`,`id`);--> statement-breakpoint
CREATE TABLE `inbox` (
	`key` text PRIMARY KEY NOT NULL,
	`provider` text NOT NULL,
	`body` blob,
	`state` text NOT NULL,
	`reason` text,
	`received_at` integer NOT NULL,
	`due_at` integer NOT NULL,
	`leased_until` integer,
	`attempts` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `inbox_due` ON `inbox` (`due_at`) WHERE state = 'pending';--> statement-breakpoint
CREATE TABLE `jobs` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`subject_id` text NOT NULL,
	`due_at` integer NOT NULL,
	`leased_until` integer,
	`attempts` integer NOT NULL,
	`dead_at` integer,
	`last_error` text
);
--> statement-breakpoint
CREATE INDEX `jobs_due` ON `jobs` (`due_at`) WHERE dead_at is null;--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`marketplace_id` text NOT NULL,
	`key` text NOT NULL,
	`fingerprint` text NOT NULL,
	`status` integer,
	`body_sealed` blob,
	`leased_until` integer NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`marketplace_id`, `key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_keys_age` ON `idempotency_keys` (`created_at`);--> statement-breakpoint
CREATE TABLE `audit` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`at` integer NOT NULL,
	`action` text NOT NULL,
	`subject_id` text NOT NULL,
	`details` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `audit_subject` ON `audit` (`subject_id`,`id`);--> statement-breakpoint
CREATE TABLE `pulses` (
	`name` text PRIMARY KEY NOT NULL,
	`at` integer NOT NULL
);
