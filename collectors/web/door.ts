import type { Server } from 'node:http';
import type { Config, Listen } from '#lib/config.ts';
import { listenForPages, type PageHandler } from './server.ts';

/** The web listener. What answers behind it may change; somebody always does. */
export interface Door {
  readonly listen: Listen;
  readonly server: Server;
  answerWith(handle: PageHandler): void;
  close(): Promise<void>;
}

/** Rejects with HopscopeError('listen') when the address cannot be had: that is said at once, not after all else has been prepared. */
export async function openDoor(config: Config, listen: Listen, first: PageHandler): Promise<Door> {
  let handle = first;
  const server = await listenForPages(listen, config.hostNames, config.dev, (request, response) =>
    handle(request, response),
  );
  return {
    listen,
    server,
    answerWith(next) {
      handle = next;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 1_000).unref();
      }),
  };
}
