import * as z from 'zod';
import type { FoldedFinding, Subject } from '../domain/alert.ts';
import { openAlerts } from './alert-item.ts';
import { rangeOf, type ViewContext } from './context.ts';
import { decisionsOf } from './decisions.ts';
import { readDevices, statesOf } from './device-item.ts';
import { edgesOf } from './edges.ts';
import type { HopReading } from './hop-reading.ts';
import { readHops } from './hop-reading.ts';
import { readPaths } from './path-reading.ts';
import { rangeFields } from './query.ts';
import type { DeviceItem, FleetView, TopicsView } from './schemas.ts';
import { topicsView } from './topics-view.ts';
import { seesAll } from './visibility.ts';
import { instantOf, instantOrNull } from './words.ts';

export const fleetQuerySchema = z.object(rangeFields);
export type FleetQuery = z.output<typeof fleetQuerySchema>;

const topTopics = 8;
const eventsShown = 20;
const alertsShown = 20;

/** The first screen: where everything stands, what it takes between the sites, and what needs a decision. */
export async function fleetView(context: ViewContext, query: FleetQuery): Promise<FleetView> {
  const range = rangeOf(context, query);
  const { store } = context;
  const hopsRead = readHops(context, range);
  const [reading, devices, paths, topics, events, lastArrivalMs] = await Promise.all([
    hopsRead,
    readDevices(context, range),
    readPaths(context, range, hopsRead),
    topicsView(context, { from: query.from, to: query.to, limit: topTopics }),
    store.deviceEvents(null, range.fromMs, range.toMs, 5 * eventsShown),
    store.lastArrivalMs(),
  ]);
  const names = new Map(devices.map((device) => [device.id, device.name]));
  return {
    range,
    sites: sitesOf(context, reading, devices, topics.brokers),
    devices,
    edges: edgesOf(reading.hops),
    hopMarks: hopMarksOf(reading),
    decisions: await decisionsOf(context, range, reading, paths),
    paths,
    alerts: firingAlerts(context),
    topics: topics.brokers,
    topTopics: topics.items,
    deviceStates: statesOf(devices),
    recentEvents: events
      .filter((event) => names.has(event.deviceId))
      .sort((a, b) => b.timeMs - a.timeMs)
      .slice(0, eventsShown)
      .map((event) => ({
        at: instantOf(event.timeMs),
        device: names.get(event.deviceId)!,
        toState: event.toState,
        text: event.reason || event.toState,
      })),
    lastArrival: instantOrNull(lastArrivalMs),
    empty: lastArrivalMs === null,
  };
}

function firingAlerts(context: ViewContext): FleetView['alerts'] {
  return openAlerts(context)
    .filter(({ phase }) => phase === 'firing')
    .slice(0, alertsShown)
    .map(({ id, title, severity, acknowledged, sinceMs, subject, folded }) => ({
      id,
      title,
      severity,
      acknowledgedBy: acknowledged?.by ?? null,
      since: instantOf(sinceMs),
      hopIds: subjectsOf(subject, folded, 'hop').map((each) => each.id),
      pathNames: subjectsOf(subject, folded, 'path').map((each) => each.name),
    }));
}

const subjectsOf = (subject: Subject, folded: FoldedFinding[], wanted: Subject['kind']): Subject[] =>
  [subject, ...folded.map((each) => each.subject)].filter(({ kind }) => kind === wanted);

/** Sites with their devices. Who sees only some applications sees only the sites these stand at. */
function sitesOf(
  { rules, viewer }: ViewContext,
  { hops, sites }: HopReading,
  devices: DeviceItem[],
  brokers: TopicsView['brokers'],
): FleetView['sites'] {
  const ends = hops.flatMap(({ window }) => [window.from.site, window.to.site]);
  const used = new Set([...devices.map((device) => device.site), ...ends, ...brokers.map((broker) => broker.site)]);
  if (seesAll(viewer)) for (const id of sites.keys()) used.add(id);
  used.delete('');
  const brokerAt = new Map<string, string>();
  const heard = new Set(brokers.map((broker) => broker.name));
  for (const { name, site } of rules.brokers) {
    if (site !== '' && (seesAll(viewer) || heard.has(name)) && !brokerAt.has(site)) brokerAt.set(site, name);
  }
  return [...used].sort().map((id) => {
    const site = sites.get(id);
    const here = devices.filter((device) => device.site === id);
    const states = statesOf(here);
    return {
      id,
      name: site?.name ?? id,
      lat: site?.lat ?? null,
      lon: site?.lon ?? null,
      devices: here.length,
      live: states.up,
      degraded: states.degraded,
      down: states.down,
      broker: brokerAt.get(id) ?? null,
    };
  });
}

function hopMarksOf({ hops }: HopReading): FleetView['hopMarks'] {
  const counts = Map.groupBy(hops, ({ item }) => item.mark);
  const of = (mark: HopReading['hops'][number]['item']['mark']): number => counts.get(mark)?.length ?? 0;
  return {
    over: of('over'),
    noticeable: of('noticeable'),
    cannotTell: of('cannot-tell'),
    ok: of('ok'),
    noData: of('no-data'),
  };
}
