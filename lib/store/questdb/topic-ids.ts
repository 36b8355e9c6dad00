import { hash64 } from '#lib/domain/ids.ts';
import type { Server } from './server.ts';

export interface TopicName {
  broker: string;
  topic: string;
}

/** A topic's number is a hash of its names, so that every process and every start gives it the same. 53 bits: an address of a page carries it. */
export const topicIdOf = ({ broker, topic }: TopicName): number => Number(hash64(broker, topic) >> 11n);

/** Names by number: read again when one is missing. */
export class TopicNames {
  readonly #server: Server;
  #names = new Map<number, TopicName>();

  constructor(server: Server) {
    this.#server = server;
  }

  async nameOf(id: number): Promise<TopicName | null> {
    if (!this.#names.has(id)) {
      const rows = await this.#server.all<{ broker: string | null; topic: string | null }>(
        `SELECT broker, topic FROM ${this.#server.table('topics')}`,
      );
      for (const row of rows) {
        const name = { broker: row.broker ?? '', topic: row.topic ?? '' };
        this.#names.set(topicIdOf(name), name);
      }
    }
    return this.#names.get(id) ?? null;
  }
}
