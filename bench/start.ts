/** What the program costs before it does anything: from its start to listening, and its memory at rest. `npm run bench:start`. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { describeMachine, writeResult } from './lib/machine.ts';
import { PROGRAM, residentMb, startGateway } from './lib/processes.ts';
import { show, spreadOf } from './lib/statistics.ts';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    program: { type: 'string', default: PROGRAM },
    save: { type: 'string', default: 'start' },
  },
});
/** Long enough for the garbage of starting to be gone. */
const REST_MS = 2_000;

const machine = describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
try {
  const databaseUrl = `file:${join(folder, 'gateway.db')}`;
  const start = () => startGateway({ databaseUrl, program: options.program });
  // The first start makes the database, and warms the machine's cache of files.
  const first = await start();
  await first.stop();
  const starts: number[] = [];
  const memory: number[] = [];
  const bare: number[] = [];
  for (let run = 0; run < Number(options.runs); run++) {
    bare.push(nodeMs());
    const gateway = await start();
    starts.push(gateway.startMs);
    await pause(REST_MS);
    memory.push(residentMb(gateway.pid));
    await gateway.stop();
  }
  const result = { first_start_ms: first.startMs, start_ms: spreadOf(starts), idle_mb: spreadOf(memory), bare_node_ms: spreadOf(bare) };
  console.log(
    `start to listening ${show(result.start_ms)} ms (with a new database ${first.startMs.toFixed(0)} ms), ` +
      `at rest ${show(result.idle_mb)} MB; Node alone ${show(result.bare_node_ms)} ms; ${starts.length} starts, load before: ${machine.load_before} on ${machine.cores} cores`,
  );
  console.log(
    `written to ${writeResult(options.save, { measured: new Date().toISOString(), machine, ...result, runs: { starts, memory, bare } })}`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Node's own share, for machines that are busy with other things. */
function nodeMs(): number {
  const began = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  return performance.now() - began;
}
