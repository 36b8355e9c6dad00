import type { DeviceItem } from '#lib/views/schemas.ts';
import { Drawing } from '../ui/drawing.tsx';
import { MarkShape } from '../verdict-badge/verdict-mark.tsx';

export type DeviceState = DeviceItem['state'];

export const stateWords: Record<DeviceState, string> = {
  up: 'live',
  degraded: 'degraded',
  down: 'silent',
  unknown: 'unknown',
  retired: 'retired',
};

const colours: Record<DeviceState, string> = {
  up: 'text-ok',
  degraded: 'text-noticeable',
  down: 'text-ink2',
  unknown: 'text-ink3',
  retired: 'text-ink3',
};

/** up ● degraded ▲ down = dashed ring, unknown and retired – */
export function DeviceMark({ state, label, size = 12 }: { state: DeviceState; label?: string; size?: number }) {
  return (
    <Drawing
      label={label}
      viewBox="0 0 12 12"
      width={size}
      height={size}
      className={`inline-block shrink-0 ${colours[state]}`}
    >
      {state === 'down' ? (
        <circle cx="6" cy="6" r="4.4" fill="none" stroke="currentColor" strokeWidth="1.5" strokeDasharray="2.2 1.7" />
      ) : (
        <MarkShape mark={state === 'up' ? 'ok' : state === 'degraded' ? 'noticeable' : 'no-data'} />
      )}
    </Drawing>
  );
}
