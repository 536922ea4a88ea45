/** The operator's command line (`dist/bundle/cli.js`) as a process that a test starts and may kill. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Exit } from './program.ts';

const CLI = fileURLToPath(new URL('../../dist/bundle/cli.js', import.meta.url));

export interface Command {
  readonly exit: Promise<Exit & { readonly stdout: string; readonly stderr: string }>;
  kill(signal: NodeJS.Signals): void;
}

/** With this environment and nothing of ours; the caller asked for `built()` before. */
export function startCommand(environment: Readonly<Record<string, string>>, ...words: readonly string[]): Command {
  const child = spawn(process.execPath, [CLI, ...words], {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exit: Command['exit'] = new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { exit, kill: (signal) => void child.kill(signal) };
}
