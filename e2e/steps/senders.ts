import mqtt, { Store } from 'mqtt';
import type { Ledger } from './ledger.ts';
import { idOf } from './seeded.ts';
import { bodyOf, type SentSpan } from './spans.ts';

/** Something that sends without end until it is told to finish: then what it began is sent until it is acknowledged. */
export interface Sender {
  /** items it began to send, by name */
  readonly sent: Set<string>;
  /** Resolves when as many as were asked for are acknowledged. */
  done?: Promise<unknown>;
  /** Begins nothing new; resolves when everything sent is acknowledged. */
  finish(): Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

export const spansPerRequest = 4;

/** The spans of request `n`: names of items are `otlp SPANID`. */
export function requestSpans(seed: number, n: number): SentSpan[] {
  const traceId = idOf(seed, `trace ${n}`, 32);
  return Array.from({ length: spansPerRequest }, (_, i) => ({
    name: `step ${i}`,
    kind: 'internal',
    service: `line-${n % 5}`,
    host: `host-${n % 5}`,
    traceId,
    spanId: idOf(seed, `span ${n} ${i}`, 16),
    startMs: i,
    durationMs: 2,
  }));
}

/** Sends over OTLP/HTTP as exporters do: the same request again until it is answered with 200. `refused` is told of other answers. */
export function sendOtlp(
  url: string,
  seed: number,
  ledger: Ledger,
  { lanes = 3, everyMs = 10, refused = (_: Response) => {} } = {},
): Sender {
  const sent = new Set<string>();
  let next = 0;
  let finishing = false;
  const lane = async (): Promise<void> => {
    while (!finishing) {
      const spans = requestSpans(seed, next++);
      const body = bodyOf(spans, Date.now());
      for (const { spanId } of spans) sent.add(`otlp ${spanId}`);
      for (;;) {
        const response = await fetch(`${url}/v1/traces`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
          signal: AbortSignal.timeout(10_000),
        }).catch(() => null);
        const answer = await response?.text().catch(() => null);
        if (response?.status === 200 && answer !== null && answer !== undefined && !answer.includes('rejectedSpans')) {
          for (const { spanId } of spans) ledger.acknowledged(`otlp ${spanId}`);
          break;
        }
        if (response && response.status !== 200) refused(response);
        await pause(50);
      }
      await pause(everyMs);
    }
  };
  const done = Promise.all(Array.from({ length: lanes }, lane));
  return {
    sent,
    async finish() {
      finishing = true;
      await done;
    },
  };
}

/** Then a client connects again and sends again what it has no answer to, and the log says that it had to. */
const patienceMs = 75_000;

/** MQTT.js sends what was not acknowledged again, but without the DUP flag that [MQTT-3.3.1-1] asks for. */
class DupStore extends Store {
  override createStream(): ReturnType<Store['createStream']> {
    const stream = super.createStream();
    const read = stream.read.bind(stream);
    stream.read = (size?: number) => {
      const packet = read(size) as { cmd: string; dup?: boolean } | null;
      return packet?.cmd === 'publish' ? { ...packet, dup: true } : packet;
    };
    return stream;
  }
}

export const messagesPerTopic = 20;
const topicOf = (name: string, n: number): string => `ledger/${name}/${Math.floor(n / messagesPerTopic)}`;

/** The topic that an item `NAME N` of a publisher was sent to. */
export function topicOfItem(item: string): string {
  const [name, n] = item.split(' ');
  return topicOf(name!, Number(n));
}

/** Publishes with QoS 1; every other message carries a trace. Names of items are `NAME N`. */
export function publish(
  url: string,
  name: string,
  seed: number,
  ledger: Ledger,
  { inFlight = 20, everyMs = 5, atMost = Number.POSITIVE_INFINITY, from = 0 } = {},
): Sender {
  const sent = new Set<string>();
  let next = from;
  let finishing = false;
  const client = mqtt.connect(url, {
    protocolVersion: 5,
    clientId: `ledger-${name}`,
    clean: false,
    properties: { sessionExpiryInterval: 3_600 },
    reconnectPeriod: 50,
    connectTimeout: 2_000,
    outgoingStore: new DupStore({ clean: false }),
  });
  client.on('error', () => {});
  const lane = async (): Promise<void> => {
    while (!finishing && next < from + atMost) {
      const n = next++;
      const item = `${name} ${n}`;
      sent.add(item);
      const traceparent = `00-${idOf(seed, `${item} trace`, 32)}-${idOf(seed, `${item} span`, 16)}-01`;
      const options = { qos: 1, ...(n % 2 === 0 && { properties: { userProperties: { traceparent } } }) } as const;
      // MQTT.js refuses what was not even sent yet when the connection ends; what was sent it sends again by itself.
      const again = setTimeout(() => {
        console.log(`${item}: no PUBACK for ${patienceMs / 1_000} s, connecting again`);
        client.stream.destroy();
      }, patienceMs);
      while (!(await client.publishAsync(topicOf(name, n), `${n}`, options).catch(() => null))) await pause(50);
      clearTimeout(again);
      ledger.acknowledged(item);
      await pause(everyMs * inFlight);
    }
  };
  const done = Promise.all(Array.from({ length: inFlight }, lane));
  return {
    sent,
    done,
    async finish() {
      finishing = true;
      await done;
      await client.endAsync();
    },
  };
}
