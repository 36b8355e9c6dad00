import { noResource, type Resource } from '#lib/domain/span.ts';
import type { Server } from './server.ts';
import { resourceColumns, resourceOf, type StoredResource } from './texts.ts';

/** Resources by their symbols: read once more when one is missing, or when there are more of them than before. */
export class Known {
  readonly #server: Server;
  #resources = new Map<string, Resource>();
  #reading: Promise<void> | null = null;

  constructor(server: Server) {
    this.#server = server;
  }

  /** attributesJson is always '' here: ask the table. */
  async resource(symbol: string): Promise<Resource> {
    if (!this.#resources.has(symbol)) await this.#read();
    return this.#resources.get(symbol) ?? noResource;
  }

  async resourcesOfService(service: string): Promise<string[]> {
    return [...(await this.all())].flatMap(([symbol, { serviceName }]) => (serviceName === service ? [symbol] : []));
  }

  async all(): Promise<ReadonlyMap<string, Resource>> {
    const [row] = await this.#server.all<{ n: bigint }>(`SELECT count() AS n FROM ${this.#server.table('resources')}`);
    if (Number(row?.n ?? 0) !== this.#resources.size) await this.#read();
    return this.#resources;
  }

  /** All who miss one share one question. */
  #read(): Promise<void> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readNow(): Promise<void> {
    const rows = await this.#server.all<StoredResource>(
      `SELECT ${resourceColumns} FROM ${this.#server.table('resources')}`,
    );
    for (const row of rows) if (!this.#resources.has(row.key)) this.#resources.set(row.key, resourceOf(row));
  }
}
