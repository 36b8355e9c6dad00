import type { WireLimits } from './limits.ts';
import type { MqttEntry, MqttPacket } from './mqtt-message.ts';

/** One packet as a self-contained run of bytes; runs may be put one after another. */
export function encodeMqttEntry(
  _packet: MqttPacket,
  _broker: string,
  _arrivalNanos: bigint,
  _publisher: string,
  _limits: WireLimits,
): Uint8Array {
  throw new Error('not yet');
}
/** Throws MalformedError. */
export function readMqttEntries(_bytes: Uint8Array): MqttEntry[] {
  throw new Error('not yet');
}
/** As encodeMqttEntry, many entries, names written once: what a batch uses. */
export class MqttEntryWriter {
  get bytes(): number {
    throw new Error('not yet');
  }
  write(_entry: MqttEntry): void {
    throw new Error('not yet');
  }
  take(): Uint8Array {
    throw new Error('not yet');
  }
}
