import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Listen } from '#lib/config.ts';
import { HopscopeError } from '#lib/errors.ts';
import { hostCheck } from '../host-names.ts';
import { refusalOf } from './host-guard.ts';

export type PageHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * The one HTTP listener for people and scripts: who may come in, and the headers every answer carries; the rest is the page handler's.
 * Rejects with HopscopeError('listen') when the address cannot be had.
 */
export async function listenForPages(
  listen: Listen,
  hostNames: readonly string[],
  dev: boolean,
  handle: PageHandler,
): Promise<Server> {
  const isOurs = hostCheck(hostNames);
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    const refusal = refusalOf(request, isOurs);
    if (refusal) {
      response.writeHead(refusal.status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ type: 'about:blank', ...refusal }));
      return;
    }
    const nonce = randomBytes(16).toString('base64');
    const policy = contentPolicy(nonce, dev);
    // Next reads the nonce for its own inline scripts out of the request's policy header
    request.headers['content-security-policy'] = policy;
    request.headers['x-nonce'] = nonce;
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    response.setHeader('Content-Security-Policy', policy);
    handle(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ type: 'about:blank', status: 500, title: 'The page could not be made' }));
    });
  });
  await new Promise<void>((done, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const found =
        error.code === 'EADDRINUSE' ? 'found the port taken by another program' : `could not listen (${error.code})`;
      failed(
        new HopscopeError(
          'listen',
          `web ${listen.host}:${listen.port}: ${found}; wanted a free address (setting: web.listen or HOPSCOPE_WEB)`,
          { cause: error },
        ),
      );
    });
    server.listen(listen.port, listen.host, done);
  });
  return server;
}

const securityHeaders: Record<string, string> = {
  'X-Content-Type-Options': 'nosniff',
  // no other site learns an address; 'no-referrer' would take the Origin from our own forms as well (Fetch, "append a request Origin header")
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=()',
};

const contentPolicy = (nonce: string, dev: boolean): string =>
  [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'${dev ? " 'unsafe-eval'" : ''}`,
    dev ? "style-src 'self' 'unsafe-inline'" : `style-src 'self' 'nonce-${nonce}'`,
    // charts are drawn on the server with style attributes, which can carry no nonce
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self'${dev ? ' ws:' : ''}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
