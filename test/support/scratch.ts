/**
 * Where the databases of a run are. In memory, when the system offers that with enough room: a test gains nothing from waiting for a disk,
 * and the tests of crashes and disks ask for one (`createUrl({ onDisk: true })`).
 */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Linux keeps it in memory; containers often give it 64 MB. */
const MEMORY = '/dev/shm';
/** Chosen: many times what a run needs. */
const ROOM_BYTES = 1024 ** 3;
const NAME = /^gateway-run-(\d+)-/;

/** A folder for this run, and its end. What runs that were killed have left in memory goes first. */
export function createScratch(): { folder: string; remove: () => void } {
  const parent = hasRoom() ? MEMORY : tmpdir();
  for (const name of readdirSync(parent)) {
    const [, pid] = NAME.exec(name) ?? [];
    if (pid !== undefined && !isRunning(Number(pid))) removeIfOurs(join(parent, name));
  }
  const folder = mkdtempSync(join(parent, `gateway-run-${process.pid}-`));
  // Run by root, PostgreSQL becomes another user, who has to get through to its data.
  chmodSync(folder, 0o711);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ROOM_BYTES;
  } catch {
    return false;
  }
}

function removeIfOurs(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Another user's.
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
