import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSpool } from './spool.ts';

/**
 * Every system call that the spool makes on its files fails once, fails for ever, or is the last one of the process. Whatever happens:
 * what was acknowledged was synced before and is there afterwards, and the spool opens again and takes more.
 */
const script = new URL('./fixtures/append-through-errors.ts', import.meta.url).pathname;
const isLong = Boolean(process.env.HOPSCOPE_LONG);
const calls = ['openat', 'pwrite64', 'write', 'fdatasync', 'fsync', 'ftruncate', 'rename', 'unlink'];
/** at the n-th call; with a plus from there on */
const faults = [
  ['error=EIO', ''],
  ['error=ENOSPC', ''],
  ['error=EIO', '+'],
  ['signal=KILL', ''],
] as const;
const ordinaryPoints = 12;

const canTrace = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true']).status === 0;
if (!canTrace)
  console.warn(
    'I/O errors of the spool: NOT TRIED, strace is not here or may not trace (apt-get install strace; ptrace)',
  );

interface Run {
  code: number | null;
  dir: string;
  /** lines of strace: its own files and no others */
  log: string[];
}

async function run(inject: string[]): Promise<Run> {
  const dir = mkdtempSync(join(tmpdir(), 'hopscope-io-'));
  const files = ['spool.db', 'spool.db-wal', 'spool.db-journal', 'spool.mark.json', 'spool.mark.json.new'];
  const acknowledged = openSync(join(dir, 'acknowledged'), 'a');
  // without --seccomp-bpf, which loses the signals
  const child = spawn(
    'strace',
    [
      ...['-f', '-qq', '-y', '-s', '0', '-o', join(dir, 'log')],
      ...files.flatMap((file) => ['-P', join(dir, 'data', file)]),
      ...['-P', join(dir, 'acknowledged'), '-e', `trace=writev,${calls.join()}`, ...inject],
      ...[process.execPath, '--disable-warning=ExperimentalWarning', script, dir],
    ],
    { stdio: ['ignore', 'inherit', 'inherit', acknowledged] },
  );
  const [code] = (await once(child, 'exit')) as [number | null];
  closeSync(acknowledged);
  return { code, dir, log: readFileSync(join(dir, 'log'), 'utf8').split('\n') };
}

/** Of each call the most that one thread makes: the tracer counts by thread. */
function countsOf(log: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of log) {
    const [, thread, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (thread) counts.set(`${call} ${thread}`, (counts.get(`${call} ${thread}`) ?? 0) + 1);
  }
  const most = new Map<string, number>();
  for (const [key, count] of counts) {
    const call = key.split(' ')[0]!;
    most.set(call, Math.max(most.get(call) ?? 0, count));
  }
  return most;
}

/** How many acknowledgements there were; throws at one that came before what it acknowledges was synced. */
function syncedAcknowledgements(log: string[]): number {
  let isDirty = false;
  let found = 0;
  for (const line of log) {
    if (/ pwrite64\(\d+<[^>]*-wal/.test(line)) isDirty = true;
    // one that was begun in one line and ended in another counts from its end
    else if (
      / (?:fdatasync|fsync)\(\d+<[^>]*-wal>\) += 0/.test(line) ||
      /<... f(?:data)?sync resumed>\) += 0/.test(line)
    )
      isDirty = false;
    else if (/ writev\(\d+<[^>]*acknowledged/.test(line)) {
      found++;
      if (isDirty) throw new Error(`acknowledgement ${found} came before its sync`);
    }
  }
  return found;
}

async function expectKept({ dir, log }: Run): Promise<number> {
  const lines = readFileSync(join(dir, 'acknowledged'), 'utf8').split('\n').slice(0, -1);
  syncedAcknowledgements(log);
  const spool = await openSpool({ dir: join(dir, 'data'), keepMs: 3_600_000, keepBytes: 1 << 30 });
  try {
    const rows = await spool.read(1, 1 << 24);
    const there = new Set(rows.map(({ bytes }) => new TextDecoder().decode(bytes).replace(/\.+$/, '')));
    expect(lines.filter((line) => !there.has(line))).toEqual([]);
    expect(rows.filter(({ damaged }) => damaged)).toEqual([]);
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, i) => i + 1));
    const [row] = rows.slice(-1);
    const one = { signal: 1 as const, arrivalNanos: 1n, items: 1, bytes: new Uint8Array(1) };
    expect((await spool.append([one]))[0]!.seq).toBe((row?.seq ?? 0) + 1);
    return lines.length;
  } finally {
    await spool.close();
    rmSync(dir, { recursive: true });
  }
}

test.runIf(canTrace)(
  `nothing acknowledged is lost at ${isLong ? 'any' : 'one of a dozen'} of the calls on the files of the spool`,
  { timeout: isLong ? 3_600_000 : 120_000 },
  async () => {
    const clean = await run([]);
    expect(clean.code).toBe(0);
    const counts = countsOf(clean.log);
    expect(counts.get('pwrite64')).toBeGreaterThan(30);
    expect(syncedAcknowledgements(clean.log)).toBe(8);
    expect(await expectKept(clean)).toBe(20);

    const all = [...counts]
      .filter(([call]) => calls.includes(call))
      .flatMap(([call, count]) =>
        faults.flatMap(([fault, on]) =>
          Array.from({ length: count }, (_, i) => `inject=${call}:${fault}:when=${i + 1}${on}`),
        ),
      );
    const step = isLong ? 1 : all.length / ordinaryPoints;
    const points = all.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step)).values();
    let tried = 0;
    const codes = new Map<number | null, number>();
    const tryNext = async (): Promise<void> => {
      for (const point of points) {
        const done = await run(['-e', point]);
        // 4: it did not open, which the next start does. 3: the error did not end, and the script gave up. Killed: strace ends as its child did
        expect(point.includes('KILL') ? [null] : point.endsWith('+') ? [0, 3, 4] : [0, 4], point).toContain(done.code);
        await expectKept(done).catch((error: unknown) => {
          throw new Error(`${point}: ${(error as Error).message}`, { cause: error });
        });
        tried++;
        codes.set(done.code, (codes.get(done.code) ?? 0) + 1);
      }
    };
    await Promise.all([tryNext(), tryNext()]);
    expect(tried).toBeGreaterThanOrEqual(ordinaryPoints);
    const ends = [...codes].map(([code, n]) => `${n} ended with ${code ?? 'a kill'}`).join(', ');
    console.info(`I/O errors of the spool: ${tried} of ${all.length} points tried; ${ends}`);
  },
);
