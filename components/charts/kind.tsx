import type { LedgerLine } from '#lib/views/schemas.ts';
import { Drawing } from '../ui/drawing.tsx';

export type StretchKind = LedgerLine['kind'];

/** Patterns say what a stretch is, so that nothing hangs on colour alone: network is hatched, work is solid. */
export const networkKinds: ReadonlySet<StretchKind> = new Set(['uplink', 'downlink', 'request', 'reply']);

export const kindWords: Record<StretchKind, string> = {
  processing: 'processing',
  uplink: 'uplink',
  broker: 'broker',
  downlink: 'downlink',
  request: 'request',
  reply: 'reply',
  wait: 'waiting',
  unknown: 'not known',
};

/** The <pattern>s of one SVG. `scope` keeps the ids of several drawings on a page apart. */
export function KindPatterns({ scope }: { scope: string }) {
  return (
    <defs>
      <pattern id={`${scope}-uplink`} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="6" height="6" className="fill-net" opacity=".34" />
        <rect width="2.6" height="6" className="fill-net" />
      </pattern>
      <pattern
        id={`${scope}-downlink`}
        width="6"
        height="6"
        patternUnits="userSpaceOnUse"
        patternTransform="rotate(-45)"
      >
        <rect width="6" height="6" className="fill-net" opacity=".34" />
        <rect width="2.6" height="6" className="fill-net" />
      </pattern>
      <pattern id={`${scope}-reply`} width="5" height="5" patternUnits="userSpaceOnUse">
        <rect width="5" height="5" className="fill-net" opacity=".34" />
        <circle cx="2.5" cy="2.5" r="1.3" className="fill-net" />
      </pattern>
      <pattern id={`${scope}-request`} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="5" height="5" className="fill-net" opacity=".34" />
        <rect width="2.2" height="5" className="fill-net" />
      </pattern>
      <pattern id={`${scope}-unknown`} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="5" height="5" className="fill-raised" />
        <rect width="1" height="5" className="fill-ink3" />
        <rect width="5" height="1" className="fill-ink3" />
      </pattern>
      <pattern id={`${scope}-wait`} width="4" height="4" patternUnits="userSpaceOnUse">
        <rect width="4" height="4" className="fill-raised" />
        <rect width="1.4" height="4" className="fill-ink3" opacity=".55" />
      </pattern>
    </defs>
  );
}

export function kindPaint(scope: string, kind: StretchKind): { fill?: string; className?: string } {
  if (kind === 'processing') return { className: 'fill-cpu' };
  if (kind === 'broker') return { className: 'fill-brk' };
  return { fill: `url(#${scope}-${kind})` };
}

export const kindStrokeClass = (kind: StretchKind): string =>
  networkKinds.has(kind)
    ? 'stroke-net'
    : kind === 'processing'
      ? 'stroke-cpu'
      : kind === 'broker'
        ? 'stroke-brk'
        : 'stroke-ink3';

/** The small sample beside a word: legend, ledger, legs. The word stands beside it. */
export function KindSwatch({ kind, scope, className = '' }: { kind: StretchKind; scope: string; className?: string }) {
  return (
    <Drawing viewBox="0 0 14 10" width="14" height="10" className={`inline-block shrink-0 ${className}`}>
      <rect x=".5" y=".5" width="13" height="9" rx="2" strokeWidth="1" {...swatchPaint(scope, kind)} />
    </Drawing>
  );
}

const swatchPaint = (scope: string, kind: StretchKind) => {
  const { fill, className = '' } = kindPaint(scope, kind);
  return { fill, className: `${className} ${kindStrokeClass(kind)}` };
};

/** Put once on a page whose swatches share the scope: an SVG of no size that only holds the patterns. */
export function KindPatternSheet({ scope }: { scope: string }) {
  return (
    <Drawing width="0" height="0" className="absolute">
      <KindPatterns scope={scope} />
    </Drawing>
  );
}
