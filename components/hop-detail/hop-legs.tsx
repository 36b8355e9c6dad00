import type { HopItem } from '#lib/views/schemas.ts';
import {
  KindPatternSheet,
  KindPatterns,
  KindSwatch,
  kindPaint,
  kindStrokeClass,
  type StretchKind,
} from '../charts/kind.tsx';
import { siteName } from '../hop-head/site-name.ts';
import { Drawing } from '../ui/drawing.tsx';
import { formatBudget, formatChange, formatLedger, formatNumber, latencyFigure, unknown } from '../ui/format.ts';
import { Panel } from '../ui/panel.tsx';
import { RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';

const scope = 'leg';

interface Leg {
  kind: StretchKind;
  name: string;
  from: string;
  to: string;
  where: string;
  ms: number | null;
  boundMs: number | null;
  floorMs: number | null;
}

function legsOf(hop: HopItem): Leg[] {
  const way = `${siteName(hop.from.site)} to ${siteName(hop.to.site)}`;
  if (hop.legsMs === null) {
    const roundTrip = hop.clock === 'round-trip' || (hop.via.system !== 'mqtt' && hop.via.system !== 'kafka');
    return [
      {
        kind: roundTrip ? 'request' : 'uplink',
        name: roundTrip ? 'round trip' : 'one way',
        from: hop.from.service,
        to: hop.to.service,
        where: roundTrip ? `${way} and back, on one clock` : `${way}; no broker was seen on the way`,
        ms: hop.addedMs.p50,
        boundMs: roundTrip ? null : hop.boundMs,
        floorMs: hop.floorMs,
      },
    ];
  }
  const { uplink, uplinkBound, uplinkFloor, broker, downlink, downlinkBound, downlinkFloor, brokerName, brokerSite } =
    hop.legsMs;
  const up: Leg = {
    kind: 'uplink',
    name: broker === null ? 'uplink incl. broker' : 'uplink',
    from: hop.from.service,
    to: brokerName,
    where: `${siteName(hop.from.site)} to ${siteName(brokerSite)}`,
    ms: uplink,
    boundMs: uplinkBound,
    floorMs: uplinkFloor,
  };
  const middle: Leg = {
    kind: 'broker',
    name: 'broker',
    from: brokerName,
    to: '',
    where: 'in to out, one clock',
    ms: broker,
    boundMs: null,
    floorMs: null,
  };
  const down: Leg = {
    kind: 'downlink',
    name: 'downlink',
    from: brokerName,
    to: hop.to.service,
    where: `${siteName(brokerSite)} to ${siteName(hop.to.site)}`,
    ms: downlink,
    boundMs: downlinkBound,
    floorMs: downlinkFloor,
  };
  return broker === null ? [up, down] : [up, middle, down];
}

/** Bar from 0; tick = floor, whisker = ±. Stretched to its cell: strokes keep their weight, the pattern is only a pattern. */
function LegBar({ leg, mostMs }: { leg: Leg; mostMs: number }) {
  const width = 300;
  const x = (ms: number) => Math.max(0, Math.min(1, ms / mostMs)) * width;
  if (leg.ms === null) return null;
  return (
    <Drawing
      viewBox={`0 0 ${width} 16`}
      preserveAspectRatio="none"
      className="block h-4 w-full min-w-20 overflow-visible"
    >
      <KindPatterns scope={`bar-${leg.kind}`} />
      <rect
        x="0"
        y="4"
        width={Math.max(1.5, x(leg.ms))}
        height="8"
        rx="1.5"
        {...kindPaint(`bar-${leg.kind}`, leg.kind)}
      />
      {leg.floorMs !== null && leg.floorMs > 0 && (
        <path d={`M${x(leg.floorMs)} 1V15`} className="stroke-ink" strokeWidth="2" vectorEffect="non-scaling-stroke" />
      )}
      {leg.boundMs !== null && leg.boundMs > 0 && (
        <path
          d={`M${x(leg.ms - leg.boundMs)} 8H${x(leg.ms + leg.boundMs)}M${x(leg.ms - leg.boundMs)} 5V11M${x(leg.ms + leg.boundMs)} 5V11`}
          fill="none"
          className={kindStrokeClass(leg.kind) === 'stroke-net' ? 'stroke-ink' : 'stroke-ink3'}
          strokeWidth="1.1"
          vectorEffect="non-scaling-stroke"
        />
      )}
    </Drawing>
  );
}

const bound = (ms: number | null, boundMs: number | null) =>
  ms === null || boundMs === null || boundMs <= 0 ? '' : `± ${formatNumber(boundMs, 1)}`;

/** Four columns fit on a phone; there the ± stands under its figure. */
export const PhoneBound = ({ text }: { text: string }) =>
  text === '' ? null : <span className="block text-note font-normal text-ink3 phone:hidden">{text}</span>;

/** Which part of the way takes the time. Medians: they need not add up to the median of the whole. */
export function HopLegs({ hop, since }: { hop: HopItem; since: string }) {
  const legs = legsOf(hop);
  const mostMs = Math.max(...legs.map((leg) => Math.max((leg.ms ?? 0) + (leg.boundMs ?? 0), leg.floorMs ?? 0)), 0.1);
  const { p50 } = hop.addedMs;
  return (
    <Panel
      id="legs"
      title="Where the time goes"
      note={`p50, ${since}, ${formatNumber(hop.count)} crossings`}
      actions={<span className="text-dense text-ink3 max-phone:hidden">over floor = added − floor</span>}
      flush
    >
      <KindPatternSheet scope={scope} />
      <Table caption="Latency by leg of this hop">
        <thead>
          <tr>
            <Th>Leg</Th>
            <Th className="max-wide:hidden">Way</Th>
            <Th className="w-[26%] max-phone:hidden">tick = floor, whisker = ±</Th>
            <Th numeric>Floor, ms</Th>
            <Th numeric>Added</Th>
            <Th numeric className="max-phone:hidden">
              ±
            </Th>
            <Th numeric>Over floor</Th>
          </tr>
        </thead>
        <tbody>
          {legs.map((leg) => (
            <Tr key={leg.name}>
              <RowHead className="phone:whitespace-nowrap">
                <span className="inline-flex items-center gap-2">
                  <KindSwatch kind={leg.kind} scope={scope} />
                  {leg.name}
                </span>
              </RowHead>
              <Td className="max-wide:hidden">
                <span className="font-mono">{leg.to === '' ? leg.from : `${leg.from} → ${leg.to}`}</span>{' '}
                <span className="text-ink3">{leg.where}</span>
              </Td>
              <Td className="max-phone:hidden">
                <LegBar leg={leg} mostMs={mostMs} />
              </Td>
              <Td numeric className="text-ink2">
                {leg.floorMs === null ? (
                  <span title="a place on this leg is not known">{unknown}</span>
                ) : (
                  formatLedger(leg.floorMs)
                )}
              </Td>
              <Td numeric className="font-strong">
                {leg.ms === null ? <span title="not seen in this range">{unknown}</span> : formatLedger(leg.ms)}
                <PhoneBound text={bound(leg.ms, leg.boundMs)} />
              </Td>
              <Td numeric className="text-ink3 max-phone:hidden">
                {bound(leg.ms, leg.boundMs)}
              </Td>
              <Td numeric>
                {leg.ms === null || leg.floorMs === null ? (
                  <span className="text-ink3">{unknown}</span>
                ) : (
                  formatChange(leg.ms - leg.floorMs)
                )}
              </Td>
            </Tr>
          ))}
        </tbody>
        <tfoot>
          <tr className="border-t border-line2 bg-raised">
            <RowHead className="font-strong">Hop</RowHead>
            <Td className="text-ink2 max-wide:hidden">
              {p50 !== null && p50 > hop.budgetMs
                ? `${latencyFigure(p50 - hop.budgetMs).text} ms over its budget of ${formatBudget(hop.budgetMs)}`
                : `budget ${formatBudget(hop.budgetMs)}`}
            </Td>
            <Td className="max-phone:hidden">{''}</Td>
            <Td numeric className="text-ink2">
              {formatLedger(hop.floorMs)}
            </Td>
            <Td numeric className="font-strong">
              {p50 === null ? unknown : formatLedger(p50)}
              <PhoneBound text={bound(p50, hop.boundMs)} />
            </Td>
            <Td numeric className="text-ink3 max-phone:hidden">
              {bound(p50, hop.boundMs)}
            </Td>
            <Td numeric className="font-strong">
              {formatChange(hop.overFloorMs)}
              {hop.overFloorMs !== null && ' ms'}
            </Td>
          </tr>
        </tfoot>
      </Table>
    </Panel>
  );
}
