CREATE TABLE `incident_entries` (
	`id` text PRIMARY KEY NOT NULL,
	`incident_id` text NOT NULL,
	`marketplace_id` text NOT NULL,
	`at` integer NOT NULL,
	`kind` text NOT NULL,
	`by` text NOT NULL,
	`state` text,
	`text` text
);
--> statement-breakpoint
CREATE INDEX `incident_entries_incident` ON `incident_entries` (`incident_id`,`id`);
--> statement-breakpoint
CREATE TABLE `professionals` (
	`marketplace_id` text NOT NULL,
	`professional_id` text NOT NULL,
	`presence` text NOT NULL,
	`video` integer NOT NULL,
	`present_until` integer,
	`presence_version` integer NOT NULL,
	`time_zone` text,
	`hours` text NOT NULL,
	`default_duration_minutes` integer,
	`standing` text NOT NULL,
	`standing_until` integer,
	`decision_id` text,
	PRIMARY KEY(`marketplace_id`, `professional_id`)
);
--> statement-breakpoint
CREATE TABLE `standing_decisions` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`professional_id` text NOT NULL,
	`standing` text NOT NULL,
	`until` integer,
	`reason` text NOT NULL,
	`incident_id` text,
	`appeal_id` text,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `standing_decisions_professional` ON `standing_decisions` (`marketplace_id`,`professional_id`,`id`);
--> statement-breakpoint
CREATE TABLE `appeals` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`professional_id` text NOT NULL,
	`decision_id` text NOT NULL,
	`text` text NOT NULL,
	`evidence` text NOT NULL,
	`state` text NOT NULL,
	`answer` text,
	`at` integer NOT NULL,
	`decided_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `appeals_decision` ON `appeals` (`decision_id`);
--> statement-breakpoint
CREATE INDEX `appeals_professional` ON `appeals` (`marketplace_id`,`professional_id`,`id`);
--> statement-breakpoint
CREATE TABLE `calls` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`booking_id` text NOT NULL,
	`professional_id` text NOT NULL,
	`customer_id` text NOT NULL,
	`initiator` text NOT NULL,
	`purpose` text,
	`conversation_id` text,
	`video` integer NOT NULL,
	`prepaid_blocks` integer,
	`state` text NOT NULL,
	`rings` integer NOT NULL,
	`accept_by` integer NOT NULL,
	`answered_at` integer,
	`meeting_id` text,
	`request` text NOT NULL,
	`professional_token_hash` text NOT NULL,
	`professional_token_sealed` blob NOT NULL,
	`customer_token_hash` text NOT NULL,
	`customer_token_sealed` blob NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `calls_professional_token` ON `calls` (`professional_token_hash`);
--> statement-breakpoint
CREATE UNIQUE INDEX `calls_customer_token` ON `calls` (`customer_token_hash`);
--> statement-breakpoint
CREATE UNIQUE INDEX `calls_ringing` ON `calls` (`marketplace_id`,`professional_id`,`customer_id`) WHERE state = 'ringing';
--> statement-breakpoint
CREATE INDEX `calls_professional` ON `calls` (`marketplace_id`,`professional_id`,`id`);--> statement-breakpoint
CREATE INDEX `calls_marketplace` ON `calls` (`marketplace_id`,`id`);
--> statement-breakpoint
CREATE TABLE `meters` (
	`meeting_id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`booking_id` text NOT NULL,
	`credit_blocks` integer,
	`used_blocks` integer NOT NULL,
	`block_ends_at` integer,
	`exhausted_at` integer,
	`balance_text` text
);
--> statement-breakpoint
CREATE TABLE `meter_blocks` (
	`meeting_id` text NOT NULL,
	`marketplace_id` text NOT NULL,
	`booking_id` text NOT NULL,
	`instance_id` text NOT NULL,
	`number` integer NOT NULL,
	`starts_at` integer NOT NULL,
	`voided_at` integer,
	PRIMARY KEY(`meeting_id`, `instance_id`, `number`)
);
--> statement-breakpoint
CREATE INDEX `meter_blocks_booking` ON `meter_blocks` (`marketplace_id`,`booking_id`);
--> statement-breakpoint
CREATE TABLE `early_ends` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`meeting_id` text NOT NULL,
	`asked_by` text NOT NULL,
	`customer_id` text,
	`state` text NOT NULL,
	`answer_by` integer NOT NULL,
	`answered_at` integer,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `early_ends_asked` ON `early_ends` (`meeting_id`) WHERE state = 'asked';
--> statement-breakpoint
CREATE INDEX `early_ends_meeting` ON `early_ends` (`meeting_id`,`id`);
--> statement-breakpoint
CREATE TABLE `guests` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`meeting_id` text NOT NULL,
	`name` text,
	`invited_by` text NOT NULL,
	`customer_id` text,
	`token_hash` text NOT NULL,
	`token_sealed` blob NOT NULL,
	`uses` integer NOT NULL,
	`last_used_at` integer,
	`revoked_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `guests_token` ON `guests` (`token_hash`);
--> statement-breakpoint
CREATE INDEX `guests_meeting` ON `guests` (`meeting_id`,`id`);
--> statement-breakpoint
CREATE TABLE `join_places` (
	`attendee_id` text NOT NULL,
	`place_hash` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`attendee_id`, `place_hash`)
);
--> statement-breakpoint
CREATE TABLE `ratings` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`meeting_id` text NOT NULL,
	`professional_id` text NOT NULL,
	`customer_id` text NOT NULL,
	`professional` integer NOT NULL,
	`connection` integer NOT NULL,
	`comment` text,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `ratings_customer` ON `ratings` (`meeting_id`,`customer_id`);
--> statement-breakpoint
CREATE INDEX `ratings_professional` ON `ratings` (`marketplace_id`,`professional_id`,`id`);
--> statement-breakpoint
CREATE TABLE `contents` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`booking_id` text NOT NULL,
	`professional_id` text NOT NULL,
	`title` text NOT NULL,
	`link_sealed` blob,
	`fingerprint` text NOT NULL,
	`erased_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `contents_fingerprint` ON `contents` (`fingerprint`);
--> statement-breakpoint
CREATE INDEX `contents_booking` ON `contents` (`marketplace_id`,`booking_id`,`id`);
--> statement-breakpoint
CREATE TABLE `content_links` (
	`id` text PRIMARY KEY NOT NULL,
	`marketplace_id` text NOT NULL,
	`booking_id` text NOT NULL,
	`customer_id` text NOT NULL,
	`token_hash` text NOT NULL,
	`token_sealed` blob,
	`views` integer NOT NULL,
	`first_viewed_at` integer,
	`expires_at` integer NOT NULL,
	`revoked_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `content_links_token` ON `content_links` (`token_hash`);
--> statement-breakpoint
CREATE UNIQUE INDEX `content_links_customer` ON `content_links` (`marketplace_id`,`booking_id`,`customer_id`);
--> statement-breakpoint
ALTER TABLE `meetings` ADD `call_id` text;
--> statement-breakpoint
ALTER TABLE `meetings` ADD `ended_by` text;
--> statement-breakpoint
ALTER TABLE `incidents` ADD `resolution` text;
--> statement-breakpoint
ALTER TABLE `incidents` ADD `resolved_at` integer;
--> statement-breakpoint
CREATE INDEX `incidents_marketplace` ON `incidents` (`marketplace_id`,`id`);