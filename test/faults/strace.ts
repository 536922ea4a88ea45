/** Faults of the disk, put between a running program and the kernel: `strace` attaches to it, and lets go when the fault is over. */
import { spawn, spawnSync } from 'node:child_process';

/** False without strace, and where the system forbids to attach to a process that is no child (`ptrace_scope`). */
export const canAttach = spawnSync('sh', ['-c', 'sleep 0.2 & strace -qq -f -o /dev/null -p $!'], { stdio: 'ignore' }).status === 0;

/** Resolves when it is attached to all threads; what it gives lets go again. */
export async function attach(pid: number, ...options: readonly string[]): Promise<() => Promise<void>> {
  const strace = spawn('strace', ['-f', ...options, '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => {
    strace.on('close', () => resolve());
  });
  let words = '';
  await new Promise<void>((resolve, reject) => {
    strace.stderr.setEncoding('utf8').on('data', (text: string) => {
      words += text;
      if (words.includes(' attached')) resolve();
    });
    void ended.then(() => reject(new Error(`strace ended: ${words}`)));
  });
  return async () => {
    strace.kill('SIGINT');
    await ended;
  };
}
