import Link from 'next/link';
import type { FleetView } from '#lib/views/schemas.ts';
import { BrokerTraffic } from '../broker-traffic/broker-traffic.tsx';
import { Decisions } from '../decisions/decisions.tsx';
import { SiteDevices } from '../device-card/site-devices.tsx';
import { PathStrip } from '../path-strip/path-strip.tsx';
import { TextLink } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { linkTo } from '../ui/link-to.ts';
import { Panel } from '../ui/panel.tsx';
import { Segmented } from '../ui/segmented.tsx';
import { Exports } from '../ui/table.tsx';
import { markWords, VerdictMark } from '../verdict-badge/verdict-mark.tsx';
import { FleetHeadline } from './fleet-headline.tsx';
import { FleetMap, isPlaced } from './fleet-map.tsx';
import { EdgeTable, SitePairList } from './site-pair-list.tsx';

/** The operator's first screen: is anything wrong, and must we decide something? */
export function FleetBoard({ view, table }: { view: FleetView; table: boolean }) {
  const unplaced = view.sites.filter((site) => !isPlaced(site));
  const placed = view.sites.length - unplaced.length;
  const asTable = table || placed === 0;
  return (
    <>
      <FleetHeadline view={view} />
      <div className="grid grid-cols-1 gap-2.5 p-4 pt-2.5 desk:grid-cols-[minmax(0,1fr)_21.75rem] desk:grid-rows-[auto_1fr]">
        <div className="min-w-0 desk:col-start-2 desk:row-start-1">
          <Decisions view={view} />
        </div>
        <Panel
          id="map"
          title={asTable ? 'Between sites' : 'Fleet map'}
          note={asTable ? 'one way, worst first' : 'p95 one way per site pair; colour is the worst hop on it'}
          flush
          className="flex flex-col desk:col-start-1 desk:row-span-2 desk:row-start-1 [&>div]:flex [&>div]:flex-1 [&>div]:flex-col"
          actions={
            <>
              <Legend view={view} />
              {asTable && <Exports api="/api/v1/fleet" query={rangeText(view)} what="Between sites" />}
              {placed > 0 && (
                <Segmented
                  label="How to show it"
                  segments={[
                    {
                      label: 'Map',
                      current: !asTable,
                      href: linkTo('/', view.range),
                      shortcut: asTable ? 't' : undefined,
                    },
                    {
                      label: 'Table',
                      current: asTable,
                      href: linkTo('/', view.range, { view: 'table' }),
                      shortcut: asTable ? undefined : 't',
                    },
                  ]}
                />
              )}
            </>
          }
        >
          {view.edges.length === 0 && placed === 0 ? (
            <Empty why="No hop between two sites in this range, and no site with a place on the map.">
              Give sites a <code className="font-mono">lat</code> and <code className="font-mono">lon</code> in
              hopscope.yaml. A hop needs spans from both ends: <TextLink href="/status">see what arrives</TextLink>.
            </Empty>
          ) : asTable ? (
            <EdgeTable view={view} />
          ) : (
            <>
              <FleetMap view={view} />
              <SitePairList view={view} />
            </>
          )}
          {unplaced.length > 0 && (
            <p className="border-t border-line px-3.5 py-2 text-dense text-ink2">
              Not on the map: {unplaced.map((site) => `${site.name || 'unplaced'} (${site.devices})`).join(', ')}. They
              are measured all the same; give them lat and lon in hopscope.yaml.
            </p>
          )}
          <div className="mt-auto">
            <PathStrip view={view} />
          </div>
        </Panel>
        <div className="min-w-0 desk:col-start-2 desk:row-start-2 desk:[&>section]:h-full">
          <BrokerTraffic view={view} />
        </div>
        <div className="min-w-0 desk:col-span-2">
          <SiteDevices view={view} />
        </div>
      </div>
    </>
  );
}

const rangeText = (view: FleetView): string =>
  new URLSearchParams({ from: view.range.fromText, to: view.range.toText }).toString();

/** what the colours mean, how many hops each has, and the way to them */
function Legend({ view }: { view: FleetView }) {
  const marks = view.hopMarks;
  const entries = [
    { mark: 'over', count: marks.over },
    { mark: 'noticeable', count: marks.noticeable },
    { mark: 'cannot-tell', count: marks.cannotTell },
    { mark: 'ok', count: marks.ok },
    { mark: 'no-data', count: marks.noData },
  ] as const;
  return (
    <ul className="flex flex-wrap items-center gap-x-4 text-dense">
      {entries
        .filter((entry) => entry.count > 0)
        .map((entry) => (
          <li key={entry.mark}>
            <Link
              href={linkTo('/hops', view.range, { mark: entry.mark })}
              prefetch={false}
              className={`inline-flex min-h-6 items-center gap-1.5 whitespace-nowrap hover:underline max-phone:min-h-11 ${entry.mark === 'ok' || entry.mark === 'no-data' ? 'text-ink2' : ''}`}
            >
              <VerdictMark mark={entry.mark} decorative />
              {entry.count} {markWords[entry.mark]}
            </Link>
          </li>
        ))}
    </ul>
  );
}
