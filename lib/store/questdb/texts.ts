import { createHash } from 'node:crypto';
import { noResource, type Resource, resourceKey } from '#lib/domain/span.ts';
import type { EpochMillis } from '#lib/domain/units.ts';
import type { Lines } from './lines.ts';
import type { Server } from './server.ts';

/** What everything beyond a bound folds into. */
export const other = '__other__';

export interface TextBounds {
  strings: number;
  resources: number;
  topicsPerBroker: number;
}
export const defaultBounds: TextBounds = { strings: 200_000, resources: 20_000, topicsPerBroker: 20_000 };

const alwaysKnown = (): Map<string, number> =>
  new Map([
    ['', 0],
    [other, 1],
  ]);

/** A resource is one symbol in the rows: the digest of what tells it apart. */
export const resourceSymbol = (resource: Resource): string =>
  createHash('sha256').update(resourceKey(resource)).digest('hex').slice(0, 32);

/**
 * Which texts, resources and topics may be symbols. Names come from strangers, and a symbol is never forgotten: beyond a bound they share one,
 * and sums stay exact. Wholly in memory, with small numbers that only this process knows.
 *
 * What several collectors add between two starts they do not see of each other, so all of them together may go beyond a bound by that much.
 */
export class Texts {
  readonly #bounds: TextBounds;
  #texts = alwaysKnown();
  #resources = new Map<string, { symbol: string; number: number }>();
  readonly #symbols = new Map<string, number>();
  #topics = new Map<string, Map<string, number>>();
  #newTexts: string[] = [];
  #newResources: { key: string; symbol: string; resource: Resource; firstMs: EpochMillis }[] = [];
  #newTopics: { broker: string; topic: string }[] = [];

  constructor(bounds: TextBounds = defaultBounds) {
    this.#bounds = bounds;
  }

  async load(server: Server): Promise<void> {
    this.#texts = alwaysKnown();
    this.#resources = new Map();
    this.#symbols.clear();
    this.#topics = new Map();
    this.committed();
    for (const [text] of await server.arrays<[string]>(`SELECT text FROM ${server.table('texts')}`))
      this.#addText(text);
    const resources = await server.arrays<[string, ...string[]]>(
      `SELECT key, service, namespace, instance, version, host_id, host_name, sdk_language, site, locality, lat, lon, cloud_region
       FROM ${server.table('resources')}`,
    );
    for (const [symbol, ...parts] of resources)
      this.#addResource(symbol === other ? other : parts.map((part) => part ?? '').join('\u001f'), symbol);
    const topics = await server.arrays<[string | null, string | null]>(
      `SELECT broker, topic FROM ${server.table('topics')}`,
    );
    for (const [broker, topic] of topics) this.#addTopic(broker ?? '', topic ?? '');
  }

  /** The text, or what it folds into. */
  text(text: string): string {
    if (this.#texts.has(text)) return text;
    if (this.#texts.size >= this.#bounds.strings) return other;
    return this.always(text);
  }

  /** For names that we gave ourselves (collectors, brokers): few, and never folded. */
  always(text: string): string {
    if (!this.#texts.has(text)) {
      this.#addText(text);
      this.#newTexts.push(text);
    }
    return text;
  }

  numberOf(text: string): number {
    return this.#texts.get(text) ?? 1;
  }

  resource(resource: Resource, arrivalMs: EpochMillis): { symbol: string; number: number } {
    const key = resourceKey(resource);
    const known = this.#resources.get(key);
    if (known) return known;
    if (this.#resources.size < this.#bounds.resources)
      return this.#newResource(key, resourceSymbol(resource), resource, arrivalMs);
    return (
      this.#resources.get(other) ?? this.#newResource(other, other, { ...noResource, serviceName: other }, arrivalMs)
    );
  }

  /** The topic's name, or what it folds into. */
  topic(broker: string, name: string): string {
    const known = this.#topics.get(this.always(broker));
    if (known?.has(name)) return name;
    const kept = (known?.size ?? 0) < this.#bounds.topicsPerBroker ? name : other;
    if (!known?.has(kept)) {
      this.#addTopic(broker, kept);
      this.#newTopics.push({ broker, topic: kept });
    }
    return kept;
  }

  /** -1 where it is not known. */
  resourceNumber(symbol: string): number {
    return this.#symbols.get(symbol) ?? -1;
  }

  topicNumber(broker: string, topic: string): number {
    return this.#topics.get(broker)!.get(topic)!;
  }

  /** What is new goes with the rows that use it. */
  write(lines: Lines): void {
    for (const text of this.#newTexts) lines.add('texts', 0, [text]);
    for (const { symbol, resource: r, firstMs } of this.#newResources)
      lines.add('resources', 0, [
        symbol,
        r.serviceName,
        r.serviceNamespace,
        r.serviceInstanceId,
        r.serviceVersion,
        r.hostId,
        r.hostName,
        r.sdkLanguage,
        r.site,
        r.locality,
        r.lat,
        r.lon,
        r.cloudRegion,
        r.attributesJson,
        firstMs,
        this.resourceNumber(symbol),
      ]);
    // MQTT has no empty topic, and a row must say something
    for (const { broker, topic } of this.#newTopics) if (topic !== '') lines.add('topics', 0, [broker, topic]);
  }

  committed(): void {
    this.#newTexts = [];
    this.#newResources = [];
    this.#newTopics = [];
  }

  rolledBack(): void {
    for (const text of this.#newTexts) this.#texts.delete(text);
    for (const { key } of this.#newResources) this.#resources.delete(key);
    for (const { broker, topic } of this.#newTopics) this.#topics.get(broker)!.delete(topic);
    this.committed();
  }

  #addText(text: string): void {
    this.#texts.set(text, this.#texts.size);
  }

  #addResource(key: string, symbol: string): { symbol: string; number: number } {
    const added = { symbol, number: this.#resources.size };
    this.#resources.set(key, added);
    this.#symbols.set(symbol, added.number);
    return added;
  }

  #newResource(
    key: string,
    symbol: string,
    resource: Resource,
    firstMs: EpochMillis,
  ): { symbol: string; number: number } {
    this.#newResources.push({ key, symbol, resource, firstMs });
    return this.#addResource(key, symbol);
  }

  #addTopic(broker: string, topic: string): void {
    const topics = this.#topics.get(broker) ?? new Map<string, number>();
    this.#topics.set(broker, topics.set(topic, topics.size));
  }
}

/** A row of `resources`, without its attributes. */
export interface StoredResource {
  key: string;
  service: string | null;
  namespace: string | null;
  instance: string | null;
  version: string | null;
  host_id: string | null;
  host_name: string | null;
  sdk_language: string | null;
  site: string | null;
  locality: string | null;
  lat: number | null;
  lon: number | null;
  cloud_region: string | null;
}

export const resourceColumns =
  'key, service, namespace, instance, version, host_id, host_name, sdk_language, site, locality, lat, lon, cloud_region';

export const resourceOf = (row: StoredResource): Resource => ({
  serviceName: row.service ?? '',
  serviceNamespace: row.namespace ?? '',
  serviceInstanceId: row.instance ?? '',
  serviceVersion: row.version ?? '',
  hostId: row.host_id ?? '',
  hostName: row.host_name ?? '',
  sdkLanguage: row.sdk_language ?? '',
  site: row.site ?? '',
  locality: row.locality ?? '',
  lat: row.lat,
  lon: row.lon,
  cloudRegion: row.cloud_region ?? '',
  attributesJson: '',
});
