import { serve } from '@hono/node-server';
import type { ServerType } from '@hono/node-server';
import { createSandbox } from './app.ts';
import type { Sandbox, SandboxOptions } from './app.ts';

export interface RunningSandbox {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly sandbox: Sandbox;
  readonly close: () => Promise<void>;
}

/** Listens on loopback only; port 0 takes a free one. `origin` is for a sandbox behind another name. */
export async function startSandbox({
  port,
  origin,
  ...options
}: Omit<SandboxOptions, 'origin'> & { readonly port: number; readonly origin?: string }): Promise<RunningSandbox> {
  let sandbox: Sandbox | undefined;
  let server: ServerType | undefined;
  const url = await new Promise<string>((resolve, reject) => {
    server = serve(
      {
        hostname: '127.0.0.1',
        port,
        fetch: (request, environment) => sandbox?.app.fetch(request, environment) ?? new Response(null, { status: 503 }),
      },
      (address) => resolve(`http://127.0.0.1:${address.port}`),
    );
    server.once('error', reject);
  });
  sandbox = createSandbox({ ...options, origin: origin ?? url });
  const running = sandbox;
  return {
    url,
    sandbox: running,
    async close() {
      running.close();
      if (server && 'closeAllConnections' in server) server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server?.close(() => resolve());
      });
    },
  };
}
