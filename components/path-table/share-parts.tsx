import type { PathPartItem } from '#lib/views/schemas.ts';
import { formatPercent } from '../ui/format.ts';
import { partName, type SiteNames } from './path-words.tsx';

const paint: Record<PathPartItem['kind'], string> = {
  hop: 'bg-net',
  work: 'bg-cpu',
  rest: 'bg-brk',
  unknown: 'hatch-gap bg-raised',
};

const spoken = 3;

/** "48 % line-button Hannover → factory-events Ashburn, ...": the largest, largest first. */
export const largestParts = (parts: readonly PathPartItem[]): PathPartItem[] =>
  parts.toSorted((a, b) => b.share - a.share).slice(0, spoken);

/** Where the time of a path goes, in the order requests meet it: blue is on the way, sand is at work. */
export function ShareParts({
  parts,
  siteNames,
  className = '',
}: {
  parts: readonly PathPartItem[];
  siteNames: SiteNames;
  className?: string;
}) {
  // clocks may give a way less than nothing: it takes no room, and the others keep theirs
  const drawn = parts.filter((part) => part.share > 0.001);
  if (drawn.length === 0) return <span className="text-ink3">–</span>;
  const words = (part: PathPartItem) => `${partName(part, siteNames)} ${formatPercent(part.share)}`;
  return (
    <span
      role="img"
      aria-label={`Where the time goes: ${largestParts(drawn).map(words).join(', ')}`}
      className={`flex h-2.5 w-full gap-px overflow-hidden rounded-bar ${className}`}
    >
      {drawn.map((part, index) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: the order of the parts is their meaning
          key={index}
          title={words(part)}
          className={`block h-full min-w-px ${paint[part.kind]}`}
          style={{ flex: `${part.share} 1 0` }}
        />
      ))}
    </span>
  );
}

/** What the colours mean, once. */
export function ShareKey() {
  return (
    <span className="flex items-center gap-3 text-dense text-ink2" aria-hidden="true">
      <span className="inline-flex items-center gap-1.5">
        <span className="h-2.5 w-3.5 rounded-bar bg-net" /> on the way
      </span>
      <span className="inline-flex items-center gap-1.5">
        <span className="h-2.5 w-3.5 rounded-bar bg-cpu" /> at work
      </span>
    </span>
  );
}
