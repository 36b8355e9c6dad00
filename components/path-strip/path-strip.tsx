import Link from 'next/link';
import type { FleetView } from '#lib/views/schemas.ts';
import { Duration, OfBudget } from '../ui/duration.tsx';
import { formatBound } from '../ui/format.ts';
import { linkTo } from '../ui/link-to.ts';
import { Spark } from '../ui/spark.tsx';
import { VerdictMark } from '../verdict-badge/verdict-mark.tsx';

const mostPaths = 6;
const hows = {
  'one-clock': 'p95 end to end, one clock',
  'one-way': 'p95 one way',
  unknown: 'p95',
} as const;

/** a long figure leaves no room for a line worth looking at */
const hasRoom = (path: FleetView['paths'][number]): boolean =>
  path.mark === 'cannot-tell' || formatBound(path.p95Ms, path.boundMs) === null;

/** The request paths that matter most, each against its budget. */
export function PathStrip({ view }: { view: FleetView }) {
  if (view.paths.length === 0) return null;
  return (
    <ul className="grid grid-cols-1 gap-px border-t border-line bg-line phone:grid-cols-3 desk:grid-cols-[repeat(auto-fit,minmax(10rem,1fr))]">
      {view.paths.slice(0, mostPaths).map((path) => (
        <li key={`${path.application} ${path.name}`} className="relative min-w-0 bg-panel px-3 py-2 hover:bg-hover">
          <p className="flex min-w-0 items-center gap-2 text-dense">
            <VerdictMark mark={path.mark} />
            <Link
              href={linkTo(`/paths/${path.id}`, view.range)}
              prefetch={false}
              title={`${path.name}: where its time goes`}
              className="stretch-link truncate max-phone:min-h-7"
            >
              {path.name}
            </Link>
          </p>
          <p className="mt-0.5 flex items-end gap-2 text-dense" title={hows[path.how]}>
            <span className="shrink-0 whitespace-nowrap">
              <Duration
                ms={path.p95Ms}
                boundMs={path.boundMs}
                unsure={path.mark === 'cannot-tell'}
                mark={path.mark === 'over' ? 'over' : undefined}
              />{' '}
              {path.mark !== 'cannot-tell' && <OfBudget budgetMs={path.budgetMs} />}
            </span>
            {hasRoom(path) && (
              <Spark
                spark={path.spark}
                width={50}
                height={17}
                tone={path.mark}
                className="ms-auto max-w-12.5 min-w-0 shrink!"
              />
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}
