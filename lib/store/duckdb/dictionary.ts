import { noResource, type Resource, resourceKey } from '#lib/domain/span.ts';
import type { EpochMillis } from '#lib/domain/units.ts';
import type { Session, Tx } from './session.ts';

/** What everything beyond a bound folds into. */
export const other = '__other__';
const otherString = 1;

export interface DictionaryBounds {
  strings: number;
  resources: number;
  topicsPerBroker: number;
}
export const defaultBounds: DictionaryBounds = { strings: 200_000, resources: 20_000, topicsPerBroker: 20_000 };

export interface TopicName {
  /** strings.id */
  broker: number;
  name: string;
}

/**
 * Numbers for what repeats: texts, resources, topics. Wholly in memory; new rows go into the transaction that first uses them and are
 * forgotten when it fails. Bounded, since names come from strangers: beyond the bound they share one number, and sums stay exact.
 *
 * Reads may use it freely: a number found in a stored row is always known here.
 */
export class Dictionary {
  readonly #bounds: DictionaryBounds;
  #strings = new Map<string, number>();
  #texts: string[] = [];
  #resourceIds = new Map<string, number>();
  /** without attributesJson, which may be 16 KiB each */
  #resources: (Resource | undefined)[] = [];
  #topicIds = new Map<number, Map<string, number>>();
  #topics: (TopicName | undefined)[] = [];
  #newStrings: number[] = [];
  #newResources: { id: number; key: string; resource: Resource; firstMs: EpochMillis }[] = [];
  #newTopics: number[] = [];

  constructor(bounds: DictionaryBounds = defaultBounds) {
    this.#bounds = bounds;
  }

  /** Forgets everything and reads it from the file. */
  async load(session: Session): Promise<void> {
    this.#strings = new Map();
    this.#texts = [];
    this.#resourceIds = new Map();
    this.#resources = [];
    this.#topicIds = new Map();
    this.#topics = [];
    this.committed();
    const strings = await session.columns<[Int32Array, string[]]>('SELECT id, value FROM strings');
    for (let i = 0; i < strings.rowCount; i++) this.#putString(strings.values[0][i]!, strings.values[1][i]!);
    for (const row of await session.all<StoredResource & { key: string }>(
      'SELECT * EXCLUDE (attributes) FROM resources',
    )) {
      this.#resourceIds.set(row.key, row.id);
      this.#resources[row.id] = resourceOf(row);
    }
    const topics = await session.columns<[Int32Array, Int32Array, string[]]>('SELECT id, broker, name FROM topics');
    for (let i = 0; i < topics.rowCount; i++) {
      this.#putTopic(topics.values[0][i]!, { broker: topics.values[1][i]!, name: topics.values[2][i]! });
    }
    if (this.#texts.length === 0) {
      for (const text of ['', other]) {
        this.#newStrings.push(this.#texts.length);
        this.#putString(this.#texts.length, text);
      }
    }
  }

  // ---- reading

  text(id: number): string {
    return this.#texts[id] ?? '';
  }

  /** undefined when no stored row can carry it. */
  textId(text: string): number | undefined {
    return this.#strings.get(text);
  }

  /** attributesJson is always '' here: ask the table. */
  resource(id: number): Resource | undefined {
    return this.#resources[id];
  }

  get resources(): readonly (Resource | undefined)[] {
    return this.#resources;
  }

  topic(id: number): TopicName | undefined {
    return this.#topics[id];
  }

  // ---- writing: inside the ingest transaction only

