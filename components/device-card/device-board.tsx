import type { DeviceView } from '#lib/views/schemas.ts';
import { TextLink } from '../ui/button.tsx';
import { Duration } from '../ui/duration.tsx';
import { Empty } from '../ui/empty.tsx';
import {
  formatAbsolute,
  formatBudget,
  formatChange,
  formatClock,
  formatClockSeconds,
  formatDay,
  formatNumber,
  formatPercentBare,
  plural,
} from '../ui/format.ts';
import { linkTo } from '../ui/link-to.ts';
import { PageTitle } from '../ui/page-title.tsx';
import { Panel } from '../ui/panel.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { Segmented } from '../ui/segmented.tsx';
import { Exports, RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';
import { VerdictLabel } from '../verdict-badge/verdict-mark.tsx';
import { DeviceMark, stateWords } from './device-mark.tsx';
import { UsageChart } from './usage-chart.tsx';

const mostTableRows = 240;
const mostMetrics = 200;

/** One device: is it well, since when, which hops end in it, and can its clock be trusted? */
export function DeviceBoard({
  view,
  siteNames,
  table,
}: {
  view: DeviceView;
  /** id -> name */
  siteNames: Record<string, string>;
  table: boolean;
}) {
  const { device, range } = view;
  const siteName = siteNames[device.site] ?? device.site;
  const here = `/devices/${encodeURIComponent(device.id)}`;
  const query = new URLSearchParams({ from: range.fromText, to: range.toText }).toString();
  return (
    <>
      <PageTitle
        above={
          <nav aria-label="Breadcrumb">
            <TextLink href={linkTo('/devices', range)}>Devices</TextLink> <span aria-hidden="true">›</span>{' '}
            <TextLink href={linkTo('/devices', range, { site: device.site })}>{siteName || 'unplaced'}</TextLink>
          </nav>
        }
        title={<span className="font-mono">{device.name}</span>}
        beside={
          <>
            <span className="inline-flex h-5.5 items-center gap-1.5 rounded-pill bg-no-data-tint px-2 text-dense font-control">
              <DeviceMark state={device.state} />
              {stateWords[device.state]}
            </span>
            {device.id !== device.name && <span className="font-mono text-dense text-ink3">{device.id}</span>}
          </>
        }
        sentence={<Sentence view={view} />}
      />
      <div className="grid grid-cols-1 gap-2.5 p-4 pt-0 desk:grid-cols-[minmax(0,1fr)_24rem]">
        <div className="flex min-w-0 flex-col gap-2.5">
          <Panel
            id="usage"
            title="CPU and memory"
            note={table ? 'share of the whole machine' : 'hatched: nothing heard'}
            flush
            actions={
              <>
                {table && <Exports api={`/api/v1${here}`} query={query} what="CPU and memory" />}
                <Segmented
                  label="How to show it"
                  segments={[
                    { label: 'Lines', current: !table, href: linkTo(here, range), shortcut: table ? 't' : undefined },
                    {
                      label: 'Table',
                      current: table,
                      href: linkTo(here, range, { view: 'table' }),
                      shortcut: table ? undefined : 't',
                    },
                  ]}
                />
              </>
            }
          >
            {view.series.length === 0 ? (
              <Empty why="This device reported neither CPU nor memory in this range.">
                They come from OTLP host metrics (system.cpu.utilization, system.memory.utilization), Telegraf over
                MQTT, or a heartbeat.
              </Empty>
            ) : table ? (
              <UsageTable view={view} />
            ) : (
              <div className="grid grid-cols-1 wide:grid-cols-2">
                <UsageChart
                  series={view.series}
                  of="cpu"
                  name="CPU"
                  fromMs={range.fromMs}
                  toMs={range.toMs}
                  limit={0.85}
                />
                <UsageChart
                  series={view.series}
                  of="memory"
                  name="RAM"
                  fromMs={range.fromMs}
                  toMs={range.toMs}
                  limit={0.9}
                />
              </div>
            )}
          </Panel>
          <Panel
            id="hops"
            title="Its hops"
            note={`${plural(view.hops.length, 'hop')} that begin or end in its services here`}
            flush
            actions={
              <>
                <TextLink href={linkTo('/traces', range, { device: device.id })}>Its requests</TextLink>
                {view.hops.length > 0 && (
                  <Exports
                    api="/api/v1/hops"
                    query={`${query}&site=${encodeURIComponent(device.site)}`}
                    what="Hops of this site"
                  />
                )}
              </>
            }
          >
            {view.hops.length === 0 ? (
              <Empty why="No request crossed to or from this device in this range.">
                A hop needs spans from both ends, and a service name that runs here
                {device.services.length === 0 ? '; no service of this device is known yet' : ''}.
              </Empty>
            ) : (
              <HopRows view={view} siteNames={siteNames} />
            )}
          </Panel>
          <Panel
            id="metrics"
            title="Last values"
            note={plural(view.metrics.length, 'metric')}
            flush
            actions={view.metrics.length > 0 && <Exports api={`/api/v1${here}`} query={query} what="Last values" />}
          >
            {view.metrics.length === 0 ? (
              <Empty why="No other metric of this device has arrived." />
            ) : (
              <Table caption="Last value of each metric">
                <thead>
                  <tr>
                    <Th>Metric</Th>
                    <Th>Attributes</Th>
                    <Th numeric>Value</Th>
                    <Th numeric>When</Th>
                  </tr>
                </thead>
                <tbody>
                  {view.metrics.slice(0, mostMetrics).map((metric) => (
                    <Tr key={`${metric.metric} ${metric.attributes}`}>
                      <RowHead className="font-mono">{metric.metric}</RowHead>
                      <Td className="max-w-80 truncate font-mono text-ink3" title={metric.attributes}>
                        {metric.attributes === '{}' ? '' : metric.attributes}
                      </Td>
                      <Td numeric>{formatNumber(metric.value, decimalsOf(metric.value))}</Td>
                      <Td numeric className="text-ink2">
                        <RelativeTime at={metric.at} nowMs={range.toMs} />
                      </Td>
                    </Tr>
                  ))}
                </tbody>
              </Table>
            )}
            {view.metrics.length > mostMetrics && (
              <p className="border-t border-line px-3.5 py-2 text-dense text-ink2">
                {view.metrics.length - mostMetrics} more in the JSON.
              </p>
            )}
          </Panel>
        </div>
        <div className="flex min-w-0 flex-col gap-2.5">
          <Panel id="facts" title="What runs here">
            <dl className="grid grid-cols-[7rem_1fr] gap-y-1.5">
              <Fact name="Site" value={siteName || 'unplaced: give it one in hopscope.yaml'} />
              <Fact name="Services" value={device.services.join(', ') || 'none seen'} />
              <Fact name="Applications" value={device.applications.join(', ') || 'none seen'} />
              <dt className="text-ink3">Last seen</dt>
              <dd>{device.lastSeen === null ? 'never' : <RelativeTime at={device.lastSeen} nowMs={range.toMs} />}</dd>
            </dl>
          </Panel>
          <ClockPanel view={view} />
          <Panel id="events" title="What changed" note={plural(view.events.length, 'event')} flush>
            {view.events.length === 0 ? (
              <Empty why="Its state did not change in this range." />
            ) : (
              <ol className="divide-y divide-line">
                {view.events.map((event) => (
                  <li
                    key={`${event.at} ${event.toState} ${event.reason}`}
                    className="flex gap-2.5 px-3.5 py-2 text-dense"
                  >
                    <DeviceMark state={event.toState} />
                    <div className="min-w-0 flex-1">
                      {/* a clock that stepped is no change of state */}
                      {event.fromState !== event.toState && (
                        <p className="font-strong">
                          {stateWords[event.fromState]} → {stateWords[event.toState]}
                        </p>
                      )}
                      {event.reason && <p className="text-ink2">{event.reason}</p>}
                    </div>
                    <RelativeTime at={event.at} nowMs={range.toMs} className="text-ink3" />
                  </li>
                ))}
              </ol>
            )}
          </Panel>
        </div>
      </div>
    </>
  );
}

function Sentence({ view: { device, range } }: { view: DeviceView }) {
  const since = device.since && (
    <>
      {' '}
      Since{' '}
      <time dateTime={device.since} title={formatAbsolute(Date.parse(device.since))}>
        {range.toMs - Date.parse(device.since) > 86_400_000 && `${formatDay(Date.parse(device.since))} `}
        {formatClock(Date.parse(device.since))} UTC
      </time>
      .
    </>
  );
  const strong = 'font-strong text-ink';
  switch (device.state) {
    case 'up':
      return (
        <>
          <strong className={strong}>Live.</strong> CPU {formatPercentBare(device.cpu)} %, memory{' '}
          {formatPercentBare(device.memory)} %.
        </>
      );
    case 'degraded':
    case 'down':
      return (
        <>
          <strong className={strong}>{capital(device.reason || stateWords[device.state])}.</strong>
          {since}
        </>
      );
    case 'unknown':
      return <>Not heard often enough to tell whether it is well. {device.reason}</>;
    case 'retired':
      return <>Retired: it is kept for history and judged no more.</>;
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const decimalsOf = (value: number): number => (Number.isInteger(value) ? 0 : Math.abs(value) < 1 ? 3 : 1);

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt className="text-ink3">{name}</dt>
      <dd className="min-w-0 wrap-anywhere">{value}</dd>
    </>
  );
}

function ClockPanel({ view }: { view: DeviceView }) {
  const { clock } = view;
  return (
    <Panel id="clock" title="Its clock" note="against the collector">
      {clock === null ? (
        <p className="text-ink2">
          No bound yet. It needs messages both ways: turn on the echo (echo: true at the broker in hopscope.yaml), or
          requests it answers.
        </p>
      ) : (
        <>
          <p className="text-verdict">
            {clock.offsetMs === null ? (
              <strong className="font-strong">Offset unknown</strong>
            ) : (
              <strong className="font-strong">{formatChange(clock.offsetMs)} ms</strong>
            )}{' '}
            <span className={clock.boundMs === null ? 'text-cannot-tell' : 'text-ink3'}>
              {clock.boundMs === null ? 'cannot be bounded' : `± ${formatNumber(clock.boundMs, 1)}`}
            </span>
          </p>
          <p className="mt-1 text-dense text-ink2">
            {clock.boundMs === null
              ? 'Figures that compare its clock with another cannot be proven. Turn on the echo to bound it.'
              : 'Its stamps are moved by this much; raw values stay visible on each trace.'}{' '}
            {clock.method && <>How: {clock.method}.</>}
          </p>
        </>
      )}
    </Panel>
  );
}

function HopRows({ view, siteNames }: { view: DeviceView; siteNames: Record<string, string> }) {
  return (
    <Table caption="Hops of this device">
      <thead>
        <tr>
          <Th>Hop</Th>
          <Th>Via</Th>
          <Th>Verdict</Th>
          <Th numeric>p50, ms</Th>
          <Th numeric>p95, ms</Th>
          <Th numeric>Floor, ms</Th>
          <Th numeric>Budget</Th>
          <Th numeric>Crossings</Th>
        </tr>
      </thead>
      <tbody>
        {view.hops.map((hop) => (
          <Tr key={hop.id}>
            <RowHead>
              <TextLink
                href={linkTo(`/hops/${hop.id}`, view.range)}
                className="inline-flex min-h-6 items-center whitespace-nowrap max-phone:min-h-11"
              >
                {hop.from.service} → {hop.to.service}
              </TextLink>{' '}
              <span className="whitespace-nowrap text-ink3">
                {siteNames[hop.from.site] ?? hop.from.site} → {siteNames[hop.to.site] ?? hop.to.site}
              </span>
            </RowHead>
            <Td className="max-w-56 truncate font-mono text-ink2" title={`${hop.via.system} ${hop.via.destination}`}>
              {hop.via.destination || hop.via.system}
            </Td>
            <Td>
              <VerdictLabel mark={hop.mark} />
            </Td>
            <Td numeric>
              <Duration ms={hop.addedMs.p50} boundMs={hop.boundMs} unit={false} />
            </Td>
            <Td numeric>
              <Duration ms={hop.addedMs.p95} boundMs={hop.boundMs} unit={false} unsure={hop.mark === 'cannot-tell'} />
            </Td>
            <Td numeric className="text-ink2">
              {formatNumber(hop.floorMs, 1)}
            </Td>
            <Td numeric className="text-ink2">
              {formatBudget(hop.budgetMs)}
            </Td>
            <Td numeric className="text-ink2">
              {formatNumber(hop.count)}
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}

function UsageTable({ view }: { view: DeviceView }) {
  const rows = view.series.toReversed().slice(0, mostTableRows);
  return (
    <div className="max-h-96 overflow-y-auto">
      <Table caption="CPU and memory">
        <thead className="sticky top-0 bg-panel">
          <tr>
            <Th>Time, UTC</Th>
            <Th numeric>CPU %</Th>
            <Th numeric>RAM %</Th>
          </tr>
        </thead>
        <tbody>
          {rows.map((point) => (
            <Tr key={point.timeMs}>
              <RowHead>{formatClockSeconds(point.timeMs)}</RowHead>
              <Td numeric>{formatPercentBare(point.cpu)}</Td>
              <Td numeric>{formatPercentBare(point.memory)}</Td>
            </Tr>
          ))}
        </tbody>
      </Table>
    </div>
  );
}
