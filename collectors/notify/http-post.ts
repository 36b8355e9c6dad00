import { type IncomingMessage, request } from 'node:http';
import { type Guard, placeOf } from './guard.ts';
import { NotSent } from './outcome.ts';

export interface Post {
  url: string;
  headers: Record<string, string>;
  body: string;
}

const answerBytesAtMost = 64 * 1024;
/** What is wrong with the message itself, not with the moment. */
const neverTaken = new Set([400, 413, 414, 415, 422]);

/** Resolves when the target took it. Follows no redirect, believes no body: the status alone says what became of it. */
export async function post(
  { url, headers, body }: Post,
  guard: Guard,
  signal: AbortSignal,
  nowMs: number,
): Promise<void> {
  const to = new URL(url);
  const socket = await guard.connect(placeOf(to), signal);
  const bytes = Buffer.from(body);
  const answer = await new Promise<IncomingMessage>((done, failed) => {
    const sent = request({
      createConnection: () => socket,
      method: 'POST',
      path: `${to.pathname}${to.search}`,
      headers: {
        host: to.host,
        'content-type': 'application/json; charset=utf-8',
        'content-length': String(bytes.length),
        'user-agent': 'Hopscope',
        connection: 'close',
        ...loginOf(to),
        ...headers,
      },
      signal,
    });
    sent.once('response', done);
    sent.on('error', failed);
    sent.once('close', () => failed(new NotSent('the connection was cut off before the answer')));
    sent.end(bytes);
  });
  letPass(answer);
  const status = answer.statusCode!;
  if (status >= 200 && status < 300) return;
  const isRedirect = status >= 300 && status < 400;
  throw new NotSent(`answered ${status}${isRedirect ? ': redirects are not followed' : ''}`, {
    isFinal: neverTaken.has(status),
    retryAfterMs: retryAfterMs(answer.headers['retry-after'], nowMs),
  });
}

/** The polite end of an answer, and the impolite one of an answer without end. */
function letPass(answer: IncomingMessage): void {
  let bytes = 0;
  answer.on('error', () => {});
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > answerBytesAtMost) answer.destroy();
  });
}

const loginOf = ({ username, password }: URL): Record<string, string> =>
  username === ''
    ? {}
    : {
        authorization: `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`,
      };

/** Seconds or a date [RFC 9110 10.2.3]; null for neither. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  // a date begins with its weekday; Date.parse alone makes a year of -5
  const atMs = /^[A-Z]/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
