CREATE TABLE `recording_expectations` (
	`meeting_id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`state` text NOT NULL,
	`met_by` text,
	`ended_at` integer NOT NULL,
	`deadline` integer NOT NULL,
	`looks` integer NOT NULL,
	`looked_at` integer
);
--> statement-breakpoint
CREATE INDEX `recording_expectations_open` ON `recording_expectations` (`deadline`) WHERE state = 'open';
--> statement-breakpoint
CREATE TABLE `signing_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`public_jwk` text NOT NULL,
	`private_sealed` blob NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `event_sequences` (
	`meeting_id` text PRIMARY KEY NOT NULL,
	`last` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `audit_heads` (
	`marketplace_id` text PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL,
	`hash` text NOT NULL
);
--> statement-breakpoint
DROP INDEX `recording_links_recipient`;
--> statement-breakpoint
ALTER TABLE `recording_links` ADD `kind` text DEFAULT 'recipient' NOT NULL;
--> statement-breakpoint
ALTER TABLE `recording_links` ADD `incident_id` text;
--> statement-breakpoint
ALTER TABLE `recording_links` ADD `expires_at` integer;
--> statement-breakpoint
CREATE INDEX `recording_links_recording` ON `recording_links` (`recording_id`);
--> statement-breakpoint
CREATE UNIQUE INDEX `recording_links_recipient` ON `recording_links` (`recording_id`,`customer_id`) WHERE revoked_at is null and kind = 'recipient';
--> statement-breakpoint
ALTER TABLE `meetings` ADD `records_automatically` integer DEFAULT false NOT NULL;
--> statement-breakpoint
ALTER TABLE `recordings` ADD `reason` text;
--> statement-breakpoint
ALTER TABLE `recordings` ADD `ready_at` integer;
--> statement-breakpoint
ALTER TABLE `recordings` ADD `shared_at` integer;
--> statement-breakpoint
ALTER TABLE `recordings` ADD `vendor_ending` text;
--> statement-breakpoint
ALTER TABLE `recordings` ADD `vendor_ended_at` integer;
--> statement-breakpoint
ALTER TABLE `webhook_endpoints` ADD `disabled_reason` text;
--> statement-breakpoint
ALTER TABLE `webhook_endpoints` ADD `failing_since` integer;
--> statement-breakpoint
ALTER TABLE `events` ADD `sequence` integer;
--> statement-breakpoint
ALTER TABLE `deliveries` ADD `reason` text;
--> statement-breakpoint
ALTER TABLE `audit` ADD `seq` integer;
--> statement-breakpoint
ALTER TABLE `audit` ADD `hash` text;
--> statement-breakpoint
CREATE UNIQUE INDEX `audit_chain` ON `audit` (`marketplace_id`,`seq`);
--> statement-breakpoint
UPDATE recordings SET ready_at = created_at WHERE state <> 'processing';
--> statement-breakpoint
UPDATE recordings SET reason = 'consent_missing' WHERE state = 'withheld';
--> statement-breakpoint
UPDATE recordings SET reason = 'marketplace' WHERE state = 'revoked';