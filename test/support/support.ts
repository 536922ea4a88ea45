/** The tests' end of the socket that `setup.ts` listens on. */
import { connect } from 'node:net';
import { inject } from 'vitest';

/** The server to make databases on, and the migrated one to copy. Starts PostgreSQL when nobody has yet. */
export async function postgresServer(): Promise<{ server: string; template: string }> {
  return JSON.parse(await ask('postgres')) as { server: string; template: string };
}

let template: Promise<string> | undefined;

/** A migrated SQLite file to copy. */
export function sqliteTemplate(): Promise<string> {
  return (template ??= ask('sqlite'));
}

/** Builds `dist/` when nobody has yet in this run. For tests that start the program as users do. */
export async function built(): Promise<void> {
  await ask('build');
}

async function ask(word: string): Promise<string> {
  const socket = connect(inject('supportPort'), '127.0.0.1');
  socket.write(word);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  const { answer, error } = JSON.parse(text) as { answer?: string; error?: string };
  if (answer === undefined) throw new Error(error ?? `the test setup does not know "${word}"`);
  return answer;
}
