import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { Sender } from '@questdb/nodejs-client';
import { systemClock } from '#lib/clock.ts';
import { type IngestBatch, signal } from '#lib/domain/ingest-batch.ts';
import { parseAddress } from '#lib/store/questdb/address.ts';
import { Appender } from '#lib/store/questdb/append.ts';
import { Lines } from '#lib/store/questdb/lines.ts';
import { migrate } from '#lib/store/questdb/migrate.ts';
import { Server } from '#lib/store/questdb/server.ts';
import { SpanLines } from '#lib/store/questdb/span-lines.ts';
import { Texts } from '#lib/store/questdb/texts.ts';
import { decodeBatch } from '#lib/wire/batch-codec.ts';
import { defaultLimits } from '#lib/wire/limits.ts';
import { compressRaw, frameBodies } from '#lib/wire/raw-batch.ts';
import { encoding } from '#lib/wire/read-result.ts';
import type { QuestDb } from '../steps/questdb.ts';
import { BatchSource } from './load/lib/otlp-traces.mjs';
import { procStat } from './load/lib/proc.mjs';

/** How many rows of spans a second one process writes to the server, by which hand, and how many the server takes of rows made before. */
export interface Written {
  by: string;
  rows: number;
  /** until the server had said 204 to all of them */
  rowsPerS: number;
  /** until all of them could be counted */
  visiblePerS: number;
  ourCpuMicrosPerRow: number;
  serverCpuMicrosPerRow: number;
}

const collectorId = 'ceiling';

export async function measureCeiling(
  questdb: QuestDb,
  rows: number,
  round: string,
  say: (written: Written) => void,
): Promise<void> {
  const batches = batchesOf(rows);
  const total = batches.reduce((sum, { spans }) => sum + spans!.count, 0);
  const measure = async (by: string, prefix: string, write: (server: Server) => Promise<() => Promise<void>>) => {
    const server = new Server(parseAddress(`${questdb.store}?tables=${round}${prefix}_`));
    try {
      await migrate(server);
      const begin = await write(server);
      const [cpu, serverCpu, began] = [process.cpuUsage(), serverCpuS(questdb.pid), performance.now()];
      await begin();
      const tookS = (performance.now() - began) / 1_000;
      const used = process.cpuUsage(cpu);
      await server.applied(['spans']);
      const visibleS = (performance.now() - began) / 1_000;
      const [row] = await server.query<{ n: bigint }>(`SELECT count() AS n FROM ${server.table('spans')}`);
      if (Number(row?.n) !== total) throw new Error(`${by}: ${row?.n} rows are there, ${total} were written`);
      say({
        by,
        rows: total,
        rowsPerS: Math.round(total / tookS),
        visiblePerS: Math.round(total / visibleS),
        ourCpuMicrosPerRow: Number(((used.user + used.system) / total).toFixed(2)),
        serverCpuMicrosPerRow: Number((((serverCpuS(questdb.pid) - serverCpu) * 1e6) / total).toFixed(2)),
      });
    } finally {
      await server.close();
    }
  };
  const rowsOf = (server: Server, some: readonly IngestBatch[]): Lines => {
    const lines = new Lines(server.address.prefix);
    const texts = new Texts();
    for (const { spans, seq, arrivalMs } of some) {
      const symbols = spans!.resources.map((resource) => texts.resource(resource, arrivalMs).symbol);
      const origin = { micros: arrivalMs * 1_000, collector: collectorId, seq };
      const each = new SpanLines(lines, spans!, origin, symbols, (index) => spans!.strings[index]!);
      for (let i = 0; i < spans!.count; i++) each.add(i);
    }
    return lines;
  };
  const posted = async (server: Server, bodies: readonly Buffer[], connections: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: connections });
    const left = bodies.values();
    const next = async (): Promise<void> => {
      for (const body of left) await post(server, agent, body);
    };
    await Promise.all(Array.from({ length: connections }, next));
    agent.destroy();
  };
  const groupsOf = (per: number): IngestBatch[][] =>
    Array.from({ length: Math.ceil(batches.length / per) }, (_, i) => batches.slice(i * per, (i + 1) * per));
  const groups = groupsOf(16);

  await measure('rows made before, 1 connection', 'made1', async (server) => {
    const bodies = groups.flatMap((group) => rowsOf(server, group).bodies());
    return () => posted(server, bodies, 1);
  });
  await measure('rows made before, 2 connections', 'made2', async (server) => {
    const bodies = groups.flatMap((group) => rowsOf(server, group).bodies());
    return () => posted(server, bodies, 2);
  });
  await measure('@questdb/nodejs-client, a flush every 8,192 rows', 'client', async (server) => async () => {
    const { hosts, user, password } = server.address;
    const { host, httpPort } = hosts[0]!;
    const sender = await Sender.fromConfig(
      `http::addr=${host}:${httpPort};username=${user};password=${password};auto_flush=off;max_buf_size=104857600;`,
    );
    for (const group of groups) {
      for (const batch of group) await clientRows(sender, server.table('spans'), batch);
      await sender.flush();
    }
    await sender.close();
  });
  await measure('our lines, 8,192 rows a sending', 'lines', async (server) => async () => {
    for (const group of groups) await server.send(rowsOf(server, group));
  });
  for (const per of [16, 64, 128]) {
    const by = `our append: recent keys, bodies, batches, ${per * 512} rows at a time`;
    await measure(by, `append${per}`, async (server) => {
      const texts = new Texts();
      await texts.load(server);
      const appender = new Appender(server, texts);
      await appender.load();
      return async () => {
        for (const group of groupsOf(per)) await appender.append(group);
      };
    });
  }
}

