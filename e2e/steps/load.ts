import { Agent, request } from 'node:http';
import { BatchSource, SPANS_PER_TRACE, traceIdHex } from '../bench/load/lib/otlp-traces.mjs';
import type { Ledger } from './ledger.ts';
import type { QuestDb } from './questdb.ts';
import type { Sender } from './senders.ts';

/** A steady stream of requests of 104 spans, each as one body that is patched and not made anew: the product needs the processor more. */
const tracesPerRequest = 13;
export const spansPerLoadRequest = tracesPerRequest * SPANS_PER_TRACE;
const inFlight = 4;

export interface Load extends Sender {
  /** how often it was answered with something else than 200, or not at all */
  refused: Record<string, number>;
}

/** Names of items are `load FIRST`, FIRST = number of the first trace in the request. */
export function sendLoad(url: string, seed: number, ledger: Ledger, { spansPerSecond = 5_000 } = {}): Load {
  const source = new BatchSource({ batch: spansPerLoadRequest, seed });
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const sent = new Set<string>();
  const refused: Record<string, number> = {};
  const everyMs = (spansPerLoadRequest / spansPerSecond) * 1_000;
  let dueMs = performance.now();
  let finishing = false;
  const lane = async (): Promise<void> => {
    while (!finishing) {
      // who has fallen behind by more than a second does not catch up: the rate is a rate
      dueMs = Math.max(dueMs + everyMs, performance.now() - 1_000);
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await new Promise((next) => setTimeout(next, waitMs));
      const { body, firstTrace } = source.next(Date.now());
      const item = `load ${firstTrace}`;
      sent.add(item);
      // it may have to be sent again, and the source uses its buffer again
      const own = Buffer.from(body);
      for (;;) {
        const status = await post(agent, url, own);
        if (status === 200) break;
        refused[status] = (refused[status] ?? 0) + 1;
        await new Promise((next) => setTimeout(next, 50));
      }
      ledger.acknowledged(item);
    }
  };
  const done = Promise.all(Array.from({ length: inFlight }, lane));
  return {
    sent,
    refused,
    async finish() {
      finishing = true;
      await done;
      agent.destroy();
    },
  };
}

/** The status; 0 = none came */
const post = (agent: Agent, url: string, body: Buffer): Promise<number> =>
  new Promise((answered) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
    const signal = AbortSignal.timeout(20_000);
    const call = request(`${url}/v1/traces`, { method: 'POST', agent, headers, signal }, (answer) => {
      answer.resume();
      answer.on('end', () => answered(answer.statusCode!));
      answer.on('error', () => answered(0));
    });
    call.on('error', () => answered(0));
    call.end(body);
  });

/** Every trace of every acknowledged request is there with all its spans, each once; every fault in a sentence. */
export async function loadFaults(
  questdb: QuestDb,
  seed: number,
  acknowledged: readonly string[],
  sent: ReadonlySet<string>,
): Promise<string[]> {
  await questdb.applied();
  const rows = await questdb.rows<[string, string, number, number]>(
    'SELECT trace_hi::string, trace_lo::string, count(), count_distinct(span_id) FROM hopscope_spans',
  );
  const word = (id: string): string => BigInt.asUintN(64, BigInt(id)).toString(16).padStart(16, '0');
  const found = new Map(rows.map(([hi, lo, count, distinct]) => [word(hi) + word(lo), { count, distinct }]));
  const faults: string[] = [];
  for (const item of acknowledged) {
    if (!sent.has(item)) faults.push(`${item} was acknowledged and never sent`);
    const first = Number(item.split(' ')[1]);
    for (let index = first; index < first + tracesPerRequest; index++) {
      const id = traceIdHex(seed, index);
      const { count, distinct } = found.get(id) ?? { count: 0, distinct: 0 };
      if (distinct !== SPANS_PER_TRACE)
        faults.push(`trace ${id}: ${SPANS_PER_TRACE} spans acknowledged, ${distinct} stored`);
      if (count > distinct) faults.push(`trace ${id}: ${count - distinct} of its spans are stored twice`);
    }
  }
  return faults;
}
