import type { RangeView, RequestPathItem } from '#lib/views/schemas.ts';
import { TextLink } from '../ui/button.tsx';
import { Duration } from '../ui/duration.tsx';
import { formatBudget, formatNumber, plural } from '../ui/format.ts';
import { linkTo } from '../ui/link-to.ts';
import { Spark } from '../ui/spark.tsx';
import { RowHead, sortedBy, Table, Td, Th, Tr } from '../ui/table.tsx';
import { VerdictLabel, VerdictMark } from '../verdict-badge/verdict-mark.tsx';
import { BudgetBar } from './budget-bar.tsx';
import {
  budgetWords,
  howMeasured,
  isFree,
  isUnsure,
  openWords,
  pathVerdict,
  type SiteNames,
  whyUnknown,
} from './path-words.tsx';
import type { PathSort } from './paths-query.ts';
import { ShareParts } from './share-parts.tsx';

/** "12 ± unknown" where nothing ties the clocks: without the words the figure would look sure. */
function EndToEnd({ path, ms, unit }: { path: RequestPathItem; ms: number | null; unit: boolean }) {
  const open = openWords(ms, path.boundMs);
  return (
    <>
      <Duration
        ms={ms}
        boundMs={path.boundMs}
        unit={unit}
        unsure={isUnsure(path)}
        mark={unit ? path.mark : undefined}
        whyUnknown={whyUnknown(path)}
      />
      {open !== null && <span className={isUnsure(path) ? 'text-cannot-tell' : 'text-ink3'}> {open}</span>}
    </>
  );
}

/** What nobody set a budget for breaks none, and keeps none either: it takes no verdict's colour. */
function PathVerdict({ path }: { path: RequestPathItem }) {
  if (!isFree(path)) return <VerdictLabel mark={path.mark} word={pathVerdict(path)} />;
  return (
    <span className="inline-flex items-center gap-1.5 text-ink3">
      <VerdictMark mark="no-data" decorative />
      {pathVerdict(path)}
    </span>
  );
}

/** Ranked paths as a table; the phone gets the same rows as cards. */
export function PathTable({
  items,
  range,
  siteNames,
  sort,
  reverse,
  hrefOfSort,
}: {
  items: readonly RequestPathItem[];
  range: RangeView;
  siteNames: SiteNames;
  sort: PathSort;
  reverse: boolean;
  /** the URL that sorts by a column, the other way round where it already does */
  hrefOfSort: (sort: PathSort) => string;
}) {
  const column = sortedBy(sort, reverse, hrefOfSort);
  return (
    <div className="max-phone:hidden">
      <Table caption="Request paths, worst first unless sorted otherwise; end to end, in milliseconds">
        <thead>
          <tr>
            <Th {...column('worst')} className="w-px">
              Verdict
            </Th>
            <Th {...column('path', true)}>Path</Th>
            <Th className="w-44 max-desk:hidden">Where the time goes</Th>
            <Th numeric {...column('count')}>
              Requests
            </Th>
            <Th numeric {...column('errors')} className="max-wide:hidden">
              Errors
            </Th>
            <Th numeric {...column('p50')}>
              p50, ms
            </Th>
            <Th numeric {...column('p95')}>
              p95, ms
            </Th>
            <Th {...column('budget')}>Budget</Th>
            <Th className="w-px max-wide:hidden">p50 over time</Th>
          </tr>
        </thead>
        <tbody>
          {items.map((path) => (
            <Tr key={path.id} className="relative align-middle">
              <Td className="h-11 whitespace-nowrap">
                <PathVerdict path={path} />
              </Td>
              <RowHead className="max-w-0 wide:w-2/5">
                <TextLink
                  href={linkTo(`/paths/${path.id}`, range)}
                  className="stretch-link inline-flex min-h-6 max-w-full items-center font-strong !text-ink"
                  title={path.reason}
                  data-row=""
                >
                  <span className="truncate">{path.name}</span>
                  <span className="ms-2 shrink-0 font-normal text-ink3">{path.application}</span>
                </TextLink>
                <span className="line-clamp-2 pb-1 text-note text-ink2">{path.reason}</span>
              </RowHead>
              <Td className="max-desk:hidden">
                <ShareParts parts={path.parts} siteNames={siteNames} className="min-w-36" />
              </Td>
              <Td numeric>{formatNumber(path.count)}</Td>
              <Td numeric className="text-ink2 max-wide:hidden">
                {formatNumber(path.errors)}
              </Td>
              <Td numeric>
                <EndToEnd path={path} ms={path.p50Ms} unit={false} />
              </Td>
              <Td numeric title={howMeasured[path.how]}>
                <EndToEnd path={path} ms={path.p95Ms} unit={false} />
              </Td>
              <Td className="whitespace-nowrap" title={path.budgetFrom ?? 'nobody set a budget for this path'}>
                <span className="inline-flex items-center gap-2">
                  <BudgetBar p95Ms={path.p95Ms} boundMs={path.boundMs} budgetMs={path.budgetMs} mark={path.mark} />
                  <span className={path.budgetMs === null ? 'text-ink3' : 'text-ink2'}>
                    {path.budgetMs === null ? 'none' : formatBudget(path.budgetMs)}
                  </span>
                </span>
              </Td>
              <Td className="max-wide:hidden">
                <Spark spark={path.spark} width={64} height={18} tone={path.mark} />
              </Td>
            </Tr>
          ))}
        </tbody>
      </Table>
    </div>
  );
}

export function PathCards({
  items,
  range,
  siteNames,
}: {
  items: readonly RequestPathItem[];
  range: RangeView;
  siteNames: SiteNames;
}) {
  return (
    <ul className="divide-y divide-line phone:hidden">
      {/* the faintest ink is measured against the panel; on the tint the next one is */}
      {items.map((path) => (
        <li
          key={path.id}
          className={`relative px-3.5 py-3 ${path.mark === 'over' ? 'bg-over-tint [--ink3:var(--ink2)]' : ''}`}
        >
          <div className="flex items-start justify-between gap-3">
            <TextLink
              href={linkTo(`/paths/${path.id}`, range)}
              className="stretch-link min-w-0 font-strong break-words !text-ink"
              data-row=""
            >
              {path.name} <span className="font-normal text-ink3">{path.application}</span>
            </TextLink>
            <span className="shrink-0 text-end">
              <EndToEnd path={path} ms={path.p95Ms} unit />
              <span className="block text-note text-ink3">p95 {budgetWords(path.budgetMs)}</span>
            </span>
          </div>
          <p className="mt-1 text-dense text-ink2">
            <VerdictMark mark={isFree(path) ? 'no-data' : path.mark} /> {path.reason}
          </p>
          <ShareParts parts={path.parts} siteNames={siteNames} className="mt-2" />
          <p className="mt-1 text-note text-ink3">
            {plural(path.count, 'request')}, {plural(path.errors, 'error')}
          </p>
        </li>
      ))}
    </ul>
  );
}
