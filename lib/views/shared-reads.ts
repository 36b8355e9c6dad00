import { type Lasting, Moment } from '../moment.ts';
import type { Store } from '../store/store.ts';

/**
 * A store whose dear reads are shared: equal questions that run at once are one, and an answer is good for a moment. What is shared is what
 * the store says to everybody, before anybody's view of it is cut out, so no key needs to know who asks. Nobody may change what he gets.
 *
 * An answer older than `freshMs` and not than `usableMs` is given once more while the next one is fetched.
 */
export function sharedReads(store: Store, nowMs: () => number = () => performance.now()): Store {
  const shared = new Shared(nowMs);
  const moment = { freshMs: 1_000, usableMs: 2_000 };
  const dear = { freshMs: 2_000, usableMs: 6_000 };
  return {
    ...store,
    sites: () => shared.ask('sites', moment, () => store.sites()),
    devices: () => shared.ask('devices', moment, () => store.devices()),
    services: () => shared.ask('services', moment, () => store.services()),
    clocks: () => shared.ask('clocks', moment, () => store.clocks()),
    liveVerdicts: () => shared.ask('liveVerdicts', moment, () => store.liveVerdicts()),
    hopIdentities: () => shared.ask('hopIdentities', moment, () => store.hopIdentities()),
    lastArrivalMs: () => shared.ask('lastArrivalMs', moment, () => store.lastArrivalMs()),
    deviceSeries: (metric, ids, from, to, step) =>
      shared.ask(`deviceSeries ${metric} ${JSON.stringify(ids)} ${from} ${to} ${step}`, moment, () =>
        store.deviceSeries(metric, ids, from, to, step),
      ),
    hopWindows: (from, to, hop) =>
      shared.ask(`hopWindows ${minutes(from, to)} ${hop}`, moment, () => store.hopWindows(from, to, hop)),
    hopMinutes: (hop, from, to) =>
      shared.ask(`hopMinutes ${hop} ${minutes(from, to)}`, moment, () => store.hopMinutes(hop, from, to)),
    hopsHeard: (from, to) => shared.ask(`hopsHeard ${minutes(from, to)}`, moment, () => store.hopsHeard(from, to)),
    pathWindows: (from, to, step) =>
      shared.ask(`pathWindows ${from} ${to} ${step}`, dear, () => store.pathWindows(from, to, step)),
    pathSeries: (path, from, to, step) =>
      shared.ask(`pathSeries ${JSON.stringify([path.rootName, path.application])} ${from} ${to} ${step}`, dear, () =>
        store.pathSeries(path, from, to, step),
      ),
    pathsOfHops: (from, to) => shared.ask(`pathsOfHops ${minutes(from, to)}`, dear, () => store.pathsOfHops(from, to)),
    pathSamples: (paths, from, to, limit) =>
      shared.ask(
        `pathSamples ${JSON.stringify(paths.map((path) => [path.rootName, path.application]))} ${from} ${to} ${limit}`,
        dear,
        () => store.pathSamples(paths, from, to, limit),
      ),
    topicWindows: (from, to) =>
      shared.ask(`topicWindows ${minutes(from, to)}`, moment, () => store.topicWindows(from, to)),
    topicRhythms: (from, to) =>
      shared.ask(`topicRhythms ${minutes(from, to)}`, dear, () => store.topicRhythms(from, to)),
    brokerSeries: (from, to) =>
      shared.ask(`brokerSeries ${minutes(from, to)}`, dear, () => store.brokerSeries(from, to)),
  };
}

/** These reads know only minutes: two ranges within the same ones are the same question. */
const minutes = (fromMs: number, toMs: number): string => `${Math.floor(fromMs / 60_000)} ${Math.ceil(toMs / 60_000)}`;

const mostEntries = 300;

class Shared {
  readonly #entries = new Map<string, Moment<unknown>>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** `key` says all that `read` asks for. */
  ask<T>(key: string, lasting: Lasting, read: () => Promise<T>): Promise<T> {
    let entry = this.#entries.get(key) as Moment<T> | undefined;
    if (!entry) {
      if (this.#entries.size >= mostEntries / 2) this.#forgetOld();
      entry = new Moment(read, lasting, this.#nowMs);
      this.#entries.set(key, entry);
    }
    return entry.ask();
  }

  #forgetOld(): void {
    for (const [key, entry] of this.#entries) if (entry.isOver()) this.#entries.delete(key);
    for (const key of this.#entries.keys()) {
      if (this.#entries.size < mostEntries) return;
      this.#entries.delete(key);
    }
  }
}
