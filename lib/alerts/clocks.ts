import type { Finding } from '../domain/alert.ts';
import { spokenTime } from '../domain/alert-words.ts';
import { millisOfNanos } from '../domain/units.ts';
import { spokenMs } from '../domain/verdict.ts';
import type { ClockFinding } from '../store/store.ts';
import { partsOfDevice } from './devices.ts';
import { type Look, quietFinding } from './look.ts';

/** A step is over when it happened; it is told until the clock has been quiet for a while. */
const toldMs = 10 * 60_000;
/** what our own clock did is not theirs */
const aroundJumpMs = 180_000;

export async function clockFindings(look: Look): Promise<Finding[]> {
  const rule = look.inForce['clock-stepped'];
  const steps = (await look.store.clockFindings(look.nowMs - 2 * toldMs, look.nowMs + 60_000)).filter(
    (found) => found.kind === 'step' && found.nanos !== null && !isOurOwn(look, found),
  );
  return look.devices.flatMap((device) => {
    const own = steps.filter(({ devices }) => devices[0] === device.id);
    const last = own.findLast(
      ({ nanos }) => Math.abs(millisOfNanos(BigInt(Math.round(nanos!)))) >= (rule.threshold ?? 0),
    );
    if (!last) return [];
    const about = {
      rule: rule.id,
      subject: { kind: 'device' as const, id: device.id, name: device.name },
      applications: device.applications,
      heardMs: last.timeMs,
      parts: partsOfDevice(look, device),
    };
    if (last.timeMs <= look.nowMs - toldMs)
      return [quietFinding({ ...about, state: 'fine', sinceMs: last.timeMs + toldMs })];
    const steppedMs = last.nanos! / 1e6;
    const sign = steppedMs < 0 ? '−' : '+';
    const others = last.devices.slice(1);
    const or =
      others.length === 0
        ? ''
        : ` Nothing tells whether it was that of ${others.map((id) => nameOf(look, id)).join(', ')} instead.`;
    return [
      quietFinding({
        ...about,
        state: 'bad',
        sinceMs: last.timeMs,
        severity: rule.severity,
        title: `The clock of ${device.name} stepped by ${sign}${spokenMs(Math.abs(steppedMs))}.`,
        sentence: `At ${spokenTime(last.timeMs)}, proven by what was sent before and after.${or}`,
        wayOut: `See whether the clock of ${device.name} was set by hand or its NTP server is far off. Figures allow for it.`,
        figure: { unit: 'ms', was: 0, is: steppedMs, bound: null, threshold: rule.threshold, requests: null },
      }),
    ];
  });
}

const nameOf = ({ devices }: Look, id: string): string => devices.find((device) => device.id === id)?.name ?? id;

const isOurOwn = ({ memory }: Look, { timeMs }: ClockFinding): boolean =>
  memory.jumps.some(({ atMs, toMs }) => [atMs, toMs].some((jumpMs) => Math.abs(timeMs - jumpMs) <= aroundJumpMs));