  string(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    if (this.#texts.length >= this.#bounds.strings) return otherString;
    return this.always(text);
  }

  /** For names that we gave ourselves (collectors, brokers): few, and never folded. */
  always(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const id = this.#texts.length;
    this.#putString(id, text);
    this.#newStrings.push(id);
    return id;
  }

  resourceId(resource: Resource, arrivalMs: EpochMillis): number {
    const key = resourceKey(resource);
    const known = this.#resourceIds.get(key);
    if (known !== undefined) return known;
    if (this.#resourceIds.size < this.#bounds.resources) return this.#addResource(key, resource, arrivalMs);
    return this.#resourceIds.get(other) ?? this.#addResource(other, otherResource, arrivalMs);
  }

  topicId(broker: string, name: string): number {
    const brokerId = this.always(broker);
    const ids = this.#topicIds.get(brokerId);
    const known = ids?.get(name);
    if (known !== undefined) return known;
    if ((ids?.size ?? 0) < this.#bounds.topicsPerBroker) return this.#addTopic({ broker: brokerId, name });
    return ids!.get(other) ?? this.#addTopic({ broker: brokerId, name: other });
  }

  async write(tx: Tx): Promise<void> {
    const texts = this.#newStrings.map((id) => this.#texts[id]!);
    await tx.append('strings', texts.length, [this.#newStrings, texts]);
    const rows = this.#newResources;
    const column = <K extends keyof Resource>(name: K) => rows.map((row) => row.resource[name]);
    await tx.append('resources', rows.length, [
      rows.map((row) => row.id),
      rows.map((row) => row.key),
      column('serviceName'),
      column('serviceNamespace'),
      column('serviceInstanceId'),
      column('serviceVersion'),
      column('hostId'),
      column('hostName'),
      column('sdkLanguage'),
      column('site'),
      column('locality'),
      column('lat'),
      column('lon'),
      column('cloudRegion'),
      column('attributesJson'),
      rows.map((row) => row.firstMs),
    ]);
    const topics = this.#newTopics.map((id) => this.#topics[id]!);
    await tx.append('topics', topics.length, [this.#newTopics, topics.map((t) => t.broker), topics.map((t) => t.name)]);
  }

  committed(): void {
    this.#newStrings = [];
    this.#newResources = [];
    this.#newTopics = [];
  }

  /** The transaction failed: what it added was never stored. */
  rolledBack(): void {
    for (const id of this.#newStrings) this.#strings.delete(this.#texts[id]!);
    this.#texts.length -= this.#newStrings.length;
    for (const { id, key } of this.#newResources) {
      this.#resourceIds.delete(key);
      this.#resources[id] = undefined;
    }
    this.#resources.length -= this.#newResources.length;
    for (const id of this.#newTopics) {
      const { broker, name } = this.#topics[id]!;
      this.#topicIds.get(broker)!.delete(name);
    }
    this.#topics.length -= this.#newTopics.length;
    this.committed();
  }

  #putString(id: number, text: string): void {
    this.#strings.set(text, id);
    this.#texts[id] = text;
  }

  #putTopic(id: number, topic: TopicName): void {
    let ids = this.#topicIds.get(topic.broker);
    if (!ids) {
      ids = new Map();
      this.#topicIds.set(topic.broker, ids);
    }
    ids.set(topic.name, id);
    this.#topics[id] = topic;
  }

  #addTopic(topic: TopicName): number {
    const id = this.#topics.length;
    this.#putTopic(id, topic);
    this.#newTopics.push(id);
    return id;
  }

  #addResource(key: string, resource: Resource, firstMs: EpochMillis): number {
    const id = this.#resources.length;
    this.#resourceIds.set(key, id);
    this.#resources[id] = { ...resource, attributesJson: '' };
    this.#newResources.push({ id, key, resource, firstMs });
    return id;
  }
}

const otherResource: Resource = { ...noResource, serviceName: other };

/** A row of `resources`, without its attributes. */
export interface StoredResource {
  id: number;
  service: string;
  namespace: string;
  instance: string;
  version: string;
  host_id: string;
  host_name: string;
  sdk_language: string;
  site: string;
  locality: string;
  lat: number | null;
  lon: number | null;
  cloud_region: string;
}

export const resourceOf = (row: StoredResource): Resource => ({
  serviceName: row.service,
  serviceNamespace: row.namespace,
  serviceInstanceId: row.instance,
  serviceVersion: row.version,
  hostId: row.host_id,
  hostName: row.host_name,
  sdkLanguage: row.sdk_language,
  site: row.site,
  locality: row.locality,
  lat: row.lat,
  lon: row.lon,
  cloudRegion: row.cloud_region,
  attributesJson: '',
});
