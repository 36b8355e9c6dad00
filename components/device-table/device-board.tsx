import Link from 'next/link';
import type { DeviceItem, DevicesView } from '#lib/views/schemas.ts';
import { DeviceMark, type DeviceState, stateWords } from '../device-card/device-mark.tsx';
import { Button, TextLink } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatPercentBare, plural, unknown } from '../ui/format.ts';
import { linkTo, rangeQuery, rangeWords } from '../ui/link-to.ts';
import { PageTitle } from '../ui/page-title.tsx';
import { Panel } from '../ui/panel.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { Segmented } from '../ui/segmented.tsx';
import { Spark } from '../ui/spark.tsx';
import { Exports, RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';
import { type DeviceSort, sortDevices, startsDescending } from './device-order.ts';

export interface DeviceFilter {
  q: string;
  site: string;
  state: DeviceState | '';
  sort: DeviceSort;
  descending: boolean;
}

/** All devices of the viewer; filter and order live in the URL. `view` is not yet filtered by state or text. */
export function DeviceBoard({
  view,
  filter,
  siteNames,
}: {
  view: DevicesView;
  filter: DeviceFilter;
  siteNames: Record<string, string>;
}) {
  const text = filter.q.toLowerCase();
  const fitting = view.items.filter(
    (device) =>
      (filter.site === '' || device.site === filter.site) &&
      (text === '' ||
        [device.name, device.id, device.site, ...device.services, ...device.applications].some((each) =>
          each.toLowerCase().includes(text),
        )),
  );
  const counts = { up: 0, degraded: 0, down: 0, unknown: 0, retired: 0 };
  for (const device of fitting) counts[device.state]++;
  const items = sortDevices(
    filter.state === '' ? fitting : fitting.filter((device) => device.state === filter.state),
    filter.sort,
    filter.descending,
  );
  const sites = [...new Set(view.items.map((device) => device.site))].sort();
  const here = (changes: Partial<Record<keyof DeviceFilter, string | boolean>>) => {
    const next = { ...filter, ...changes };
    return linkTo('/devices', view.range, {
      q: next.q,
      site: next.site,
      state: next.state,
      sort: next.sort === 'name' ? '' : next.sort,
      order: next.descending === startsDescending(next.sort as DeviceSort) ? '' : next.descending ? 'desc' : 'asc',
    });
  };
  const head = (sort: DeviceSort, label: string, numeric = false, className = '') => {
    const current = filter.sort === sort;
    return (
      <Th
        numeric={numeric}
        className={className}
        sorted={current ? (filter.descending ? 'descending' : 'ascending') : null}
        href={here({ sort, descending: current ? !filter.descending : startsDescending(sort) })}
      >
        {label}
      </Th>
    );
  };
  const segments = (['up', 'degraded', 'down', 'unknown', 'retired'] as const).filter(
    (state) => counts[state] > 0 || filter.state === state,
  );

  return (
    <>
      <PageTitle
        title="Devices"
        beside={
          <span className="text-dense text-ink3">
            {plural(view.items.length, 'device')} in {plural(sites.length, 'site')}
          </span>
        }
        sentence={<Sentence counts={counts} total={fitting.length} />}
      />
      <div className="p-4 pt-0">
        <Panel
          id="list"
          title="All devices"
          note={`CPU and RAM: ${rangeWords(view.range)}, scale 0 to 100 %`}
          flush
          actions={
            <>
              <Segmented
                label="State"
                segments={[
                  { label: `All ${fitting.length}`, current: filter.state === '', href: here({ state: '' }) },
                  ...segments.map((state) => ({
                    label: (
                      <>
                        <DeviceMark state={state} /> {stateWords[state]} {counts[state]}
                      </>
                    ),
                    current: filter.state === state,
                    href: here({ state }),
                  })),
                ]}
              />
              <Exports
                api="/api/v1/devices"
                query={new URLSearchParams({
                  from: view.range.fromText,
                  to: view.range.toText,
                  ...(filter.site && { site: filter.site }),
                  ...(filter.state && { state: filter.state }),
                }).toString()}
                what="Devices"
              />
            </>
          }
        >
          <form
            method="get"
            action="/devices"
            className="flex flex-wrap items-center gap-2 border-b border-line px-3.5 py-2"
          >
            {[...rangeQuery(view.range)].map(([name, value]) => (
              <input key={name} type="hidden" name={name} value={value} />
            ))}
            {filter.state !== '' && <input type="hidden" name="state" value={filter.state} />}
            {filter.sort !== 'name' && <input type="hidden" name="sort" value={filter.sort} />}
            <input
              type="search"
              name="q"
              defaultValue={filter.q}
              placeholder="Name, service, application"
              aria-label="Filter by name, service or application"
              className="h-7.5 w-56 rounded-button border border-ctl bg-panel px-2.5 text-dense placeholder:text-ink3 max-phone:h-11 max-phone:w-full"
            />
            <select
              name="site"
              defaultValue={filter.site}
              aria-label="Site"
              className="h-7.5 rounded-button border border-ctl bg-panel px-2 text-dense max-phone:h-11 max-phone:flex-1"
            >
              <option value="">All sites</option>
              {sites.map((site) => (
                <option key={site} value={site}>
                  {siteNames[site] ?? site}
                </option>
              ))}
            </select>
            <Button type="submit">Filter</Button>
            {(filter.q !== '' || filter.site !== '' || filter.state !== '') && (
              <TextLink
                href={here({ q: '', site: '', state: '' })}
                className="inline-flex min-h-6 items-center text-dense"
              >
                Clear
              </TextLink>
            )}
          </form>
          {items.length === 0 ? (
            <Empty
              why={
                view.items.length > 0
                  ? 'No device fits the filter.'
                  : (view.emptyReason ?? 'No device has reported in this range.')
              }
            >
              {view.items.length > 0 ? (
                <TextLink href={here({ q: '', site: '', state: '' })}>Show all {view.items.length}</TextLink>
              ) : (
                <>
                  See <TextLink href="/status">what arrives</TextLink>.
                </>
              )}
            </Empty>
          ) : (
            <Table caption="Devices">
              <thead>
                <tr>
                  {head('name', 'Device')}
                  {head('site', 'Site', false, 'max-phone:hidden')}
                  {head('state', 'State')}
                  {head('cpu', 'CPU %', true)}
                  {head('memory', 'RAM %', true)}
                  <Th className="max-wide:hidden">Services</Th>
                  <Th className="max-desk:hidden">Applications</Th>
                  {head('seen', 'Last seen', true, 'max-phone:hidden')}
                </tr>
              </thead>
              <tbody>
                {items.map((device) => (
                  <DeviceRow
                    key={device.id}
                    device={device}
                    view={view}
                    siteName={siteNames[device.site] ?? device.site}
                  />
                ))}
              </tbody>
            </Table>
          )}
        </Panel>
      </div>
    </>
  );
}

function Sentence({ counts, total }: { counts: DevicesView['states']; total: number }) {
  if (total === 0) return null;
  const parts = [
    counts.down > 0 && `${plural(counts.down, 'device')} silent`,
    counts.degraded > 0 && `${counts.degraded} degraded`,
  ].filter(Boolean);
  if (parts.length === 0) {
    return (
      <>
        <strong className="font-strong text-ink">
          {counts.up === total ? 'All are live.' : `${counts.up} are live.`}
        </strong>
        {counts.unknown > 0 && ` ${counts.unknown} have not reported often enough to tell.`}
      </>
    );
  }
  return (
    <>
      <strong className="font-strong text-ink">{parts.join(', ')}.</strong> {counts.up} are live.
    </>
  );
}

function DeviceRow({ device, view, siteName }: { device: DeviceItem; view: DevicesView; siteName: string }) {
  const gone = device.state === 'down' || device.state === 'retired';
  const hotCpu = device.state === 'degraded' && (device.cpu ?? 0) >= (device.memory ?? 0);
  return (
    <Tr>
      <RowHead>
        <Link
          href={linkTo(`/devices/${encodeURIComponent(device.id)}`, view.range)}
          prefetch={false}
          className={`inline-flex min-h-6 items-center font-mono whitespace-nowrap hover:underline max-phone:min-h-11 ${gone ? 'text-ink3' : ''} ${device.state === 'retired' ? 'line-through' : ''}`}
        >
          {device.name}
        </Link>
      </RowHead>
      <Td className="text-ink2 max-phone:hidden">{siteName || 'unplaced'}</Td>
      <Td className="min-w-28 max-phone:min-w-0">
        <span className="inline-flex items-center gap-1.5">
          <DeviceMark state={device.state} />
          <span className={device.state === 'degraded' ? 'text-noticeable' : device.state === 'up' ? 'text-ink2' : ''}>
            {device.reason || stateWords[device.state]}
          </span>
        </span>
      </Td>
      <Usage share={device.cpu} spark={device.cpuSpark} hot={hotCpu} />
      <Usage share={device.memory} spark={device.memorySpark} hot={device.state === 'degraded' && !hotCpu} />
      <Td className="max-w-60 truncate text-ink2 max-wide:hidden" title={device.services.join(', ')}>
        {device.services.length === 0 ? <span className="text-ink3">{unknown}</span> : device.services.join(', ')}
      </Td>
      <Td className="text-ink2 max-desk:hidden">{device.applications.join(', ')}</Td>
      <Td numeric className="text-ink2 max-phone:hidden">
        {device.lastSeen === null ? 'never' : <RelativeTime at={device.lastSeen} nowMs={view.range.toMs} />}
      </Td>
    </Tr>
  );
}

function Usage({ share, spark, hot }: { share: number | null; spark: DeviceItem['cpuSpark']; hot: boolean }) {
  return (
    <Td numeric>
      <Spark
        spark={spark}
        range={[0, 1]}
        width={64}
        height={16}
        tone={hot ? 'noticeable' : 'data'}
        className="max-phone:hidden"
      />
      <span
        className={`inline-block w-8 ${share === null ? 'text-ink3' : hot ? 'font-strong text-noticeable' : 'font-strong'}`}
        title={share === null ? 'not reported in this range' : undefined}
      >
        {formatPercentBare(share)}
      </span>
    </Td>
  );
}
