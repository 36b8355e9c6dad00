import { resolve } from 'node:path';
import next from 'next';
import type { Config } from '#lib/config.ts';
import type { Door } from '../web/door.ts';

const root = resolve(import.meta.dirname, '../..');

/** From here on Next answers at the door. */
export async function startPages(config: Config, door: Door): Promise<void> {
  const { host, port } = door.listen;
  const app = next({ dev: config.dev, dir: root, hostname: host, port });
  await app.prepare();
  const handle = app.getRequestHandler();
  if (config.dev) door.server.on('upgrade', app.getUpgradeHandler());
  door.answerWith((request, response) => handle(request, response));
}

/** Whoever listens to an event stream would keep the door from closing. */
export function closeStreams(): void {
  const streams = (globalThis as unknown as Record<symbol, { closeAll(): void } | undefined>)[
    Symbol.for('hopscope.streams')
  ];
  streams?.closeAll();
}
