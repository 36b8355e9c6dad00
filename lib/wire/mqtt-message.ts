import type {
  ClockObservation,
  DataPoint,
  DeviceReport,
  Passage,
  RejectReason,
  Sighting,
  TopicTraffic,
} from '../domain/ingest-batch.ts';
import type { WireLimits } from './limits.ts';
import type { TraceContext } from './trace-context.ts';

/** What MQTT.js and aedes hand over. `retain` is that of a subscriber's copy: set only on a replay (pass false for a live publish seen inside the broker). */
export interface MqttPacket {
  topic: string;
  payload: Uint8Array;
  qos: number;
  retain: boolean;
  dup: boolean;
  properties?: { userProperties?: Record<string, string | string[]> | undefined } | undefined;
}

/** A packet reduced to what is kept of it: what the spool holds and the reader reads. */
export interface MqttEntry {
  broker: string;
  topic: string;
  publisher: string;
  qos: number;
  retain: boolean;
  dup: boolean;
  arrivalNanos: bigint;
  payloadBytes: number;
  /** only where the topic needs it and it is short enough */
  payload: Uint8Array | null;
  trace: TraceContext | null;
}

export interface MqttParts {
  received: number;
  rejected: Partial<Record<RejectReason, number>>;
  topicTraffic: TopicTraffic[];
  passages: Passage[];
  sightings: Sighting[];
  deviceReports: DeviceReport[];
  dataPoints: DataPoint[];
  clockObservations: ClockObservation[];
}

export const otherTopic = '__other__';

export function mqttEntry(
  _packet: MqttPacket,
  _broker: string,
  _arrivalNanos: bigint,
  _publisher: string,
  _limits: WireLimits,
): MqttEntry {
  throw new Error('not yet');
}

/** Gathers messages until `take`. */
export class MqttReader {
  constructor(limits: WireLimits, collectorId: string) {
    void limits;
    void collectorId;
  }
  /** Messages since the last `take`. */
  get count(): number {
    throw new Error('not yet');
  }
  read(_packet: MqttPacket, _broker: string, _arrivalNanos: bigint, _publisher?: string): void {
    throw new Error('not yet');
  }
  readEntry(_entry: MqttEntry): void {
    throw new Error('not yet');
  }
  take(): MqttParts {
    throw new Error('not yet');
  }
}

/** The payload of `hopscope/v1/{device}/echo`. The id carries the collector's name: a reply is read only by the collector that asked. */
export function echoPayload(_collectorId: string, _seq: number, _t1Nanos: bigint): string {
  throw new Error('not yet');
}
export const echoTopic = (device: string): string => `hopscope/v1/${device}/echo`;
