import type { TopicItem } from '#lib/views/schemas.ts';
import { DeviceMark } from '../device-card/device-mark.tsx';
import { Drawing } from '../ui/drawing.tsx';
import { VerdictMark } from '../verdict-badge/verdict-mark.tsx';

/** Silent looks the same for a topic as for a device: a dashed ring. */
export const SilentMark = () => <DeviceMark state="down" label="silent" />;

export function TopicState({ state }: { state: TopicItem['state'] }) {
  switch (state) {
    case 'flowing':
      return (
        <span className="inline-flex items-center gap-1.5 whitespace-nowrap text-ink2">
          <VerdictMark mark="ok" decorative /> flowing
        </span>
      );
    case 'silent':
      return (
        <span className="inline-flex items-center gap-1.5 font-strong whitespace-nowrap text-ink">
          <DeviceMark state="down" /> silent
        </span>
      );
    case 'retained-only':
      return (
        <span className="inline-flex items-center gap-1.5 whitespace-nowrap text-ink2">
          <Drawing viewBox="0 0 12 12" width="12" height="12" className="text-ink3">
            <path d="M2.5 2.5h7v7h-7Z" fill="none" stroke="currentColor" strokeWidth="1.3" />
          </Drawing>
          retained only
        </span>
      );
  }
}
