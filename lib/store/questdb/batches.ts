import type { Server } from './server.ts';

/** Which batches of a collector are stored: all up to `through`, and single ones above. */
export class Stored {
  through = 0;
  readonly #above = new Set<number>();

  has(seq: number): boolean {
    return seq <= this.through || this.#above.has(seq);
  }

  add(seq: number): void {
    if (seq <= this.through) return;
    this.#above.add(seq);
    while (this.#above.delete(this.through + 1)) this.through++;
  }

  /** All of them from `from` to `to`. */
  addRun(from: number, to: number): void {
    if (from <= this.through + 1) {
      if (to > this.through) this.through = to;
      while (this.#above.delete(this.through + 1)) this.through++;
    } else for (let seq = from; seq <= to; seq++) this.#above.add(seq);
  }
}

/** Numbers as runs: '1-7,9'. */
export function runsOf(seqs: readonly number[]): string {
  const runs: string[] = [];
  const sorted = seqs.toSorted((a, b) => a - b);
  for (let i = 0; i < sorted.length; i++) {
    const from = sorted[i]!;
    while (sorted[i + 1] === sorted[i]! + 1) i++;
    runs.push(from === sorted[i] ? String(from) : `${from}-${sorted[i]}`);
  }
  return runs.join(',');
}

export const parseRuns = (runs: string): [from: number, to: number][] =>
  runs.split(',').map((run) => {
    const [from, to] = run.split('-').map(Number) as [number, number?];
    return [from, to ?? from];
  });

/** What retention has settled: which batches, by collector, and up to which day (microseconds) it was asked. */
export async function readSettled(server: Server): Promise<{ collector: string; seqs: string; day: bigint }[]> {
  return server.all(`SELECT collector, seqs, ts::long AS day FROM ${server.table('settled_batches')}`);
}

export async function readStored(server: Server): Promise<Map<string, Stored>> {
  const stored = new Map<string, Stored>();
  const of = (collector: string): Stored => {
    const known = stored.get(collector) ?? new Stored();
    stored.set(collector, known);
    return known;
  };
  const runs = (await readSettled(server)).flatMap(({ collector, seqs }) =>
    parseRuns(seqs).map(([from, to]) => ({ collector, from, to })),
  );
  const found = await server.all<{ collector: string; first: bigint; last: bigint; n: bigint }>(
    `SELECT collector, min(seq) AS first, max(seq) AS last, count_distinct(seq) AS n FROM ${server.table('batches')}`,
  );
  const holed: string[] = [];
  for (const { collector, first, last, n } of found) {
    if (last - first + 1n === n) runs.push({ collector, from: Number(first), to: Number(last) });
    else holed.push(collector);
  }
  for (const { collector, from, to } of runs.sort((a, b) => a.from - b.from)) of(collector).addRun(from, to);
  for (const collector of holed) {
    const seqs = await server.arrays<[bigint]>(
      `SELECT seq FROM ${server.table('batches')} WHERE collector = $1 ORDER BY seq`,
      [collector],
    );
    for (const [seq] of seqs) of(collector).add(Number(seq));
  }
  return stored;
}
