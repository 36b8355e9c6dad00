import type { AlertView } from '#lib/views/alert-schemas.ts';
import { buttonClass, TextLink } from '../ui/button.tsx';
import { formatClock } from '../ui/format.ts';
import { isOpen } from './alert-words.tsx';
import { WorkForm } from './work-form.tsx';

const hourMs = 3_600_000;
const big = 'max-phone:h-12.5 max-phone:w-full';
const quiet = 'inline-flex min-h-6 items-center text-acc hover:underline max-phone:min-h-11 max-phone:text-dense';

/** What can be done, under the thumb: one tap each, a plain form each, so that it works before a script has come, or without. */
export function AlertBar({ view }: { view: AlertView }) {
  const { alert, example, silence } = view;
  const api = `/api/v1/alerts/${encodeURIComponent(alert.id)}`;
  return (
    <section
      aria-label="What to do"
      className="bar flex flex-col gap-2 border-line bg-panel max-phone:fixed max-phone:inset-x-0 max-phone:bottom-0 max-phone:z-20 max-phone:border-t max-phone:px-4 max-phone:pt-2.5 max-phone:pb-[max(0.5rem,env(safe-area-inset-bottom))] phone:rounded-panel phone:border phone:p-3.5"
    >
      {alert.wayOut !== '' && (
        <p className="text-ink2 max-phone:line-clamp-3 max-phone:text-dense">
          <b className="font-strong text-ink">Way out:</b> {alert.wayOut}
        </p>
      )}
      {silence && (
        <div className="flex flex-wrap items-center gap-x-3 text-dense text-ink2">
          <span>
            Silenced until {formatClock(Date.parse(silence.until))} UTC by {silence.by}: {silence.reason}
          </span>
          <WorkForm action={`/api/v1/silences/${encodeURIComponent(silence.id)}/end`} back={`/alerts/${alert.id}`}>
            <button type="submit" className={quiet}>
              End the silence
            </button>
          </WorkForm>
        </div>
      )}
      <div className="grid grid-cols-[1.2fr_1fr] gap-2">
        {alert.state === 'open' || alert.state === 'pending' ? (
          <WorkForm action={`${api}/acknowledge`}>
            <button
              type="submit"
              data-key="a"
              aria-keyshortcuts="a"
              className={`primary ${buttonClass('primary')} ${big} w-full`}
            >
              Acknowledge
            </button>
          </WorkForm>
        ) : alert.state === 'acknowledged' ? (
          <WorkForm action={`${api}/unacknowledge`}>
            <button type="submit" className={`${buttonClass('plain')} ${big} w-full`}>
              Undo acknowledge
            </button>
          </WorkForm>
        ) : (
          <p className="self-center text-ink2">Nothing is left to do.</p>
        )}
        <a href={view.href} className={`${buttonClass('plain')} ${big}`}>
          Open {subjectButton[alert.subject.kind]}
        </a>
      </div>
      <div className="more flex flex-wrap items-center justify-between gap-x-4">
        {(isOpen(alert) || alert.state === 'pending') && !silence && (
          <WorkForm action={`${api}/silence`}>
            <input type="hidden" name="forMs" value={hourMs} />
            <button type="submit" className={quiet}>
              Silence 1 h
            </button>
          </WorkForm>
        )}
        {example && (
          <TextLink href={`/traces/${example.traceId}`} className={quiet}>
            Example request
          </TextLink>
        )}
        <a href="#history" className={`${quiet} phone:hidden`}>
          History
        </a>
      </div>
    </section>
  );
}

const subjectButton: Record<AlertView['alert']['subject']['kind'], string> = {
  hop: 'hop',
  path: 'path',
  topic: 'topic',
  device: 'device',
  broker: 'topics',
  self: 'status',
};
