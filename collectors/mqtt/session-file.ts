import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { EpochMillis } from '#lib/domain/units.ts';

/** What must outlive the process so that the broker knows us again, and a lost session is noticed. */
export interface RememberedSession {
  clientId: string;
  filters: string[];
  /** when the broker began it; null = never connected, or not known */
  beganMs: EpochMillis | null;
  /** null = never connected */
  lastConnectedMs: EpochMillis | null;
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
      lastConnectedMs: null,
    };
    this.save();
  }

  save(): void {
    try {
      writeFileSync(`${this.#path}.new`, JSON.stringify(this.session), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch {
      // A full disk: the session goes on with what is in memory.
    }
  }

  #read(): RememberedSession | null {
    try {
      const found = JSON.parse(readFileSync(this.#path, 'utf8')) as Partial<RememberedSession>;
      if (typeof found.clientId !== 'string' || !Array.isArray(found.filters)) return null;
      const { clientId, filters, beganMs = null, lastConnectedMs = null } = found;
      return { clientId, filters, beganMs, lastConnectedMs };
    } catch {
      return null;
    }
  }
}
