CREATE TABLE `meeting_facts` (
	`meeting_id` text NOT NULL,
	`key` text NOT NULL,
	`marketplace_id` text NOT NULL,
	`instance_id` text NOT NULL,
	`kind` text NOT NULL,
	`at` integer NOT NULL,
	`participant_id` text,
	`side` text NOT NULL,
	`customer_id` text,
	`limit_reached` integer NOT NULL,
	`source` text NOT NULL,
	PRIMARY KEY(`meeting_id`, `key`)
);
--> statement-breakpoint
ALTER TABLE `connections` ADD `declared_plan` text;
--> statement-breakpoint
ALTER TABLE `connections` ADD `learned_plan` text;
--> statement-breakpoint
ALTER TABLE `meetings` ADD `plan_basis` text DEFAULT 'none' NOT NULL;
--> statement-breakpoint
ALTER TABLE `meetings` ADD `running_since` integer;
--> statement-breakpoint
ALTER TABLE `meetings` ADD `limit_ends_at` integer;
--> statement-breakpoint
ALTER TABLE `meetings` ADD `host_away_since` integer;
--> statement-breakpoint
ALTER TABLE `meetings` ADD `host_lost_at` integer;
--> statement-breakpoint
ALTER TABLE `meetings` ADD `continues` text;
--> statement-breakpoint
ALTER TABLE `meetings` ADD `continued_by` text;
--> statement-breakpoint
CREATE INDEX `meetings_connection` ON `meetings` (`connection_id`,`starts_at`);
--> statement-breakpoint
UPDATE meetings SET plan_basis = 'vendor' WHERE plan <> 'unknown';
