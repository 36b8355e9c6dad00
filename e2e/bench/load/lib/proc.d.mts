export function procStat(pid: number): { cpuS: number; rssMB: number; peakMB: number; threads: number };
export function resetPeak(pid: number): void;
export function dirBytes(path: string): { apparent: number; alloc: number };
export function loadavg(): string;
