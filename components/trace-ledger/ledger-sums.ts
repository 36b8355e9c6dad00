import type { LedgerLine } from '#lib/views/schemas.ts';
import { isNetwork } from '../trace-waterfall/waterfall-geometry.ts';

export interface LedgerRow {
  index: number;
  line: LedgerLine;
  name: string;
  /** added less floor, for stretches of network; work has no floor */
  overFloorMs: number | null;
  balanceMs: number;
}

/** A way to a broker that tells nothing of its own carries the broker's time in it, and its note says so. */
function nameOf(line: LedgerLine): string {
  if (line.kind === 'wait') return 'waiting';
  if (line.kind === 'unknown') return 'not known';
  return line.note.includes('incl. broker') ? `${line.kind} incl. broker` : line.kind;
}

/** Every line with its running balance, in the clock that is shown. */
export function ledgerRows(lines: readonly LedgerLine[], raw: boolean): LedgerRow[] {
  let balanceMs = 0;
  return lines.map((line, index) => {
    balanceMs += raw ? line.rawMs : line.ms;
    return {
      index,
      line,
      name: nameOf(line),
      overFloorMs: isNetwork(line) && line.floorMs !== null ? line.ms - line.floorMs : null,
      balanceMs,
    };
  });
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

export function ledgerSums(rows: readonly LedgerRow[]) {
  return {
    ms: sum(rows.map((row) => row.line.ms)),
    rawMs: sum(rows.map((row) => row.line.rawMs)),
    overFloorMs: rows.some((row) => row.overFloorMs !== null) ? sum(rows.map((row) => row.overFloorMs ?? 0)) : null,
  };
}

/** Time by kind of stretch, longest first among network, then work: the parts of the share bar. */
export function sharesOf(
  lines: readonly Pick<LedgerLine, 'kind' | 'ms'>[],
): { kind: LedgerLine['kind']; ms: number; share: number }[] {
  const order: LedgerLine['kind'][] = [
    'uplink',
    'request',
    'downlink',
    'reply',
    'broker',
    'processing',
    'wait',
    'unknown',
  ];
  const total = sum(lines.map((line) => Math.max(0, line.ms)));
  return order
    .map((kind) => ({ kind, ms: sum(lines.filter((line) => line.kind === kind).map((line) => line.ms)) }))
    .filter((part) => part.ms > 0)
    .map((part) => ({ ...part, share: total > 0 ? part.ms / total : 0 }));
}
