import type { Database } from './database.ts';

export interface Place {
  deviceId: string;
  site: string;
  application: string;
}

/** Answers this old are given once more: each is a statement, and every trace that is opened asks for all of them. */
const freshMs = 1_000;

/** What many reads ask for and the audit seldom changes. */
export class Known {
  readonly #db: Database;
  readonly #nowMs: () => number;
  readonly #devices: Moment<Map<number, string>>;
  readonly #places: Moment<Map<number, Place>>;
  readonly #cursors: Moment<BigInt64Array>;

  constructor(db: Database, nowMs: () => number = () => performance.now()) {
    this.#db = db;
    this.#nowMs = nowMs;
    this.#devices = new Moment(() => this.#readDevices());
    this.#places = new Moment(() => this.#readPlaces());
    this.#cursors = new Moment(
      async () => (await db.columns<[BigInt64Array]>('SELECT seq FROM audit_cursors')).values[0],
    );
  }

  /** devices.id by devices.number, with those that are asked for when they exist. */
  deviceIds(numbers: Iterable<number>): Promise<ReadonlyMap<number, string>> {
    return this.#devices.holding(numbers, this.#nowMs());
  }

  /** Where resources stand, by resources.id; those that the audit has not placed yet are missing. */
  places(resources: Iterable<number>): Promise<ReadonlyMap<number, Place>> {
    return this.#places.holding(resources, this.#nowMs());
  }

  /**
   * Every batch up to this number has been read by the audit, whoever's it is; -1 while there is one of whom it has read none.
   * May be behind, never ahead.
   */
  async auditedThrough(collectorCount: number): Promise<bigint> {
    const cursors = await this.#cursors.ask(this.#nowMs());
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
      this.#devices.ask(this.#nowMs()),
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

class Moment<T> {
  readonly #read: () => Promise<T>;
  #value: T | null = null;
  #atMs = Number.NEGATIVE_INFINITY;
  #running: Promise<T> | null = null;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  ask(nowMs: number): Promise<T> {
    if (this.#value !== null && nowMs - this.#atMs <= freshMs) return Promise.resolve(this.#value);
    return this.#fetch(nowMs);
  }

  /** Read once more when one of them is missing: it may be new. */
  async holding<K, V>(this: Moment<Map<K, V>>, keys: Iterable<K>, nowMs: number): Promise<ReadonlyMap<K, V>> {
    const value = await this.ask(nowMs);
    for (const key of keys) if (!value.has(key)) return this.#fetch(nowMs);
    return value;
  }

  #fetch(nowMs: number): Promise<T> {
    this.#running ??= this.#read()
      .then((value) => {
        this.#value = value;
        this.#atMs = nowMs;
        return value;
      })
      .finally(() => {
        this.#running = null;
      });
    return this.#running;
  }
}
