import type { LedgerLine } from '#lib/views/schemas.ts';
import { KindPatterns, KindSwatch, kindPaint, kindWords } from '../charts/kind.tsx';
import { Drawing } from '../ui/drawing.tsx';
import { formatLedger, formatPercent } from '../ui/format.ts';
import { sharesOf } from './ledger-sums.ts';

/** Where the whole time went, by kind. On the phone it stands for the waterfall. */
export function ShareBar({ lines, scope }: { lines: readonly LedgerLine[]; scope: string }) {
  const parts = sharesOf(lines);
  if (parts.length === 0) return null;
  return (
    <div className="px-3.5 py-2.5">
      <div className="flex h-4 gap-px overflow-hidden rounded-bar" aria-hidden="true">
        {parts.map((part) => (
          <Drawing key={part.kind} className="block h-full min-w-0.5" style={{ flex: `${part.share} 1 0` }}>
            <KindPatterns scope={`${scope}-bar`} />
            <rect width="100%" height="100%" {...kindPaint(`${scope}-bar`, part.kind)} />
          </Drawing>
        ))}
      </div>
      <ul className="mt-1.5 flex flex-wrap gap-x-5 gap-y-1 text-dense">
        {parts.map((part) => (
          <li key={part.kind} className="inline-flex items-center gap-1.5 whitespace-nowrap">
            <KindSwatch kind={part.kind} scope={`${scope}-bar`} />
            <b className="font-strong">{formatLedger(part.ms)}</b>
            <span className="text-ink2">
              {kindWords[part.kind]} {formatPercent(part.share)}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
