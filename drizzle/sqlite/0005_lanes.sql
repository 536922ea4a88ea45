DROP INDEX `jobs_due`;
--> statement-breakpoint
ALTER TABLE `jobs` ADD `lane` text DEFAULT 'each' NOT NULL;
--> statement-breakpoint
UPDATE `jobs` SET `lane` = 'timers' WHERE `kind` IN ('meeting.limit', 'meeting.host', 'meter.tick');
--> statement-breakpoint
UPDATE `jobs` SET `lane` = 'calls' WHERE `kind` IN ('call.expire');
--> statement-breakpoint
UPDATE `jobs` SET `lane` = 'expiries' WHERE `kind` IN ('recording.expire');
--> statement-breakpoint
UPDATE `jobs` SET `lane` = 'lapses' WHERE `kind` IN ('presence.expire');
--> statement-breakpoint
CREATE INDEX `jobs_due` ON `jobs` (`lane`,`due_at`) WHERE dead_at is null;
