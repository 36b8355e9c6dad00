import { Agent, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import pg from 'pg';
import { HopscopeError } from '#lib/errors.ts';
import { inUrl, locationOf, type QuestDbAddress } from './address.ts';
import type { Lines } from './lines.ts';
import { type TableName, tableNames } from './schema.ts';
import { tlsTrouble, trustOf } from './tls.ts';

export type Param = string | number | bigint | boolean | null;

export interface ServerLimits {
  /** how long one batch may be tried for before whoever sent it is told; the spool then tries again */
  sendMs: number;
  /** how long one request may stand still: a slow way takes as long as it takes */
  requestMs: number;
  /** how long a read waits for what this process has sent to become visible, and answers without it after that */
  visibleMs: number;
  /** how long the audit waits for everything sent by anybody */
  appliedMs: number;
  queryMs: number;
}
export const defaultLimits: ServerLimits = {
  sendMs: 40_000,
  // longer than a busy server takes: what is given up on and sent again makes it busier
  requestMs: 20_000,
  visibleMs: 300,
  appliedMs: 15_000,
  queryMs: 30_000,
};

/** Of a sending that was not taken. */
interface Outcome {
  words: string;
  /** wrong the next time too */
  final: boolean;
  /** the certificate is not trusted */
  untrusted?: boolean;
  /** the login may not write */
  stranger?: boolean;
}

interface WalRow {
  name: string;
  suspended: boolean;
  applied: bigint;
  sent: bigint;
  error: string | null;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The server: rows go in over HTTP as lines, and are read back over PGwire. What is sent stays with the caller until the server has said 204,
 * is tried at each address in turn, and is the same bytes every time: what had arrived before an answer was lost changes nothing.
 *
 * A row is visible once the server has applied its log to the table, 30-100 ms after the 204: whoever reads waits for what this process sent.
 */
export class Server {
  readonly address: QuestDbAddress;
  readonly limits: ServerLimits;
  readonly #agent: Agent;
  readonly #pools: pg.Pool[];
  #host = 0;
  /** sent by this process and perhaps not visible yet; with how many sendings before */
  readonly #unseen = new Map<TableName, number>();
  #sendings = 0;
  #waiting: Promise<void> | null = null;
  #closed = false;

  constructor(address: QuestDbAddress, limits: Partial<ServerLimits> = {}) {
    this.address = address;
    this.limits = { ...defaultLimits, ...limits };
    const trust = trustOf(address.tls);
    this.#agent = new (trust ? TlsAgent : Agent)({ keepAlive: true, maxSockets: 4, ...trust });
    this.#pools = address.hosts.map(({ host, pgPort }) => {
      const pool = new pg.Pool({
        host,
        port: pgPort,
        user: address.user,
        password: address.password,
        database: 'qdb',
        ssl: trust ?? false,
        ...(address.tls?.pgTls === 'direct' && { sslnegotiation: 'direct' }),
        max: 4,
        connectionTimeoutMillis: 5_000,
        query_timeout: this.limits.queryMs,
        types: { getTypeParser: parserOf },
      });
      // a connection that dies while nobody uses it is replaced by the next query
      pool.on('error', () => {});
      return pool;
    });
  }

  table(name: TableName): string {
    return this.address.prefix + name;
  }

  // ---- in

  async send(lines: Lines): Promise<void> {
    const sending = this.sending();
    sending.add(lines.bodies());
    await sending.end();
    for (const table of lines.tables) this.changed(table);
  }

  /**
   * Bodies on their way while more of them are being made, two at a time: the server takes one while the other travels. Their order means
   * nothing. The first that cannot be sent is what `end` throws; those that were added meanwhile are left.
   */
  sending(): { add(bodies: readonly Buffer[]): void; end(): Promise<void> } {
    const waiting: Buffer[] = [];
    const senders: Promise<void>[] = [];
    let sending = 0;
    let failure: { error: unknown } | null = null;
    const sendAll = async (): Promise<void> => {
      sending++;
      try {
        while (failure === null && waiting.length > 0) await this.#sendBody(waiting.shift()!);
      } catch (error) {
        failure ??= { error };
      } finally {
        sending--;
      }
    };
    return {
      add: (bodies) => {
        for (const body of bodies) {
          waiting.push(body);
          if (sending < 2) senders.push(sendAll());
        }
      },
      end: async () => {
        await Promise.all(senders);
        if (failure) throw failure.error;
      },
    };
  }

  /** Rows that the next ones replace anyway: tried for a short time, and no read waits to see them. */
  async sendBriefly(lines: Lines, withinMs: number): Promise<void> {
    for (const body of lines.bodies()) await this.#sendBody(body, withinMs);
  }

  /** A table was changed: what is read from now on waits until that can be seen. */
  changed(table: TableName): void {
    this.#unseen.set(table, ++this.#sendings);
    this.#waiting = null;
  }

  async #sendBody(body: Buffer, withinMs = this.limits.sendMs): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#post(body, Math.min(this.limits.requestMs, deadline - performance.now()));
      if (outcome === null) return;
      // another address may have the right certificate
      const isLastTried = attempt + 1 >= this.address.hosts.length;
      if (outcome.untrusted && isLastTried) throw new HopscopeError('config', outcome.words);
      if (outcome.stranger)
        throw new HopscopeError(
          'config',
          `store: QuestDB lets the user ${this.address.user} write no rows (${outcome.words}): another name or password is wanted`,
        );
      if (outcome.final) throw new HopscopeError('store', `QuestDB refused rows: ${outcome.words}`);
      this.#host = (this.#host + 1) % this.address.hosts.length;
      const pauseMs = !isLastTried ? 0 : Math.min(1_000, 50 * 2 ** attempt);
      if (this.#closed || performance.now() + pauseMs >= deadline)
        throw new HopscopeError(
          'store',
          `QuestDB did not take rows for ${Math.round(withinMs / 1000)} s: ${outcome.words}`,
        );
      await wait(pauseMs);
    }
  }

  /** null: taken */
  #post(body: Buffer, timeoutMs: number): Promise<Outcome | null> {
    const { user, password, hosts, tls } = this.address;
    const { host, httpPort } = hosts[this.#host]!;
    const where = `${inUrl(host)}:${httpPort}`;
    return new Promise((resolve) => {
      const call = (tls ? tlsRequest : request)(
        {
          host,
          port: httpPort,
          method: 'POST',
          path: '/write?precision=u',
          agent: this.#agent,
          auth: `${user}:${password}`,
          headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': body.length },
          timeout: Math.max(1, Math.ceil(timeoutMs)),
        },
        (answer) => {
          let said = '';
          answer.setEncoding('utf8');
          answer.on('data', (text: string) => {
            if (said.length < 2_000) said += text;
          });
          answer.on('error', (error) => resolve({ words: `${where}: ${error.message}`, final: false }));
          answer.on('end', () => {
            const status = answer.statusCode ?? 0;
            if (status >= 200 && status < 300) resolve(null);
            // what is wrong with the rows themselves, or with who we are, is wrong the next time too
            else
              resolve({
                words: `${where} answered ${status} ${said.trim()}`.trim(),
                final: status >= 400 && status < 500 && status !== 408 && status !== 429,
                stranger: status === 401 || status === 403,
              });
          });
        },
      );
      call.on('error', (error) => {
        const trouble = tlsTrouble(error, where, host);
        if (trouble) return resolve({ words: trouble, final: false, untrusted: true });
        resolve({ words: `${where}: ${error.message}`, final: false });
      });
      call.on('timeout', () => {
        resolve({ words: `${where} did not answer within ${Math.round(timeoutMs)} ms`, final: false });
        call.destroy();
      });
      call.end(body);
    });
  }

  // ---- out

  /** Rows as objects: LONG comes as bigint, smaller and DOUBLE as number, SYMBOL and VARCHAR as string; NULL as null. */
  async all<T>(sql: string, params: readonly Param[] = []): Promise<T[]> {
    await this.visible();
    return this.query<T>(sql, params);
  }

  /** The same as one array a row: for many rows. */
  async arrays<T extends unknown[]>(sql: string, params: readonly Param[] = []): Promise<T[]> {
    await this.visible();
    return (await this.#run({ text: sql, values: params as unknown[], rowMode: 'array' })) as T[];
  }

  /** Rows as arrays, without waiting for anything. */
  async rows<T extends unknown[]>(sql: string, params: readonly Param[] = []): Promise<T[]> {
    return (await this.#run({ text: sql, values: params as unknown[], rowMode: 'array' })) as T[];
  }

  /** Rows as objects, without waiting for anything. */
  async query<T>(sql: string, params: readonly Param[] = []): Promise<T[]> {
    return (await this.#run({ text: sql, values: params as unknown[] })) as T[];
  }

  async #run(config: { text: string; values: unknown[]; rowMode?: 'array' }): Promise<unknown[]> {
    if (this.#closed) throw new HopscopeError('store', 'the store is closed');
    let last: unknown;
    let untrusted: string | null = null;
    for (let i = 0; i < this.#pools.length; i++) {
      const at = (this.#host + i) % this.#pools.length;
      try {
        return (await this.#pools[at]!.query(config as pg.QueryConfig)).rows;
      } catch (error) {
        last = error;
        const { host, pgPort } = this.address.hosts[at]!;
        untrusted = this.address.tls && tlsTrouble(error, `${inUrl(host)}:${pgPort}`, host);
        if (untrusted === null && !isUnreachable(error)) break;
      }
    }
    if (untrusted !== null) throw new HopscopeError('config', untrusted, { cause: last });
    const words = last instanceof Error ? last.message || String((last as NodeJS.ErrnoException).code) : String(last);
    if (isUnreachable(last))
      throw new HopscopeError(
        'store',
        `QuestDB cannot be reached at ${locationOf(this.address)} (${words}): is it running, and are these its ports for HTTP and PGwire?`,
        { cause: last },
      );
    if (/invalid username\/password/.test(words))
      throw new HopscopeError(
        'config',
        `store: QuestDB at ${locationOf(this.address)} does not let the user ${this.address.user} in: another name or password is wanted`,
        { cause: last },
      );
    throw new HopscopeError('store', `the telemetry store failed: ${words}`, { cause: last });
  }

  /** What this process has sent can be read; or the server lags, which status() says. */
  visible(): Promise<void> {
    if (this.#unseen.size === 0) return Promise.resolve();
    this.#waiting ??= this.#untilVisible();
    return this.#waiting;
  }

  async #untilVisible(): Promise<void> {
    const asked = new Map(this.#unseen);
    // a server that lags is said to lag, and does not keep anybody from reading what there is
    await this.#untilApplied([...asked.keys()], this.limits.visibleMs).catch(() => {});
    for (const [name, sending] of asked) if (this.#unseen.get(name) === sending) this.#unseen.delete(name);
  }

  /** Everything that anybody had sent to these tables when this was asked can be read; throws when it takes too long. */
  applied(names: readonly TableName[], withinMs = this.limits.appliedMs): Promise<void> {
    return this.#untilApplied(names, withinMs);
  }

  async #untilApplied(names: readonly TableName[], limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    const asked = new Set(names.map((name) => this.table(name)));
    let targets: Map<string, bigint> | null = null;
    for (let pauseMs = 2; ; pauseMs = Math.min(50, pauseMs * 2)) {
      const rows = (await this.logs()).filter(({ name }) => asked.has(name));
      targets ??= new Map(rows.map(({ name, sent }) => [name, sent]));
      const behind = rows.filter(({ name, applied }) => applied < targets!.get(name)!);
      if (behind.length === 0) return;
      const suspended = behind.find((row) => row.suspended);
      if (suspended) throw new HopscopeError('store', suspendedWords(suspended));
      if (performance.now() + pauseMs > deadline)
        throw new HopscopeError('store', `QuestDB has not applied what it took: ${behind.map(lagWords).join(', ')}`);
      await wait(pauseMs);
    }
  }

  /** How far each of our tables is. */
  async logs(): Promise<WalRow[]> {
    const rows = await this.query<WalRow>(
      'SELECT name, suspended, "writerTxn" AS applied, "sequencerTxn" AS sent, "errorMessage" AS error FROM wal_tables()',
    );
    const ours = new Set<string>(tableNames.map((name) => this.table(name)));
    return rows.filter(({ name }) => ours.has(name));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#agent.destroy();
    for (const pool of this.#pools) await pool.end();
  }
}

export const suspendedWords = ({ name, error }: Pick<WalRow, 'name' | 'error'>): string =>
  `QuestDB has suspended the table ${name}${error ? ` (${error})` : ''}: it takes rows and shows none; see why, then run ALTER TABLE ${name} RESUME WAL`;
export const lagWords = ({ name, applied, sent }: Pick<WalRow, 'name' | 'applied' | 'sent'>): string =>
  `${name} is ${sent - applied} ${sent - applied === 1n ? 'transaction' : 'transactions'} behind`;

const unreachable = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EHOSTUNREACH', 'ETIMEDOUT', 'EPIPE']);
function isUnreachable(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return unreachable.has(code ?? '') || /timeout|terminated|Connection/i.test(message ?? '');
}

/** By the number of the type on the wire. */
function parserOf(oid: number): (text: string) => unknown {
  switch (oid) {
    case 20:
      return BigInt;
    case 21:
    case 23:
    case 700:
    case 701:
      return Number;
    case 16:
      return (text) => text === 't';
    default:
      return (text) => text;
  }
}
