import { statfsSync } from 'node:fs';

export interface DiskSpace {
  freeBytes: number;
  /** refuse before the disk is full: 512 MiB or 10 % of it, whichever is less */
  refuseBelowBytes: number;
}

export function diskSpaceOf(dir: string): DiskSpace {
  const disk = statfsSync(dir);
  return {
    freeBytes: disk.bavail * disk.bsize,
    refuseBelowBytes: Math.min(512 * 1024 ** 2, Math.floor((disk.blocks * disk.bsize) / 10)),
  };
}
