/** Where figures come from, kept next to them: without the machine a figure says little. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

export const describeMachine = () => ({
  processor: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memory_gb: Math.round(totalmem() / 2 ** 30),
  system: `${platform()} ${release()} ${arch()}`,
  node: process.version,
  /** Of the last minute; what is above the bench's own needs is somebody else's work. */
  load_before: loadavg()[0]!.toFixed(2),
});

/** Writes `bench/results/<name>.json`; the path, for the reader. */
export function writeResult(name: string, result: Readonly<Record<string, unknown>>): string {
  const path = fileURLToPath(new URL(`../results/${name}.json`, import.meta.url));
  mkdirSync(new URL('../results/', import.meta.url), { recursive: true });
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}
