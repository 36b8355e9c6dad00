import type { FleetView } from '#lib/views/schemas.ts';
import { severityMarks } from '../alert-page/alert-words.tsx';
import { DeviceMark } from '../device-card/device-mark.tsx';
import { TextLink } from '../ui/button.tsx';
import { formatAge } from '../ui/format.ts';
import { linkTo } from '../ui/link-to.ts';
import { RelativeTime } from '../ui/relative-time.tsx';
import { markTextClass, VerdictMark } from '../verdict-badge/verdict-mark.tsx';
import { headline } from './headline.ts';

/** The strip under the bar: the verdict of the fleet in one sentence, then what changed last. It is the page's h1. */
export function FleetHeadline({ view }: { view: FleetView }) {
  const { mark, lead, rest } = headline(view);
  const over = mark === 'over';
  return (
    <div className="relative border-b border-line bg-raised max-phone:bg-panel">
      {over && (
        <div
          aria-hidden="true"
          className="absolute inset-0 bg-linear-to-r from-over-tint to-transparent to-55% max-phone:to-100%"
        />
      )}
      <div className="relative flex min-h-8.5 flex-wrap items-center gap-x-7 gap-y-1 overflow-hidden px-4 py-1.5 text-dense phone:h-8.5 phone:gap-y-6 max-phone:py-3">
        <h1 className="flex min-w-0 items-center gap-2 max-phone:items-start">
          <VerdictMark mark={mark} decorative className={`${markTextClass[mark]} max-phone:mt-1`} />
          <span className="max-phone:text-sentence">
            <span className={`font-strong ${over ? 'text-over' : ''}`}>{lead}</span>{' '}
            <span className="text-ink2">{rest}</span>
          </span>
        </h1>
        {view.alerts.slice(0, 2).map((alert) => (
          <p key={alert.id} className="flex items-center gap-2 whitespace-nowrap max-phone:hidden">
            <VerdictMark mark={severityMarks[alert.severity]} decorative />
            <span className={alert.severity === 'critical' ? 'text-over' : 'text-noticeable'}>
              Open {formatAge(view.range.toMs - Date.parse(alert.since))}
            </span>
            <TextLink href={`/alerts/${encodeURIComponent(alert.id)}`} className="font-control text-ink!">
              {alert.title}
            </TextLink>
            <span className="text-ink3">
              {alert.acknowledgedBy === null ? 'not acknowledged' : `acknowledged by ${alert.acknowledgedBy}`}
            </span>
          </p>
        ))}
        {view.recentEvents.slice(0, 4).map((event) => (
          <p key={`${event.at} ${event.device}`} className="flex items-center gap-2 whitespace-nowrap max-phone:hidden">
            <DeviceMark state={event.toState} />
            <TextLink
              href={linkTo(`/devices/${encodeURIComponent(event.device)}`, view.range)}
              className="font-control text-ink!"
            >
              {event.device}
            </TextLink>
            <span className="text-ink2">{event.text}</span>
            <RelativeTime at={event.at} nowMs={view.range.toMs} className="text-ink3" />
          </p>
        ))}
        <TextLink href={linkTo('/devices', view.range)} className="ms-auto max-desk:hidden">
          All devices
        </TextLink>
      </div>
    </div>
  );
}
