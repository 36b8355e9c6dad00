import type { HopItem, RangeView } from '#lib/views/schemas.ts';
import { HopName } from '../hop-head/hop-name.tsx';
import { TextLink } from '../ui/button.tsx';
import { Duration } from '../ui/duration.tsx';
import { formatBudget, formatChange, formatNumber, latencyFigure, unknown } from '../ui/format.ts';
import { linkTo } from '../ui/link-to.ts';
import { RowHead, sortedBy, Table, Td, Th, Tr } from '../ui/table.tsx';
import { isTrouble, LiveNote } from '../verdict-badge/live-note.tsx';
import { BrokenArrow, VerdictLabel, VerdictMark, verdictWords } from '../verdict-badge/verdict-mark.tsx';
import type { HopSort } from './hops-query.ts';

export const verdictText = (hop: HopItem): string =>
  hop.verdict === 'move' && hop.moveWhat === 'broker' ? 'Move the broker' : verdictWords[hop.verdict];

export function HopMark({ hop }: { hop: HopItem }) {
  return hop.verdict === 'unanswered' ? (
    <BrokenArrow label="unanswered" className="text-over" />
  ) : (
    <VerdictMark mark={hop.mark} />
  );
}

/** ± wider than the way to the budget: it decides, so it takes the colour */
const unsure = (hop: HopItem): boolean => hop.verdict === 'cannot-tell';

const why = (hop: HopItem): string =>
  hop.clock === 'overlap'
    ? 'the servers outlived their answers'
    : hop.count === 0
      ? 'no request in this range'
      : 'no request came with a figure';

const failed = (hop: HopItem): string =>
  hop.unanswered > 0
    ? `${formatNumber(hop.errors)} errors, ${formatNumber(hop.unanswered)} unanswered`
    : `${formatNumber(hop.errors)} errors`;

/** Ranked hops as a table; the phone gets the same rows as cards. */
export function HopTable({
  items,
  range,
  sort,
  reverse,
  hrefOfSort,
}: {
  items: readonly HopItem[];
  range: RangeView;
  sort: HopSort;
  reverse: boolean;
  /** the URL that sorts by a column, the other way round where it already does */
  hrefOfSort: (sort: HopSort) => string;
}) {
  const column = sortedBy(sort, reverse, hrefOfSort);
  return (
    <div className="max-phone:hidden">
      <Table caption="Hops, worst first unless sorted otherwise; latency in milliseconds">
        <thead>
          <tr>
            <Th {...column('worst')} className="w-px">
              Verdict
            </Th>
            <Th {...column('hop', true)}>Hop</Th>
            <Th className="max-desk:hidden">Via</Th>
            <Th numeric {...column('count')}>
              Crossings
            </Th>
            <Th numeric {...column('errors')}>
              Failed
            </Th>
            <Th numeric {...column('p50')}>
              p50, ms
            </Th>
            <Th numeric {...column('p95')}>
              p95, ms
            </Th>
            <Th numeric {...column('floor')} className="max-wide:hidden">
              Floor, ms
            </Th>
            <Th numeric {...column('over-floor')} className="max-wide:hidden">
              Over floor
            </Th>
            <Th numeric {...column('budget')}>
              Budget
            </Th>
          </tr>
        </thead>
        <tbody>
          {items.map((hop) => (
            <Tr key={hop.id} className="relative">
              <Td className="h-8.5 whitespace-nowrap">
                <span className="inline-flex items-center gap-1.5" title={hop.reason}>
                  {hop.verdict === 'unanswered' ? (
                    <>
                      <BrokenArrow className="text-over" />
                      <span className="text-over">{verdictText(hop)}</span>
                    </>
                  ) : (
                    <VerdictLabel mark={hop.mark} word={verdictText(hop)} />
                  )}
                </span>
                {range.live && isTrouble(hop.live) && (
                  <LiveNote live={hop.live} nowMs={range.toMs} className="block text-note text-ink3" />
                )}
              </Td>
              <RowHead>
                <TextLink
                  href={linkTo(`/hops/${hop.id}`, range)}
                  className="stretch-link inline-flex min-h-6 flex-wrap items-center font-strong !text-ink"
                  title={hop.reason}
                  data-row=""
                >
                  <span>
                    <HopName hop={hop} />
                  </span>
                </TextLink>
                <span className="block max-w-80 truncate pb-1 font-mono text-note text-ink3 desk:hidden">
                  {hop.via.destination || hop.via.system}
                </span>
              </RowHead>
              <Td className="max-desk:hidden">
                <span className="block max-w-72 truncate" title={`${hop.via.system} ${hop.via.destination}`}>
                  <span className="text-ink3">{hop.via.system}</span>{' '}
                  <span className="font-mono text-ink2">{hop.via.destination}</span>
                </span>
              </Td>
              <Td numeric>{formatNumber(hop.count)}</Td>
              <Td numeric className="text-ink2" title={failed(hop)}>
                {hop.count === 0 ? (
                  <span className="text-ink3">{unknown}</span>
                ) : (
                  formatNumber(hop.errors + hop.unanswered)
                )}
              </Td>
              <Td numeric>
                <Duration
                  ms={hop.addedMs.p50}
                  boundMs={hop.boundMs}
                  unit={false}
                  unsure={unsure(hop)}
                  whyUnknown={why(hop)}
                />
              </Td>
              <Td numeric>
                <Duration
                  ms={hop.addedMs.p95}
                  boundMs={hop.boundMs}
                  unit={false}
                  unsure={unsure(hop)}
                  whyUnknown={why(hop)}
                />
              </Td>
              <Td numeric className="text-ink2 max-wide:hidden">
                {latencyFigure(hop.floorMs).text}
              </Td>
              <Td numeric className="max-wide:hidden">
                {hop.overFloorMs === null ? (
                  <span className="text-ink3">{unknown}</span>
                ) : (
                  formatChange(hop.overFloorMs)
                )}
              </Td>
              <Td numeric className="text-ink2" title={hop.budgetFrom}>
                {formatBudget(hop.budgetMs)}
              </Td>
            </Tr>
          ))}
        </tbody>
      </Table>
    </div>
  );
}

