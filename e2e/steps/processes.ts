import { readFileSync } from 'node:fs';

/** What a process of ours takes, as the system counts it (proc(5)). */

/** Resident memory. */
export function memoryMiB(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

/** User and system time; null where the system does not tell, or it is gone. */
export function processorMs(pid: number): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    // in hundredths of a second
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return null;
  }
}
