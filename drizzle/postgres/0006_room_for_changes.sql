-- The end of a recording changes its row, its links and its events, and no column that an index has. Where a page has room for the new row
-- beside the old one, no index is written either (decision 0023). Pages that are full already stay as they are.
ALTER TABLE "recordings" SET (fillfactor = 65);
--> statement-breakpoint
ALTER TABLE "recording_links" SET (fillfactor = 55);
--> statement-breakpoint
ALTER TABLE "events" SET (fillfactor = 70);
