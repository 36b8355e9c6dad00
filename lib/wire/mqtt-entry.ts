import type { WireLimits } from './limits.ts';
import { MalformedError } from './malformed-error.ts';
import { type MqttEntry, type MqttPacket, mqttEntry } from './mqtt-message.ts';
import { textOf } from './utf8.ts';

/*
 * How MQTT messages stand in the spool. A run of records, each begun by a byte:
 *   1  forget all names (begins every writer's output, so that outputs may be put one after another)
 *   2  a name: [varint length][UTF-8]; names are numbered from 1 in order, 0 is ''
 *   3  a message: [flags][u64 LE arrival][varint topic][varint broker][varint publisher][varint payload size]
 *      [trace: 16 + 8 bytes, little-endian words][delivery: u16 LE packet id, u32 LE hash][payload: as many bytes as its size says]
 */
const record = { forget: 1, name: 2, message: 3 } as const;
const bit = { qos: 0b11, retain: 4, dup: 8, trace: 16, sampled: 32, payload: 64, delivery: 128 } as const;

/** Writes many entries, each name once. */
export class MqttEntryWriter {
  private buffer = Buffer.alloc(65_536);
  private at = 0;
  private names = new Map<string, number>();

  constructor() {
    this.begin();
  }

  get bytes(): number {
    return this.at;
  }

  write(entry: MqttEntry): void {
    const topic = this.nameOf(entry.topic);
    const broker = this.nameOf(entry.broker);
    const publisher = this.nameOf(entry.publisher);
    this.reserve(64 + (entry.payload?.length ?? 0));
    const { buffer } = this;
    buffer[this.at++] = record.message;
    buffer[this.at++] =
      (entry.qos & bit.qos) |
      (entry.retain ? bit.retain : 0) |
      (entry.dup ? bit.dup : 0) |
      (entry.trace === null ? 0 : bit.trace | (entry.trace.sampled ? bit.sampled : 0)) |
      (entry.payload === null ? 0 : bit.payload) |
      (entry.delivery === null ? 0 : bit.delivery);
    this.at = buffer.writeBigUInt64LE(entry.arrivalNanos, this.at);
    this.varint(topic);
    this.varint(broker);
    this.varint(publisher);
    this.varint(entry.payloadBytes);
    if (entry.trace !== null) {
      this.at = buffer.writeBigUInt64LE(entry.trace.traceHi, this.at);
      this.at = buffer.writeBigUInt64LE(entry.trace.traceLo, this.at);
      this.at = buffer.writeBigUInt64LE(entry.trace.spanId, this.at);
    }
    if (entry.delivery !== null) {
      this.at = buffer.writeUInt16LE(entry.delivery.messageId, this.at);
      this.at = buffer.writeUInt32LE(entry.delivery.hash, this.at);
    }
    if (entry.payload !== null) {
      buffer.set(entry.payload, this.at);
      this.at += entry.payload.length;
    }
  }

  /** The bytes written, and a new beginning. */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.buffer.subarray(0, this.at));
    this.begin();
    return bytes;
  }

  private begin(): void {
    this.names = new Map();
    this.buffer[0] = record.forget;
    this.at = 1;
  }

  private nameOf(name: string): number {
    if (name === '') return 0;
    const known = this.names.get(name);
    if (known !== undefined) return known;
    const number = this.names.size + 1;
    this.names.set(name, number);
    const length = Buffer.byteLength(name);
    this.reserve(8 + length);
    this.buffer[this.at++] = record.name;
    this.varint(length);
    this.at += this.buffer.write(name, this.at);
    return number;
  }

  private varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.at++] = rest;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const next = Buffer.alloc(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(next, 0, 0, this.at);
    this.buffer = next;
  }
}

/** One packet as a self-contained run of bytes; runs may be put one after another. A batch uses MqttEntryWriter. */
export function encodeMqttEntry(
  packet: MqttPacket,
  broker: string,
  arrivalNanos: bigint,
  publisher: string,
  limits: WireLimits,
): Uint8Array {
  const writer = new MqttEntryWriter();
  writer.write(mqttEntry(packet, broker, arrivalNanos, publisher, limits));
  return writer.take();
}

/** Throws MalformedError. Payloads are views. */
export function readMqttEntries(bytes: Uint8Array): MqttEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: MqttEntry[] = [];
  let names: string[] = [''];
  let at = 0;
  const take = (count: number): number => {
    if (count > bytes.length - at)
      throw new MalformedError(`mqtt entries: found ${bytes.length - at} bytes, wanted ${count} more at byte ${at}`);
    const from = at;
    at += count;
    return from;
  };
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; scale < 2 ** 35; scale *= 0x80) {
      const byte = bytes[take(1)]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new MalformedError(`mqtt entries: found a varint of more than 5 bytes at byte ${at}`);
  };
  const name = (): string => {
    const number = varint();
    const found = names[number];
    if (found === undefined)
      throw new MalformedError(`mqtt entries: found name ${number}, wanted one of the ${names.length} so far`);
    return found;
  };
  while (at < bytes.length) {
    const kind = bytes[take(1)]!;
    if (kind === record.forget) names = [''];
    else if (kind === record.name) {
      const length = varint();
      const from = take(length);
      names.push(textOf(bytes, from, from + length));
    } else if (kind === record.message) {
      const flags = bytes[take(1)]!;
      const arrivalNanos = view.getBigUint64(take(8), true);
      const topic = name();
      const broker = name();
      const publisher = name();
      const payloadBytes = varint();
      let trace: MqttEntry['trace'] = null;
      if (flags & bit.trace) {
        const from = take(24);
        trace = {
          traceHi: view.getBigUint64(from, true),
          traceLo: view.getBigUint64(from + 8, true),
          spanId: view.getBigUint64(from + 16, true),
          sampled: (flags & bit.sampled) !== 0,
        };
      }
      let delivery: MqttEntry['delivery'] = null;
      if (flags & bit.delivery) {
        const from = take(6);
        delivery = { messageId: view.getUint16(from, true), hash: view.getUint32(from + 2, true) };
      }
      let payload: Uint8Array | null = null;
      if (flags & bit.payload) {
        const from = take(payloadBytes);
        payload = bytes.subarray(from, from + payloadBytes);
      }
      entries.push({
        broker,
        topic,
        publisher,
        qos: flags & bit.qos,
        retain: (flags & bit.retain) !== 0,
        dup: (flags & bit.dup) !== 0,
        arrivalNanos,
        payloadBytes,
        payload,
        trace,
        delivery,
      });
    } else throw new MalformedError(`mqtt entries: found record ${kind}, wanted 1, 2 or 3 at byte ${at - 1}`);
  }
  return entries;
}
