import Link from 'next/link';
import type { DeviceItem, FleetView } from '#lib/views/schemas.ts';
import { TextLink } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatAgo, formatPercentBare, plural } from '../ui/format.ts';
import { linkTo, rangeWords } from '../ui/link-to.ts';
import { Panel } from '../ui/panel.tsx';
import { Spark } from '../ui/spark.tsx';
import { DeviceMark, stateWords } from './device-mark.tsx';

const mostSites = 15;
const mostDevices = 12;
const severity: Record<DeviceItem['state'], number> = { degraded: 0, down: 1, unknown: 2, up: 3, retired: 4 };

/** Every machine with its CPU and memory, by site. A large site shows what is unwell first and links to the rest. */
export function SiteDevices({ view }: { view: FleetView }) {
  const { up, degraded, down, unknown } = view.deviceStates;
  const sites = view.sites.filter((site) => site.devices > 0);
  const hot = view.devices
    .filter((device) => device.state === 'degraded')
    .every((device) => device.reason.startsWith('hot'));
  return (
    <Panel
      id="devices"
      title="Devices"
      flush
      note={
        <span className="inline-flex flex-wrap items-center gap-x-4">
          <span>
            {view.devices.length} in {plural(sites.length, 'site')}
          </span>
          <Count state="up" count={up} text="live" />
          {degraded > 0 && <Count state="degraded" count={degraded} text={hot ? 'hot' : 'degraded'} strong />}
          {down > 0 && <Count state="down" count={down} text="silent" />}
          {unknown > 0 && <Count state="unknown" count={unknown} text="unknown" />}
        </span>
      }
      actions={
        <>
          <p className="text-dense text-ink3">sparklines: {rangeWords(view.range)}, scale 0 to 100 %</p>
          <TextLink href={linkTo('/devices', view.range)} className="text-dense">
            All devices
          </TextLink>
        </>
      }
    >
      {sites.length === 0 ? (
        <Empty why="No device has reported in this range.">
          A device is known by its OTLP resource (host.id or host.name), a heartbeat, or Telegraf over MQTT. Widen the
          range, or see <TextLink href="/status">what arrives</TextLink>.
        </Empty>
      ) : (
        <div className="grid grid-cols-1 gap-px bg-line phone:grid-cols-2 wide:grid-cols-3 desk:grid-cols-[repeat(auto-fit,minmax(15.5rem,1fr))]">
          {sites.slice(0, mostSites).map((site) => (
            <SiteColumn key={site.id} site={site} view={view} />
          ))}
        </div>
      )}
      {sites.length > mostSites && (
        <p className="border-t border-line px-3.5 py-2 text-dense">
          <TextLink href={linkTo('/devices', view.range)}>{sites.length - mostSites} more sites</TextLink>
        </p>
      )}
    </Panel>
  );
}

function Count({
  state,
  count,
  text,
  strong = false,
}: {
  state: DeviceItem['state'];
  count: number;
  text: string;
  strong?: boolean;
}) {
  return (
    <span className={`inline-flex items-center gap-1.5 ${strong ? 'font-strong text-noticeable' : 'text-ink2'}`}>
      <DeviceMark state={state} />
      {count} {text}
    </span>
  );
}

function SiteColumn({ site, view }: { site: FleetView['sites'][number]; view: FleetView }) {
  const here = view.devices.filter((device) => device.site === site.id);
  const shown =
    here.length > mostDevices
      ? here.toSorted((a, b) => severity[a.state] - severity[b.state]).slice(0, mostDevices)
      : here;
  return (
    <div className="min-w-0 bg-panel px-3 pt-2 pb-2.5">
      <table className="w-full table-fixed border-collapse text-dense">
        <caption className="sr-only">Devices in {site.name}</caption>
        <thead>
          <tr className="text-note text-ink3">
            <th scope="col" className="truncate pb-1 text-body font-title text-ink">
              {site.name}
            </th>
            <th scope="col" className="w-14 pb-1 text-end font-normal">
              CPU %
            </th>
            <th scope="col" className="w-14 pb-1 text-end font-normal">
              RAM %
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((device) => (
            <DeviceRow key={device.id} device={device} view={view} />
          ))}
        </tbody>
      </table>
      {here.length > shown.length && (
        <p className="pt-1 text-dense">
          <TextLink href={linkTo('/devices', view.range, { site: site.id })}>
            {here.length - shown.length} more in {site.name}
          </TextLink>
        </p>
      )}
    </div>
  );
}

function DeviceRow({ device, view }: { device: DeviceItem; view: FleetView }) {
  const quiet = device.state === 'down' || device.state === 'retired';
  return (
    <tr className="group" title={device.reason || undefined}>
      <th scope="row" className="h-6 p-0 font-normal max-phone:h-11">
        <Link
          href={linkTo(`/devices/${encodeURIComponent(device.id)}`, view.range)}
          prefetch={false}
          className="flex min-h-6 items-center gap-1.5 pe-1 group-hover:underline max-phone:min-h-11"
        >
          <DeviceMark
            state={device.state}
            label={`${stateWords[device.state]}${device.reason ? `, ${device.reason}` : ''}`}
          />
          <span
            className={`truncate font-mono ${quiet ? 'text-ink3' : 'text-ink'} ${device.state === 'retired' ? 'line-through' : ''}`}
          >
            {device.name}
          </span>
        </Link>
      </th>
      {quiet ? (
        <td colSpan={2} className="truncate text-end text-note text-ink2">
          {device.lastSeen === null
            ? 'never heard'
            : `last seen ${formatAgo(Date.parse(device.lastSeen), view.range.toMs)}`}
        </td>
      ) : (
        <>
          <Gauge
            share={device.cpu}
            spark={device.cpuSpark}
            hot={device.state === 'degraded' && (device.cpu ?? 0) >= (device.memory ?? 0)}
          />
          <Gauge
            share={device.memory}
            spark={device.memorySpark}
            hot={device.state === 'degraded' && (device.memory ?? 0) > (device.cpu ?? 0)}
          />
        </>
      )}
    </tr>
  );
}

function Gauge({ share, spark, hot }: { share: number | null; spark: DeviceItem['cpuSpark']; hot: boolean }) {
  return (
    <td className="p-0 ps-1 text-end whitespace-nowrap">
      <Spark spark={spark} range={[0, 1]} width={28} height={14} tone={hot ? 'noticeable' : 'data'} />
      <span
        className={`inline-block w-6 font-strong ${hot ? 'text-noticeable' : share === null ? 'text-ink3' : 'text-ink'}`}
        title={share === null ? 'not reported in this range' : undefined}
      >
        {formatPercentBare(share)}
      </span>
    </td>
  );
}
