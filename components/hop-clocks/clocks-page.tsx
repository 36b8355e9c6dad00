import type { ClocksView } from '#lib/views/schemas.ts';
import { PageHead, Sentence } from '../hop-head/page-head.tsx';
import { siteName } from '../hop-head/site-name.ts';
import { Empty } from '../ui/empty.tsx';
import { formatChange, formatNumber, plural, unknown } from '../ui/format.ts';
import { Panel } from '../ui/panel.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { Exports, RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';

type Clock = ClocksView['items'][number];

function meaning({ offsetMs, boundMs, lowMs, highMs, method }: Clock): string {
  if (method === 'clock-wrong' && offsetMs !== null) return `at least ${aheadOrBehind(offsetMs)}`;
  if (boundMs !== null && offsetMs !== null)
    return Math.abs(offsetMs) <= boundMs ? 'right, as far as can be told' : aheadOrBehind(offsetMs);
  if (lowMs !== null && method === 'assumed') return `${formatNumber(Math.max(0, -lowMs), 1)} ms behind at most`;
  if (highMs !== null && method === 'assumed') return `${formatNumber(Math.max(0, highMs), 1)} ms ahead at most`;
  return 'not known';
}

const aheadOrBehind = (ms: number): string => `${formatNumber(Math.abs(ms), 1)} ms ${ms > 0 ? 'ahead' : 'behind'}`;

/** By more than a second in seconds. */
const formatStep = (ms: number): string =>
  Math.abs(ms) >= 1000 ? `${formatChange(ms / 1000)} s` : `${formatChange(ms)} ms`;

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
  const { items, findings } = view;
  const widest = Math.max(1, ...items.map((clock) => clock.boundMs ?? 0));
  return (
    <div className="px-4 pt-3 pb-4">
      <PageHead title="Clocks" sentence={items.length === 0 ? undefined : <Sentence text={sentenceOf(items)} />} />
      <Panel
        id="clocks"
        title={plural(items.length, 'clock')}
        note="against the collector’s clock, judged once a minute, least certain first"
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
                <Th className="w-28 max-wide:hidden">0 to ± {formatNumber(widest, 1)}</Th>
                <Th className="max-phone:hidden">In words</Th>
                <Th numeric className="max-phone:hidden">
                  Drift, ppm
                </Th>
                <Th className="max-wide:hidden">Last step</Th>
                <Th className="max-wide:hidden">How we know</Th>
                <Th numeric className="max-phone:hidden">
                  As of
                </Th>
              </tr>
            </thead>
            <tbody>
              {items.map((clock) => (
                <ClockRow
                  key={`${clock.site} ${clock.device}`}
                  clock={clock}
                  site={siteNames[clock.site] ?? siteName(clock.site)}
                  widest={widest}
                  nowMs={nowMs}
                />
              ))}
            </tbody>
          </Table>
        )}
      </Panel>
      {findings.length > 0 && <Findings findings={findings} nowMs={nowMs} />}
      <p className="mt-2.5 max-w-[110ch] text-dense text-ink2">
        Offset: how far the device’s clock is ahead (+) or behind (−). ± is proven, not likely: the truth lies within it
        whatever the network did, as long as nothing travels faster than light in fibre. Drift is how fast it runs away,
        over the last hour and since its last step; a step is one of the last seven days. Round trips and requests
        answered on the same device need no clock to agree.
      </p>
    </div>
  );
}

function ClockRow({ clock, site, widest, nowMs }: { clock: Clock; site: string; widest: number; nowMs: number }) {
  const { device, offsetMs, boundMs, driftPpm, driftBoundPpm, lastStep, how, cure, at } = clock;
  return (
    <Tr>
      <RowHead className="py-1">
        <span className="font-mono break-all">{device}</span>
        <span className="block text-note text-ink3 wide:hidden">
          {meaning(clock)}. {cure}
        </span>
      </RowHead>
      <Td className="text-ink2 max-phone:hidden">{site}</Td>
      <Td numeric className="font-strong">
        {offsetMs === null ? (
          <span className="text-ink3" title={how}>
            {unknown}
          </span>
        ) : (
          `${clock.method === 'clock-wrong' ? (offsetMs < 0 ? '≤ ' : '≥ ') : ''}${formatChange(offsetMs)}`
        )}
      </Td>
      <Td numeric className="text-ink3">
        {boundMs === null ? <span title={how}>{unknown}</span> : formatNumber(boundMs, 1)}
      </Td>
      <Td className="max-wide:hidden">
        {boundMs === null ? (
          <div className="hatch-gap h-2 rounded-bar" title="no bound" />
        ) : (
          <div className="h-2 rounded-bar bg-raised">
            <div className="h-2 min-w-0.5 rounded-bar bg-data" style={{ width: `${(boundMs / widest) * 100}%` }} />
          </div>
        )}
      </Td>
      <Td className="max-phone:hidden">{meaning(clock)}</Td>
      <Td numeric className="text-ink2 max-phone:hidden">
        {driftPpm === null || driftBoundPpm === null ? (
          <span className="text-ink3" title="too short a time, or it was set meanwhile">
            {unknown}
          </span>
        ) : (
          <>
            {formatChange(driftPpm)} <span className="text-ink3">± {formatNumber(driftBoundPpm, 1)}</span>
          </>
        )}
      </Td>
      <Td className="text-ink2 max-wide:hidden">
        {lastStep === null ? (
          <span className="text-ink3">none seen</span>
        ) : (
          <>
            {formatStep(lastStep.byMs)}
            {lastStep.certain ? '' : ', or another clock'}, <RelativeTime at={lastStep.at} nowMs={nowMs} />
          </>
        )}
      </Td>
      <Td className="py-1 text-ink2 max-wide:hidden">
        {how} {cure !== null && <span className="text-ink">{cure}</span>}
      </Td>
      <Td numeric className="text-ink2 max-phone:hidden">
        <RelativeTime at={at} nowMs={nowMs} />
      </Td>
    </Tr>
  );
}

function Findings({ findings, nowMs }: { findings: ClocksView['findings']; nowMs: number }) {
  return (
    <Panel
      id="findings"
      title="What the clocks did"
      note="what had to be given up for the rest to be true, then steps"
      flush
      className="mt-2.5"
    >
      <Table caption="Steps of clocks, places that cannot be right, clocks that contradict each other">
        <thead>
          <tr>
            <Th>What</Th>
            <Th numeric>When</Th>
          </tr>
        </thead>
        <tbody>
          {findings.map((finding) => (
            <Tr key={`${finding.kind} ${finding.at} ${finding.devices.join(' ')}`}>
              <Td className="py-1">{finding.text}</Td>
              <Td numeric className="text-ink2">
                <RelativeTime at={finding.at} nowMs={nowMs} />
              </Td>
            </Tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}
