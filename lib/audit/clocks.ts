import type { ClockLedger } from '../domain/clock-ledger.ts';
import { floorMsBetween, type LatLon } from '../domain/geo.ts';
import type { Rules } from '../domain/rule.ts';
import {
  type EdgeColumns,
  edgeKind,
  type MomentColumns,
  type OffsetColumns,
  type StoredObservation,
} from '../store/audit-store.ts';
import { clockLabels } from '../store/store.ts';
import type { Known } from './memory.ts';

export function addEdges(ledger: ClockLedger, edges: EdgeColumns): void {
  for (let i = 0; i < edges.count; i++) {
    const reply = edges.kind[i] === edgeKind.reply;
    ledger.add({
      from: edges.from[i]!,
      to: edges.to[i]!,
      second: edges.second[i]!,
      least: edges.least[i]!,
      floor: edges.floor[i]!,
      kind: reply ? 'reply' : 'sure',
      flow: reply ? edges.flow[i]! : 0,
    });
  }
}

/** An echo is received by a device whose stamp may be a cut millisecond, and nothing tells: its edge is that much longer. */
const echoGrainNanos = 1_000_000;

export function addObservations(
  known: Known,
  rules: Rules,
  ledger: ClockLedger,
  observations: readonly StoredObservation[],
): void {
  for (const seen of observations) {
    const from = known.placings.get(seen.fromResource);
    const to = known.placings.get(seen.toResource);
    if (!from || !to) continue;
    // The collector sits beside the broker
    const place = (end: { device: number; site: string }): LatLon | null =>
      placeOf(known, end.device < 0 ? brokerSite(rules, seen.broker) : end.site);
    const floor = Math.round(floorMsBetween(place(from), place(to)) * 1e6);
    const grainNanos = from.device < 0 ? echoGrainNanos : 0;
    ledger.add({
      from: from.device,
      to: to.device,
      // a stamp of the collector's; an edge is dated by its sender's clock
      second: seen.second - Math.round((from.device < 0 ? 0 : seen.rawNanos) / 1e9),
      least: seen.rawNanos + grainNanos - floor,
      floor,
      kind: seen.source === 'export' ? 'export' : 'sure',
    });
  }
}

export function placeOf(known: Known, site: string): LatLon | null {
  const found = known.sites.get(site);
  return found && found.lat !== null && found.lon !== null ? { lat: found.lat, lon: found.lon } : null;
}

export const brokerSite = (rules: Rules, broker: string): string =>
  rules.brokers.find((b) => b.name === broker)?.site ?? '';

const bounded = clockLabels.indexOf('bounded');
const assumed = clockLabels.indexOf('assumed');
const clockWrong = clockLabels.indexOf('clock-wrong');
const contradiction = clockLabels.indexOf('contradiction');
const labelOf = { bounded, assumed, 'clock-wrong': clockWrong, contradiction } as const;

/** Every figure on one reference: the caller's clock. Broker and callee come from the same search, so the legs add up to the whole. */
export function offsetsOf(ledger: ClockLedger, moments: MomentColumns): OffsetColumns {
  const n = moments.count;
  const nothing = () => new Float64Array(n).fill(Number.NaN);
  const found: OffsetColumns = {
    offset: nothing(),
    bound: nothing(),
    label: new Uint8Array(n),
    misplaced: new Uint8Array(n),
    brokerOffset: nothing(),
    brokerBound: nothing(),
    downlinkBound: nothing(),
  };
  for (let i = 0; i < n; i++) {
    const [caller, callee, broker, second] = [
      moments.caller[i]!,
      moments.callee[i]!,
      moments.broker[i]!,
      moments.second[i]!,
    ];
    const whole = ledger.offset(caller, callee, second);
    found.label[i] = labelOf[whole.method];
    found.misplaced[i] = whole.placed ? 0 : 1;
    found.offset[i] = whole.offset;
    found.bound[i] = whole.bound;
    if (broker === 0) continue;
    const up = ledger.offset(caller, broker, second);
    if (up.method !== 'clock-wrong') found.brokerOffset[i] = up.offset;
    if (up.method !== 'bounded') continue;
    found.brokerBound[i] = up.bound;
    if (whole.method !== 'bounded') continue;
    const down = ledger.offset(broker, callee, second);
    const middle = whole.offset - up.offset;
    if (down.method === 'bounded') found.downlinkBound[i] = Math.max(down.high - middle, middle - down.low);
  }
  return found;
}
