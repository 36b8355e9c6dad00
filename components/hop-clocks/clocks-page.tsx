import type { ClocksView } from '#lib/views/schemas.ts';
import { PageHead, Sentence } from '../hop-head/page-head.tsx';
import { siteName } from '../hop-head/site-name.ts';
import { Empty } from '../ui/empty.tsx';
import { formatChange, formatNumber, plural, unknown } from '../ui/format.ts';
import { Panel } from '../ui/panel.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { Exports, RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';

type Clock = ClocksView['items'][number];

/** How the offset was found, and what to do where it was not. */
const words: Record<string, { how: string; cure: string }> = {
  bounded: { how: 'Bounded: messages went both ways, and light needs its time.', cure: '' },
  'same-clock': { how: 'The collector’s own clock: all others are compared with it.', cure: '' },
  assumed: {
    how: 'Assumed right: messages were seen one way only, so nothing proves or refutes it.',
    cure: 'Turn on the echo for it.',
  },
  'clock-wrong': {
    how: 'Proven wrong: as sent, its messages would arrive before they left, or faster than light in fibre.',
    cure: 'Set it (chrony or NTP).',
  },
  contradiction: {
    how: 'Contradicted: its messages cannot all be true at once; it may have been stepped.',
    cure: 'Look for a clock step, or a wrong site.',
  },
};

const wordsOf = (method: string) => words[method] ?? { how: method, cure: '' };

function meaning(clock: Clock): string {
  const { offsetMs, boundMs } = clock;
  if (offsetMs === null) return 'not known';
  if (boundMs !== null && Math.abs(offsetMs) <= boundMs) return 'right, as far as can be told';
  return `${formatNumber(Math.abs(offsetMs), 1)} ms ${offsetMs > 0 ? 'ahead' : 'behind'}`;
}

function sentenceOf(items: readonly Clock[]): string {
  const wrong = items.filter((clock) => clock.method === 'clock-wrong' || clock.method === 'contradiction');
  const open = items.filter((clock) => clock.boundMs === null && !wrong.includes(clock));
  const bounded = items.filter((clock) => clock.boundMs !== null);
  const widest = Math.max(0, ...bounded.map((clock) => clock.boundMs!));
  const parts = [
    wrong.length > 0
      ? `${plural(wrong.length, 'clock')} ${wrong.length === 1 ? 'is' : 'are'} proven wrong: ${wrong
          .slice(0, 3)
          .map((clock) => clock.device)
          .join(', ')}${wrong.length > 3 ? ' and more' : ''}.`
      : '',
    open.length > 0
      ? `Of ${plural(open.length, 'more clock', 'more clocks')} nothing is proven, as messages go one way only.`
      : '',
    bounded.length > 0
      ? `${plural(bounded.length, 'clock')} ${bounded.length === 1 ? 'is' : 'are'} known to ± ${formatNumber(widest, 1)} ms or better.`
      : '',
  ].filter((part) => part !== '');
  return (wrong.length === 0 && open.length > 0 ? parts.map((part) => part.replace(' more ', ' ')) : parts).join(' ');
}

/** Every device's clock: how far off, how sure, and in plain words why. Latency across devices is no better than this table. */
export function ClocksPage({
  view,
  nowMs,
  siteNames = {},
}: {
  view: ClocksView;
  nowMs: number;
  siteNames?: Record<string, string>;
}) {
  const { items } = view;
  const widest = Math.max(1, ...items.map((clock) => clock.boundMs ?? 0));
  return (
    <div className="px-4 pt-3 pb-4">
      <PageHead title="Clocks" sentence={items.length === 0 ? undefined : <Sentence text={sentenceOf(items)} />} />
      <Panel
        id="clocks"
        title={plural(items.length, 'clock')}
        note="against the collector’s clock, least certain first"
        actions={<Exports api="/api/v1/clocks" query="" what="Clocks" />}
        flush
      >
        {items.length === 0 ? (
          <Empty why="No clock has been compared yet.">
            <p>
              A clock is compared when a message goes from one device to another, or a request and its answer cross
              between them. For devices that only talk, turn on heartbeat and echo: one setting.
            </p>
          </Empty>
        ) : (
          <Table caption="Clocks of all devices against the collector, in milliseconds">
            <thead>
              <tr>
                <Th>Device</Th>
                <Th className="max-phone:hidden">Site</Th>
                <Th numeric>Offset, ms</Th>
                <Th numeric>±</Th>
                <Th className="w-32 max-wide:hidden">0 to ± {formatNumber(widest, 1)}</Th>
                <Th className="max-phone:hidden">In words</Th>
                <Th className="max-wide:hidden">How we know</Th>
                <Th numeric className="max-phone:hidden">
                  As of
                </Th>
              </tr>
            </thead>
            <tbody>
              {items.map((clock) => {
                const { how, cure } = wordsOf(clock.method);
                return (
                  <Tr key={`${clock.site} ${clock.device}`}>
                    <RowHead className="py-1">
                      <span className="font-mono break-all">{clock.device}</span>
                      <span className="block text-note text-ink3 wide:hidden">
                        {meaning(clock)}. {cure}
                      </span>
                    </RowHead>
                    <Td className="text-ink2 max-phone:hidden">{siteNames[clock.site] ?? siteName(clock.site)}</Td>
                    <Td numeric className="font-strong">
                      {clock.offsetMs === null ? (
                        <span className="text-ink3" title={how}>
                          {unknown}
                        </span>
                      ) : (
                        formatChange(clock.offsetMs)
                      )}
                    </Td>
                    <Td numeric className="text-ink3">
                      {clock.boundMs === null ? <span title={how}>{unknown}</span> : formatNumber(clock.boundMs, 1)}
                    </Td>
                    <Td className="max-wide:hidden">
                      {clock.boundMs === null ? (
                        <div className="hatch-gap h-2 rounded-bar" title="no bound" />
                      ) : (
                        <div className="h-2 rounded-bar bg-raised">
                          <div
                            className="h-2 min-w-0.5 rounded-bar bg-data"
                            style={{ width: `${(clock.boundMs / widest) * 100}%` }}
                          />
                        </div>
                      )}
                    </Td>
                    <Td className="max-phone:hidden">{meaning(clock)}</Td>
                    <Td className="py-1 text-ink2 max-wide:hidden">
                      {how} {cure !== '' && <span className="text-ink">{cure}</span>}
                    </Td>
                    <Td numeric className="text-ink2 max-phone:hidden">
                      <RelativeTime at={clock.at} nowMs={nowMs} />
                    </Td>
                  </Tr>
                );
              })}
            </tbody>
          </Table>
        )}
      </Panel>
      <p className="mt-2.5 max-w-[110ch] text-dense text-ink2">
        Offset: how far the device’s clock is ahead (+) or behind (−). ± is proven, not likely: the truth lies within it
        whatever the network did, as long as nothing travels faster than light in fibre. Round trips and requests
        answered on the same device need no clock to agree.
      </p>
    </div>
  );
}
