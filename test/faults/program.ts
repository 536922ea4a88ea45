/** The real program (`dist/bundle/main.js`) as a process that a test starts, watches and kills. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/bundle/main.js', import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Program {
  readonly pid: number;
  /** Resolves when it takes requests. @throws what it wrote to standard error, when it ended instead. */
  readonly listening: Promise<void>;
  readonly exit: Promise<Exit>;
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
}

/** With this environment and nothing of ours; the caller asked for `built()` before. `asUser`: the number of a user without rights. */
export function startProgram(environment: Readonly<Record<string, string>>, { asUser }: { asUser?: number } = {}): Program {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    ...(asUser === undefined ? {} : { uid: asUser }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exit = new Promise<Exit>((resolve) => {
    // `close` comes after the last of its words, `exit` may come before.
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  const listening = new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.includes('"msg":"listening"')) resolve();
    });
    void exit.then(({ code, signal }) => reject(new Error(`the program ended with ${code ?? signal}: ${stderr}`)));
  });
  // Who waits for the exit only does not look at it.
  listening.catch(() => {});
  return { pid: child.pid!, listening, exit, stdout: () => stdout, stderr: () => stderr, kill: (signal) => void child.kill(signal) };
}
