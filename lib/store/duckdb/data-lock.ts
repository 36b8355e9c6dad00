import { closeSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { HopscopeError } from '#lib/errors.ts';

/**
 * Who holds a database file. DuckDB refuses a second process, but in words nobody understands, and it does NOT refuse a second
 * instance in the same process: both write, one silently loses (design.md section 2). So: a registry for this process, found by every
 * copy of this module (Next bundles its own), and a lock file for everybody else.
 */
interface Holder {
  pid: number;
  /** when that process began, in kernel ticks: a pid alone comes back, in containers it is always 1. '' where the system does not tell */
  started: string;
  since: string;
}

const registryKey = Symbol.for('hopscope.store.open');
type Registry = Set<string>;
const registry = (): Registry => {
  const world = globalThis as { [registryKey]?: Registry };
  world[registryKey] ??= new Set();
  return world[registryKey];
};

/** Takes the lock or throws HopscopeError('data-dir') naming the holder. `path` must be absolute. */
export function holdDataFile(path: string): { release: () => void } {
  if (registry().has(path)) {
    throw new HopscopeError(
      'data-dir',
      `${path} is already open in this process: there is one store a process, ask for it instead`,
    );
  }
  const lockFile = `${path}.lock`;
  takeLockFile(path, lockFile);
  registry().add(path);
  return {
    release() {
      registry().delete(path);
      try {
        unlinkSync(lockFile);
      } catch {
        // somebody tidied the folder: the lock is gone all the same
      }
    },
  };
}

/** A process that was just killed needs a moment to go; its successor is often started at once. */
const waitForHolderMs = 2_000;

function takeLockFile(path: string, lockFile: string): void {
  const refuseAtMs = performance.now() + waitForHolderMs;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const fd = openSync(lockFile, 'wx');
      const me: Holder = { pid: process.pid, started: startOf(process.pid), since: new Date().toISOString() };
      writeSync(fd, JSON.stringify(me));
      closeSync(fd);
      return;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new HopscopeError('data-dir', `cannot write beside ${path}: ${(cause as Error).message}`, { cause });
      }
    }
    const holder = readHolder(lockFile);
    if (holder && lives(holder)) {
      if (holder.pid !== process.pid && performance.now() < refuseAtMs) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
        attempt--;
        continue;
      }
      throw new HopscopeError(
        'data-dir',
        holder.pid === process.pid
          ? `${path} is already open in this process (another thread, since ${holder.since})`
          : `${path} is held by process ${holder.pid} since ${holder.since}: stop it first, or start with another data folder`,
      );
    }
    // Stale. Renamed first, so that of two that find it stale only one takes it away.
    try {
      renameSync(lockFile, `${lockFile}.${process.pid}.stale`);
      unlinkSync(`${lockFile}.${process.pid}.stale`);
    } catch {
      // the other one was faster: try again
    }
  }
  throw new HopscopeError('data-dir', `cannot take the lock ${lockFile}: several processes are starting on it at once`);
}

/** null for an unreadable lock: its writer died while writing it. */
function readHolder(lockFile: string): Holder | null {
  try {
    const found = JSON.parse(readFileSync(lockFile, 'utf8')) as Partial<Holder>;
    if (typeof found.pid !== 'number') return null;
    return { pid: found.pid, started: String(found.started ?? ''), since: String(found.since ?? 'an unknown time') };
  } catch {
    return null;
  }
}

function lives(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const started = startOf(holder.pid);
  if (started === gone) return false;
  return holder.started === '' || started === '' || started === holder.started;
}

/** dead, and only waiting for its parent to ask */
const gone = 'gone';

/** Field 22 of /proc/<pid>/stat; the process name before it may hold spaces and brackets. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? gone : (fields[19] ?? '');
  } catch {
    return '';
  }
}
