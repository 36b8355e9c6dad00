import type { AlertView } from '#lib/views/alert-schemas.ts';
import { Button } from '../ui/button.tsx';
import { formatAbsolute, formatClock, formatDay } from '../ui/format.ts';
import { WorkForm } from './work-form.tsx';

type Event = AlertView['history'][number];

const didWords: Record<Event['what'], string> = {
  seen: 'saw it begin',
  fired: 'raised it',
  folded: 'folded in',
  unfolded: 'took out again',
  acknowledged: 'acknowledged',
  unacknowledged: 'took the acknowledgement back',
  assigned: 'assigned it',
  commented: 'wrote',
  silenced: 'silenced it',
  sent: 'sent a message',
  'not-sent': 'could not send',
  resolved: 'saw it end',
};

const field =
  'min-h-7.5 w-full min-w-0 rounded-button border border-ctl bg-panel px-2 py-1 text-dense text-ink placeholder:text-ink3 max-phone:min-h-11 max-phone:text-body';

/** Who did what when, the newest last as a log is read; and where to add to it. */
export function AlertHistory({ view, earlierLines }: { view: AlertView; earlierLines: number }) {
  const { alert, history, messages } = view;
  const api = `/api/v1/alerts/${encodeURIComponent(alert.id)}`;
  return (
    <section id="history" aria-labelledby="history-title" className="scroll-mt-4">
      <h2 id="history-title" className="text-body font-title">
        History
      </h2>
      {history.length === 0 ? (
        <p className="mt-1.5 text-dense text-ink2">Nothing was written down yet.</p>
      ) : (
        <ol className="mt-1.5 flex flex-col gap-1.5 text-dense">
          {history.map((event, index) => (
            // two lines of one moment may say the same
            // biome-ignore lint/suspicious/noArrayIndexKey: a log only grows at its end
            <li key={index} className="grid grid-cols-[4.5rem_minmax(0,1fr)] gap-x-2">
              <When at={event.at} nowMs={Date.parse(view.now)} />
              <span className="min-w-0 break-words whitespace-pre-line">
                <b className="font-strong">{event.who === '' ? 'Hopscope' : event.who}</b> {didWords[event.what]}
                {event.text !== '' && <span className="text-ink2">: {event.text}</span>}
              </span>
            </li>
          ))}
        </ol>
      )}
      {earlierLines > 0 && (
        <p className="mt-1.5 text-dense">
          <a href={`${api}?format=csv`} className="text-acc hover:underline">
            {earlierLines} earlier lines, as CSV
          </a>
        </p>
      )}
      {messages.length > 0 && (
        <ul className="mt-2 flex flex-col gap-1 text-dense text-over">
          {messages.map((message) => (
            <li key={`${message.target} ${message.status}`}>
              {message.target}: {message.state === 'given-up' ? 'given up' : 'not sent yet'} after {message.attempts}{' '}
              {message.attempts === 1 ? 'attempt' : 'attempts'}: {message.error}
            </li>
          ))}
        </ul>
      )}
      <div className="work mt-3 grid gap-2">
        <WorkForm action={`${api}/comment`} className="flex flex-wrap items-end gap-2">
          <label className="flex min-w-0 flex-1 basis-50 flex-col gap-0.5 text-note text-ink3">
            Comment
            <textarea name="text" rows={1} required maxLength={2_000} className={field} />
          </label>
          <Button type="submit">Add</Button>
        </WorkForm>
        <WorkForm action={`${api}/assign`} className="flex flex-wrap items-end gap-2">
          <label className="flex min-w-0 flex-1 basis-50 flex-col gap-0.5 text-note text-ink3">
            Assigned to
            <input
              key={alert.assignedTo ?? ''}
              name="to"
              maxLength={100}
              defaultValue={alert.assignedTo ?? ''}
              placeholder="nobody in particular"
              autoComplete="off"
              className={field}
            />
          </label>
          <Button type="submit">Assign</Button>
        </WorkForm>
      </div>
    </section>
  );
}

function When({ at, nowMs }: { at: string; nowMs: number }) {
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={formatAbsolute(ms)} className="text-ink3">
      {nowMs - ms > 20 * 3_600_000 ? formatDay(ms) : ''} {formatClock(ms)}
    </time>
  );
}
