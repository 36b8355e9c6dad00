import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { EpochMillis } from '#lib/domain/units.ts';

/** What must outlive the process so that the broker knows us again, and a lost session is noticed. */
export interface RememberedSession {
  clientId: string;
  filters: string[];
  /** when the broker began it; null = never connected, or not known */
  beganMs: EpochMillis | null;
  /** until when everything the broker took for us came through; null = never connected */
  completeThroughMs: EpochMillis | null;
}

/** One small JSON file for each broker connection in the data directory. */
export class SessionFile {
  readonly session: RememberedSession;
  readonly #path: string;

  /** Two connections with one client id would throw each other out for ever: each URL has its own file. */
  constructor(dataDir: string, name: string, url: string) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const { protocol, host, pathname } = new URL(url);
    const which = crc32(`${protocol}//${host}${pathname}`).toString(16);
    this.#path = join(dataDir, `mqtt-session-${encodeURIComponent(name).slice(0, 100)}-${which}.json`);
    this.session = this.#read() ?? {
      clientId: `hopscope-${randomBytes(6).toString('hex')}`,
      filters: [],
      beganMs: null,
      completeThroughMs: null,
    };
    this.save();
  }

  save(): void {
    try {
      // Synced before it is renamed: with the client id a power cut would lose the session, and nobody would know of a gap.
      writeFileSync(`${this.#path}.new`, JSON.stringify(this.session), { mode: 0o600, flush: true });
      renameSync(`${this.#path}.new`, this.#path);
      const dir = openSync(dirname(this.#path), 'r');
      try {
        fsyncSync(dir);
      } finally {
        closeSync(dir);
      }
    } catch {
      // A full disk, or one whose folders cannot be synced: the session goes on with what is in memory.
    }
  }

  #read(): RememberedSession | null {
    try {
      const found = JSON.parse(readFileSync(this.#path, 'utf8')) as Partial<RememberedSession>;
      if (typeof found.clientId !== 'string' || !Array.isArray(found.filters)) return null;
      const { clientId, filters, beganMs = null, completeThroughMs = null } = found;
      return { clientId, filters, beganMs, completeThroughMs };
    } catch {
      return null;
    }
  }
}
