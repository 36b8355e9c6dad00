import type { TraceView } from '#lib/views/schemas.ts';
import { arcBetween, bleed, fleetProjection, landHref, mapHeight, mapWidth } from '../fleet-map/map-geometry.ts';
import { isNetwork } from '../trace-waterfall/waterfall-geometry.ts';
import { Drawing } from '../ui/drawing.tsx';
import { formatNumber } from '../ui/format.ts';
import { Panel } from '../ui/panel.tsx';

const equatorKm = 40_075;

/** The sites in the order the request met them; what stays within one is one stop. */
export function stopsOf(ledger: TraceView['ledger']): string[] {
  const stops: string[] = [];
  for (const line of ledger) {
    for (const site of isNetwork(line) ? [line.fromSite, line.toSite] : [line.fromSite]) {
      if (site !== '' && stops.at(-1) !== site) stops.push(site);
    }
  }
  return stops;
}

const percentX = (x: number) => `${((x / mapWidth) * 100).toFixed(2)}%`;
const percentY = (y: number) => `${((y / mapHeight) * 100).toFixed(2)}%`;

/** The way of one request over the Earth: great circles between the sites it met. The stops stand below it in words. */
export function PathMap({ trace }: { trace: Pick<TraceView, 'ledger' | 'sites' | 'kilometres'> }) {
  const stops = stopsOf(trace.ledger);
  const placed = trace.sites.flatMap(({ id, name, lat, lon }) =>
    lat !== null && lon !== null && stops.includes(id) ? [{ id, name, lat, lon }] : [],
  );
  if (placed.length < 2) return null;
  const map = fleetProjection(placed);
  const byId = new Map(placed.map((site) => [site.id, site]));
  const ways = new Map<string, [string, string]>();
  for (const [index, to] of stops.entries()) {
    const from = stops[index - 1];
    if (from !== undefined && from !== to) ways.set([from, to].sort().join(' '), [from, to]);
  }
  const arcs = [...ways].flatMap(([key, [from, to]]) => {
    const [a, b] = [byId.get(from), byId.get(to)];
    return a && b ? [{ key, arc: arcBetween(a, b, map) }] : [];
  });
  const { kilometres } = trace;
  const nameOf = (id: string) => trace.sites.find((site) => site.id === id)?.name ?? id;
  return (
    <Panel
      id="path"
      title="Path"
      note={
        kilometres === null
          ? undefined
          : `${formatNumber(Math.round(kilometres))} km${kilometres > equatorKm ? ', more than once around the Earth' : ''}`
      }
      flush
    >
      <div
        className="relative overflow-hidden bg-sea"
        style={{ aspectRatio: `${mapWidth} / ${mapHeight}` }}
        aria-hidden="true"
      >
        <div
          className="absolute inset-x-0 bg-land"
          style={{
            top: `${(-100 * bleed) / mapHeight}%`,
            bottom: `${(-100 * bleed) / mapHeight}%`,
            mask: `url("${landHref(map.frame)}") 0 0 / 100% 100% no-repeat`,
          }}
        />
        <Drawing viewBox={`0 0 ${mapWidth} ${mapHeight}`} className="absolute inset-0 size-full">
          {arcs.map(({ key, arc }) => (
            <path
              key={key}
              d={arc.d}
              fill="none"
              className="stroke-net"
              strokeWidth="1.8"
              vectorEffect="non-scaling-stroke"
            />
          ))}
        </Drawing>
        {placed.map((site, index) => {
          const at = map.project(site.lon, site.lat);
          // two sites side by side: the second name goes above its dot
          const crowded = placed
            .slice(0, index)
            .some((other) => Math.abs(map.project(other.lon, other.lat).x - at.x) < 130);
          const side = at.x > mapWidth * 0.8 ? '-100%' : at.x < mapWidth * 0.12 ? '0' : '-50%';
          return (
            <span key={site.id} className="absolute text-note" style={{ left: percentX(at.x), top: percentY(at.y) }}>
              <span className="absolute size-2.5 -translate-1/2 rounded-full border-2 border-ink bg-sea" />
              <span
                className="absolute whitespace-nowrap text-ink [text-shadow:0_0_3px_var(--sea),0_0_3px_var(--sea)]"
                style={{ transform: `translate(${side}, ${crowded ? '-150%' : '45%'})` }}
              >
                {site.name}
              </span>
            </span>
          );
        })}
      </div>
      <p className="border-t border-line px-3.5 py-2 text-dense text-ink2">{stops.map(nameOf).join(' → ')}</p>
    </Panel>
  );
}
