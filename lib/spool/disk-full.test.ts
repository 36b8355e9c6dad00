import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signal } from '../domain/ingest-batch.ts';
import { openSpool } from './spool.ts';
import type { SpoolEntry } from './spool-row.ts';

const mib = 1024 ** 2;
const entry = (bytes: number): SpoolEntry => {
  return {
    signal: signal.traces,
    arrivalNanos: BigInt(Date.now()) * 1_000_000n,
    items: 1,
    bytes: new Uint8Array(bytes),
  };
};

/** A disk of 64 MiB in memory; null where this user may not mount. */
function smallDisk(): string | null {
  const dir = mkdtempSync(join(tmpdir(), 'hopscope-disk-'));
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', dir]).status === 0) return dir;
  rmdirSync(dir);
  return null;
}

const disk = smallDisk();
if (disk === null) console.warn('the disk-full test needs root to mount a small disk: skipped');

test.runIf(disk !== null)(
  'a disk that fills up: refuses before it is full, loses nothing, goes on when there is room',
  { timeout: 30_000 },
  async () => {
    const dir = disk!;
    let spool = await openSpool({ dir: join(dir, 'data'), keepMs: 3_600_000, keepBytes: 1 << 30 });
    try {
      let acknowledged = 0;
      const fill = async (): Promise<unknown> => {
        for (;;) {
          try {
            await spool.append([entry(mib / 2)]);
            acknowledged++;
          } catch (error) {
            return error;
          }
        }
      };
      for (let cycle = 0; cycle < 3; cycle++) {
        const refusal = await fill();
        expect(refusal).toMatchObject({ code: 'spool', message: expect.stringMatching(/MiB left; below \d+ MiB/) });
        const full = await spool.stats();
        expect(full.diskFreeBytes).toBeLessThan(full.refuseBelowBytes);
        expect(full.diskFreeBytes).toBeGreaterThan(mib);
        expect(full.lastSeq).toBe(acknowledged);
        // What is stored makes room for what comes: the replay window is given up first.
        spool.markStored(spool.collectorId, acknowledged - 5);
        await new Promise((resolve) => setTimeout(resolve, 1_100));
        await spool.append([entry(mib / 2)]);
        acknowledged++;
      }
      const kept = await spool.read(acknowledged - 5, 100 * mib);
      expect(kept.map(({ seq }) => seq)).toEqual([5, 4, 3, 2, 1, 0].map((n) => acknowledged - n));

      // Filled up by somebody else while nothing of ours is stored: refused until that one is gone.
      const hog = join(dir, 'hog');
      const { diskFreeBytes } = await spool.stats();
      writeFileSync(hog, new Uint8Array(diskFreeBytes - mib));
      await expect(spool.append([entry(1000)])).rejects.toMatchObject({ code: 'spool' });
      rmSync(hog);
      await spool.append([entry(1000)]);
      acknowledged++;
      await spool.close();
      spool = await openSpool({ dir: join(dir, 'data'), keepMs: 3_600_000, keepBytes: 1 << 30 });
      expect([spool.gaps, spool.lastSeq]).toEqual([[], acknowledged]);
    } finally {
      await spool.close();
      spawnSync('umount', [dir]);
      rmdirSync(dir);
    }
  },
);
