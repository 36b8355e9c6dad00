import { Moment } from '#lib/moment.ts';
import type { Database } from './database.ts';

export interface Place {
  deviceId: string;
  site: string;
  application: string;
}

/** Answers this old are given once more: each is a statement, and every trace that is opened asks for all of them. */
const lasting = { freshMs: 1_000, usableMs: 1_000 };

/** What many reads ask for and the audit seldom changes. */
export class Known {
  readonly #db: Database;
  readonly #devices: Moment<Map<number, string>>;
  readonly #places: Moment<Map<number, Place>>;
  readonly #cursors: Moment<BigInt64Array>;

  constructor(db: Database, nowMs: () => number = () => performance.now()) {
    this.#db = db;
    this.#devices = new Moment(() => this.#readDevices(), lasting, nowMs);
    this.#places = new Moment(() => this.#readPlaces(), lasting, nowMs);
    this.#cursors = new Moment(
      async () => (await db.columns<[BigInt64Array]>('SELECT seq FROM audit_cursors')).values[0],
      lasting,
      nowMs,
    );
  }

  /** devices.id by devices.number, with those that are asked for when they exist. */
  deviceIds(numbers: Iterable<number>): Promise<ReadonlyMap<number, string>> {
    return holding(this.#devices, numbers);
  }

  /** Where resources stand, by resources.id; those that the audit has not placed yet are missing. */
  places(resources: Iterable<number>): Promise<ReadonlyMap<number, Place>> {
    return holding(this.#places, resources);
  }

  /**
   * Every batch up to this number has been read by the audit, whoever's it is; -1 while there is one of whom it has read none.
   * May be behind, never ahead.
   */
  async auditedThrough(collectorCount: number): Promise<bigint> {
    const cursors = await this.#cursors.ask();
    return cursors.length < collectorCount ? -1n : (cursors.toSorted()[0] ?? -1n);
  }

  async #readDevices(): Promise<Map<number, string>> {
    const { values } = await this.#db.columns<[Int32Array, string[]]>('SELECT number, id FROM devices');
    return new Map(Array.from(values[0], (number, i) => [number, values[1][i]!]));
  }

  async #readPlaces(): Promise<Map<number, Place>> {
    const [{ values }, devices] = await Promise.all([
      this.#db.columns<[Int32Array, Int32Array, string[], string[]]>(
        'SELECT resource, device, site, application FROM placings',
      ),
      this.#devices.ask(),
    ]);
    const [resources, numbers, sites, applications] = values;
    return new Map(
      Array.from(resources, (resource, i) => [
        resource,
        { deviceId: devices.get(numbers[i]!) ?? '', site: sites[i]!, application: applications[i]! },
      ]),
    );
  }
}

/** Read once more when one of them is missing: it may be new. */
async function holding<K, V>(moment: Moment<Map<K, V>>, keys: Iterable<K>): Promise<ReadonlyMap<K, V>> {
  const value = await moment.ask();
  for (const key of keys) if (!value.has(key)) return moment.renew();
  return value;
}