/** The client has no 64 bits: its ids are doubles, and as long as ours. */
async function clientRows(sender: Sender, table: string, { spans, seq, arrivalMs }: IngestBatch): Promise<void> {
  const s = spans!;
  const texts = new Texts();
  const symbols = s.resources.map((resource) => texts.resource(resource, arrivalMs).symbol);
  const id = (value: bigint): number => Number(BigInt.asIntN(53, value));
  for (let i = 0; i < s.count; i++) {
    sender
      .table(table)
      .symbol('collector', collectorId)
      .symbol('bucket', (s.traceLo[i]! & 0xffffn).toString(16).padStart(4, '0'))
      .symbol('name', s.strings[s.name[i]!])
      .symbol('resource', symbols[s.resource[i]!]);
    if (s.strings[s.system[i]!]) sender.symbol('system', s.strings[s.system[i]!]);
    if (s.strings[s.destination[i]!]) sender.symbol('destination', s.strings[s.destination[i]!]);
    await sender
      .intColumn('trace_hi', id(s.traceHi[i]!))
      .intColumn('trace_lo', id(s.traceLo[i]!))
      .intColumn('span_id', id(s.spanId[i]!))
      .intColumn('parent_id', id(s.parentId[i]!))
      .intColumn('start_ns', Number(s.startNanos[i]!) % 2 ** 53)
      .intColumn('duration_ns', Number(s.durationNanos[i]!))
      .intColumn('kind', s.kind[i]!)
      .intColumn('status', s.status[i]!)
      .intColumn('flags', s.flags[i]!)
      .intColumn('operation', s.operation[i]!)
      .intColumn('seq', seq)
      .intColumn('n', i)
      .at(arrivalMs, 'ms');
  }
}

function batchesOf(rows: number): IngestBatch[] {
  const source = new BatchSource({ batch: 512, seed: 7 });
  const arrivalNanos = systemClock();
  return Array.from({ length: Math.ceil(rows / 512) }, (_, i) => {
    const raw = compressRaw(frameBodies([{ encoding: encoding.protobuf, body: source.next().body, arrivalNanos }]));
    return decodeBatch(
      { signal: signal.traces, arrivalNanos: arrivalNanos + BigInt(i), raw },
      collectorId,
      i + 1,
      defaultLimits,
    );
  });
}

function post(server: Server, agent: Agent, body: Buffer): Promise<void> {
  const { hosts, user, password } = server.address;
  const { host, httpPort: port } = hosts[0]!;
  const options = { host, port, method: 'POST', path: '/write?precision=u', agent, auth: `${user}:${password}` };
  return new Promise((resolve, reject) => {
    const call = request({ ...options, headers: { 'content-length': body.length } }, (answer) => {
      answer.resume();
      answer.on('end', () =>
        answer.statusCode === 204 ? resolve() : reject(new Error(`the server answered ${answer.statusCode}`)),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** Of a process and all it has started. */
function serverCpuS(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const own = procStat(pid).cpuS;
  return children === ''
    ? own
    : children.split(' ').reduce((sum: number, child) => sum + serverCpuS(Number(child)), own);
}
