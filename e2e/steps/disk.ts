import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDir } from './product.ts';

/** A disk of its own that can run out of room, or lose its power. Needs root. */
export interface Disk {
  dir: string;
  /** Leaves so many bytes to everybody else. */
  fillUp(leaveBytes: number): void;
  makeRoom(): void;
  /** What was set up is on the disk before anything is tried. */
  sync(): void;
  /** From here on every write fails, and what was not synced is gone. */
  cutPower(): void;
  /** What a machine finds that is started again. */
  mountAgain(): void;
  remove(): void;
}

const mib = 1024 ** 2;
const succeeds = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;

function must(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

const saidOnce = new Set<string>();
function cannot(what: string): null {
  if (!saidOnce.has(what)) console.warn(`\n*** NOT TESTED HERE: ${what}\n`);
  saidOnce.add(what);
  return null;
}

function diskAt(dir: string, rest: Pick<Disk, 'cutPower' | 'mountAgain' | 'remove'>): Disk {
  const hog = join(dir, 'somebody-elses-file');
  return {
    dir,
    fillUp(leaveBytes) {
      const free = (): number => {
        const { bavail, bsize } = statfsSync(dir);
        return bavail * bsize;
      };
      try {
        while (free() > leaveBytes) appendFileSync(hog, new Uint8Array(Math.min(mib, free() - leaveBytes)));
      } catch {
        // somebody else took the last of it
      }
    },
    sync: () => must('sync'),
    makeRoom: () => rmSync(hog, { force: true }),
    ...rest,
  };
}

/** A disk in memory; null, loudly, where this user may not mount one. */
export function smallDisk(sizeMiB: number): Disk | null {
  const dir = temporaryDir();
  if (!succeeds('mount', '-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', dir)) {
    rmdirSync(dir);
    return cannot('a full disk. Mounting a small one needs root');
  }
  const never = (): never => {
    throw new Error('a disk in memory forgets everything when its power is cut');
  };
  return diskAt(dir, {
    cutPower: never,
    mountAgain: never,
    remove() {
      must('umount', '-l', dir);
      rmdirSync(dir);
    },
  });
}

/** FS_IOC_SHUTDOWN, "no log flush": what is not on the disk yet never gets there. */
const shutDown = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))
`;

/** ext4 in a file; null, loudly, where this user may not use loop devices. */
export function diskWithPower(sizeMiB: number): Disk | null {
  const why = 'a power cut. Mounting a file system of its own needs root and loop devices';
  const base = temporaryDir();
  const image = join(base, 'image');
  const dir = join(base, 'disk');
  mkdirSync(dir);
  const made =
    succeeds('truncate', '-s', `${sizeMiB}M`, image) &&
    succeeds('mkfs.ext4', '-q', '-F', image) &&
    succeeds('mount', '-o', 'loop', image, dir);
  if (!made) {
    rmSync(base, { recursive: true, force: true });
    return cannot(why);
  }
  return diskAt(dir, {
    cutPower: () => must('python3', '-c', shutDown, dir),
    mountAgain() {
      must('umount', dir);
      must('mount', '-o', 'loop', image, dir);
    },
    remove() {
      must('umount', '-l', dir);
      rmSync(base, { recursive: true, force: true });
    },
  });
}