export function HopCards({ items, range }: { items: readonly HopItem[]; range: RangeView }) {
  return (
    <ul className="divide-y divide-line phone:hidden">
      {/* the faintest ink is measured against the panel; on the tint the next one is */}
      {items.map((hop) => (
        <li
          key={hop.id}
          className={`relative px-3.5 py-3 ${hop.mark === 'over' ? 'bg-over-tint [--ink3:var(--ink2)]' : ''}`}
        >
          <div className="flex items-start justify-between gap-3">
            <TextLink
              href={linkTo(`/hops/${hop.id}`, range)}
              className="stretch-link min-w-0 font-strong break-words !text-ink"
              data-row=""
            >
              <HopName hop={hop} />
            </TextLink>
            <span className="text-end">
              <Duration
                ms={hop.addedMs.p95}
                boundMs={hop.boundMs}
                unsure={unsure(hop)}
                mark={hop.mark}
                whyUnknown={why(hop)}
              />
              <span className="block text-note text-ink3">p95 of {formatBudget(hop.budgetMs)}</span>
            </span>
          </div>
          <p className="mt-0.5 truncate font-mono text-note text-ink3">{hop.via.destination || hop.via.system}</p>
          <p className="mt-1 text-dense text-ink2">
            {hop.verdict === 'unanswered' ? (
              <BrokenArrow label="unanswered" className="me-1.5 align-[-1px] text-over" />
            ) : (
              <VerdictMark mark={hop.mark} className={undefined} />
            )}{' '}
            {hop.reason}
          </p>
          <p className="mt-1 text-note text-ink3">
            {formatNumber(hop.count)} crossings, {failed(hop)}, floor {latencyFigure(hop.floorMs).text}
            {range.live && isTrouble(hop.live) && (
              <>
                , <LiveNote live={hop.live} nowMs={range.toMs} />
              </>
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}
