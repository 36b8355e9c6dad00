import type { Clock } from '#lib/clock.ts';
import { echoPayload, echoTopic } from '#lib/wire/device-topics.ts';

const everyMs = 10_000;
const stepMs = 500;
const devicesAtMost = 10_000;
/** A device that sends no heartbeat for so long is not asked any more. */
const forgottenAfterMs = 300_000;
const prefix = 'hopscope/v1/';
const suffix = '/heartbeat';

/** The device a heartbeat topic is about, '' for any other topic. */
export const heartbeatDevice = (topic: string): string => {
  if (!topic.startsWith(prefix) || !topic.endsWith(suffix)) return '';
  const device = topic.slice(prefix.length, -suffix.length);
  return device.includes('/') ? '' : device;
};

/**
 * Asks every device that sends heartbeats for the time, every 10 s: the answer gives a clock edge in both directions
 * (design.md section 4). The only thing Hopscope ever publishes, and only where `echo` is on.
 */
export class Echo {
  readonly #publish: (topic: string, payload: string) => void;
  readonly #collectorId: string;
  readonly #clock: Clock;
  readonly #devices = new Map<string, { seenMs: number; dueMs: number }>();
  readonly #timer: NodeJS.Timeout;
  #seq = 0;

  constructor(collectorId: string, clock: Clock, publish: (topic: string, payload: string) => void) {
    this.#publish = publish;
    this.#collectorId = collectorId;
    this.#clock = clock;
    this.#timer = setInterval(() => this.#ask(), stepMs);
    this.#timer.unref();
  }

  /** Called for every message; does something for heartbeats only. */
  sawTopic(topic: string): void {
    const device = heartbeatDevice(topic);
    if (device === '') return;
    const nowMs = performance.now();
    const known = this.#devices.get(device);
    if (known) known.seenMs = nowMs;
    else if (this.#devices.size < devicesAtMost) this.#devices.set(device, { seenMs: nowMs, dueMs: nowMs });
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #ask(): void {
    const nowMs = performance.now();
    for (const [device, known] of this.#devices) {
      if (nowMs - known.seenMs > forgottenAfterMs) {
        this.#devices.delete(device);
        continue;
      }
      if (nowMs < known.dueMs) continue;
      known.dueMs = nowMs + everyMs;
      this.#publish(echoTopic(device), echoPayload(this.#collectorId, ++this.#seq, this.#clock()));
    }
  }
}
