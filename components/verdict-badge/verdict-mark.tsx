import type { Mark, VerdictWord } from '#lib/views/schemas.ts';
import { Drawing } from '../ui/drawing.tsx';

/** Shape first, then word, then colour: every mark is a shape of its own, drawn because fonts lack some of them. */
export const markWords: Record<Mark, string> = {
  ok: 'within budget',
  noticeable: 'noticeable',
  over: 'over budget',
  'cannot-tell': 'cannot tell',
  'no-data': 'no data',
};

/** What to do, one or two words. */
export const verdictWords: Record<VerdictWord, string> = {
  leave: 'Leave',
  move: 'Move',
  'fix-path': 'Fix the path',
  unanswered: 'Unanswered',
  'cannot-tell': 'Cannot tell',
  'no-data': 'No data',
};

export const markTextClass: Record<Mark, string> = {
  ok: 'text-ok',
  noticeable: 'text-noticeable',
  over: 'text-over',
  'cannot-tell': 'text-cannot-tell',
  'no-data': 'text-no-data',
};

export const markFillClass: Record<Mark, string> = {
  ok: 'fill-ok',
  noticeable: 'fill-noticeable',
  over: 'fill-over',
  'cannot-tell': 'fill-cannot-tell',
  'no-data': 'fill-no-data',
};

export const markStrokeClass: Record<Mark, string> = {
  ok: 'stroke-ok',
  noticeable: 'stroke-noticeable',
  over: 'stroke-over',
  'cannot-tell': 'stroke-cannot-tell',
  'no-data': 'stroke-no-data',
};

export const markTintClass: Record<Mark, string> = {
  ok: 'bg-ok-tint',
  noticeable: 'bg-noticeable-tint',
  over: 'bg-over-tint',
  'cannot-tell': 'bg-cannot-tell-tint',
  'no-data': 'bg-no-data-tint',
};

/** The shape alone, in a 12 x 12 box and currentColor; for SVG that already has a frame (the map's pills). */
export function MarkShape({ mark }: { mark: Mark }) {
  switch (mark) {
    case 'ok':
      return <circle cx="6" cy="6" r="3.2" fill="currentColor" />;
    case 'noticeable':
      return (
        <path
          d="M6 1.2 11.2 10.4H.8Z"
          fill="currentColor"
          stroke="currentColor"
          strokeWidth=".8"
          strokeLinejoin="round"
        />
      );
    case 'over':
      return <path d="M6 .4 11.6 6 6 11.6.4 6Z" fill="currentColor" />;
    case 'cannot-tell':
      return (
        <g fill="none" stroke="currentColor" strokeLinecap="round">
          <rect x=".8" y=".8" width="10.4" height="10.4" rx="2.6" strokeWidth="1.2" strokeDasharray="2.6 1.7" />
          <path d="M4.5 4.7a1.5 1.5 0 1 1 2.2 1.4c-.5.3-.7.5-.7 1" strokeWidth="1.2" />
          <circle cx="6" cy="8.9" r=".75" fill="currentColor" stroke="none" />
        </g>
      );
    case 'no-data':
      return <path d="M2.5 6h7" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" fill="none" />;
  }
}

/** Names itself unless words beside it do (`decorative`). Takes the verdict's colour unless a class overrides it. */
export function VerdictMark({
  mark,
  size = 12,
  decorative = false,
  className,
}: {
  mark: Mark;
  size?: number;
  decorative?: boolean;
  className?: string;
}) {
  return (
    <Drawing
      label={decorative ? undefined : markWords[mark]}
      viewBox="0 0 12 12"
      width={size}
      height={size}
      className={`inline-block shrink-0 ${className ?? markTextClass[mark]}`}
    >
      <MarkShape mark={mark} />
    </Drawing>
  );
}

/** ◆ over budget: mark and word, in the verdict's colour. */
export function VerdictLabel({ mark, word, className = '' }: { mark: Mark; word?: string; className?: string }) {
  return (
    <span className={`inline-flex items-center gap-1.5 whitespace-nowrap ${markTextClass[mark]} ${className}`}>
      <VerdictMark mark={mark} decorative />
      {word ?? markWords[mark]}
    </span>
  );
}

/** The tinted pill beside a title. Only here and on over-budget cards does a verdict get a ground of its own. */
export function VerdictBadge({ mark, word }: { mark: Mark; word?: string }) {
  const text = word ?? markWords[mark];
  return (
    <span
      className={`inline-flex h-5.5 items-center gap-1.5 rounded-pill px-2 text-dense font-control whitespace-nowrap ${markTintClass[mark]} ${markTextClass[mark]}`}
    >
      <VerdictMark mark={mark} decorative />
      {text.charAt(0).toUpperCase() + text.slice(1)}
    </span>
  );
}

/** An arrow that ends at nothing: no answer came, or nobody listens. */
export function BrokenArrow({ label, className = 'text-noticeable' }: { label?: string; className?: string }) {
  return (
    <Drawing label={label} viewBox="0 0 12 12" width="12" height="12" className={`inline-block shrink-0 ${className}`}>
      <g fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round">
        <path d="M.9 6h5.6M4.4 3.6 6.9 6 4.4 8.4" />
        <path d="M10.3 1.4v2M10.3 5v2M10.3 8.6v2" />
      </g>
    </Drawing>
  );
}
