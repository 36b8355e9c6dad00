import type { Change, Finding, Marker, Part } from '../domain/alert.ts';
import { spokenTime } from '../domain/alert-words.ts';
import type { EpochMillis } from '../domain/units.ts';
import { spokenMs } from '../domain/verdict.ts';
import type { ClockFinding, DeviceEventRow, DeviceRow, Gap } from '../store/store.ts';

/** What happened around the time that something went bad, and to what. */
export interface Happening extends Change {
  /** parts it happened to, by kind and id; empty: to nobody in particular */
  to: { kind: Part['kind']; id: string }[];
}

const beforeMs = 15 * 60_000;
/** a marker may come a moment late, and is about what was already under way */
const afterMs = 60_000;
const most = 5;

/** Nearest first; what happened to a part of what is bad comes before what happened to nobody in particular. */
export function changesBefore(
  findings: readonly Finding[],
  sinceMs: EpochMillis,
  happenings: readonly Happening[],
): Change[] {
  const lead = findings[0]!;
  const own = new Set(findings.flatMap(({ parts }) => parts.map(({ kind, id }) => `${kind} ${id}`)));
  const services = new Set(
    findings.flatMap(({ parts }) => parts.flatMap(({ kind, id }) => (kind === 'service' ? [id.split('@')[0]!] : []))),
  );
  const isOurs = ({ to }: Happening): boolean =>
    to.some(({ kind, id }) => (kind === 'service' ? services.has(id) : own.has(`${kind} ${id}`)));
  const isItself = ({ kind, to }: Happening): boolean =>
    (kind === 'device' && lead.rule === 'device-down' && to.some(({ id }) => id === lead.subject.id)) ||
    (kind === 'clock' && lead.rule === 'clock-stepped' && to.some(({ id }) => id === lead.subject.id));
  return happenings
    .filter((each) => each.timeMs >= sinceMs - beforeMs && each.timeMs <= sinceMs + afterMs && !isItself(each))
    .map((each) => ({ each, rank: isOurs(each) ? 0 : each.to.length === 0 ? 1 : 2 }))
    .filter(({ rank }) => rank < 2)
    .sort((a, b) => a.rank - b.rank || Math.abs(a.each.timeMs - sinceMs) - Math.abs(b.each.timeMs - sinceMs))
    .slice(0, most)
    .map(({ each: { kind, timeMs, title, text, href } }) => ({ kind, timeMs, title, text, href }));
}

export interface Happened {
  markers: readonly Marker[];
  events: readonly DeviceEventRow[];
  clocks: readonly ClockFinding[];
  gaps: readonly Gap[];
  devices: readonly DeviceRow[];
}

export function happeningsOf({ markers, events, clocks, gaps, devices }: Happened): Happening[] {
  const nameOf = (id: string): string => devices.find((device) => device.id === id)?.name ?? id;
  return [
    ...markers.map<Happening>((marker) => ({
      kind: kindOf(marker),
      timeMs: marker.timeMs,
      title: marker.title,
      text: [marker.text, marker.by === '' ? '' : `by ${marker.by}`].filter((text) => text !== '').join(', '),
      href: '',
      to:
        marker.service !== ''
          ? [{ kind: 'service', id: marker.service }]
          : marker.site !== ''
            ? [{ kind: 'site', id: marker.site }]
            : [],
    })),
    ...events
      .filter(({ fromState }) => fromState !== 'unknown')
      .map<Happening>(({ deviceId, timeMs, fromState, toState, reason }) => ({
        kind: 'device',
        timeMs,
        title: `${nameOf(deviceId)} went ${toState}`,
        text: [reason, `was ${fromState}`].filter((text) => text !== '').join(', '),
        href: `/devices/${encodeURIComponent(deviceId)}`,
        to: [{ kind: 'device', id: deviceId }],
      })),
    ...clocks
      .filter(({ kind, nanos }) => kind === 'step' && nanos !== null)
      .map<Happening>(({ timeMs, devices: of, nanos }) => ({
        kind: 'clock',
        timeMs,
        title: `The clock of ${nameOf(of[0] ?? '')} stepped by ${spokenMs(nanos! / 1e6)}`,
        text: '',
        href: '/clocks',
        to: of.map((id) => ({ kind: 'device', id })),
      })),
    ...gaps.map<Happening>(({ fromMs, toMs, whose, what }) => ({
      kind: 'broker',
      timeMs: fromMs,
      title: `${whose}: ${what}`,
      text: `until ${spokenTime(toMs)}`,
      href: '/status',
      to: [],
    })),
  ];
}

function kindOf({ source, site, version }: Marker): Change['kind'] {
  if (source === 'told') return 'deploy';
  return site !== '' ? 'moved' : version !== '' ? 'version' : 'deploy';
}
