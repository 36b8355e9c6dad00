import type { AlertItem } from '#lib/views/alert-schemas.ts';
import { AlertMark, chipPhrase, chipWords, isOpen, standing, stateWords } from '../alert-page/alert-words.tsx';
import { WorkForm } from '../alert-page/work-form.tsx';
import { Button, TextLink } from '../ui/button.tsx';
import { formatAbsolute, formatAge, formatClock, formatDay, unknown } from '../ui/format.ts';
import { RowHead, Table, Td, Th } from '../ui/table.tsx';

const age = (ms: number | null): string => (ms === null ? unknown : formatAge(ms));

/** Rows of alerts; the phone gets the same as cards. */
export function AlertTable({ items, caption, nowMs }: { items: readonly AlertItem[]; caption: string; nowMs: number }) {
  return (
    <>
      <div className="max-phone:hidden">
        <Table caption={caption}>
          <thead>
            <tr>
              <Th className="w-px">State</Th>
              <Th>Alert</Th>
              <Th>Rule</Th>
              <Th className="max-desk:hidden">Application</Th>
              <Th>Since, UTC</Th>
              <Th numeric>To detection</Th>
              <Th numeric>To recovery</Th>
              <Th className="w-px">
                <span className="sr-only">What to do</span>
              </Th>
            </tr>
          </thead>
          <tbody>
            {items.map((alert) => (
              <AlertRow key={alert.id} alert={alert} nowMs={nowMs} />
            ))}
          </tbody>
        </Table>
      </div>
      <ul className="divide-y divide-line phone:hidden">
        {items.map((alert) => (
          <AlertCard key={alert.id} alert={alert} nowMs={nowMs} />
        ))}
      </ul>
    </>
  );
}

/** in its colour only while somebody should look */
const isLoud = (alert: AlertItem): boolean => alert.state === 'open' && alert.severity === 'critical';

function AlertRow({ alert, nowMs }: { alert: AlertItem; nowMs: number }) {
  return (
    <tr
      data-alert-row=""
      className={`relative border-t border-line hover:bg-hover ${isLoud(alert) ? 'bg-over-tint [--ink3:var(--ink2)]' : ''}`}
    >
      <Td className="whitespace-nowrap">
        <span className="inline-flex items-center gap-1.5">
          <AlertMark alert={alert} />
          {stateWords[alert.state]}
        </span>
      </Td>
      <RowHead className="py-1.5!">
        <TextLink
          href={`/alerts/${encodeURIComponent(alert.id)}`}
          className="stretch-link inline-flex min-h-6 items-center font-strong !text-ink"
          data-row=""
        >
          {alert.title}
        </TextLink>
        <span className="block max-w-[80ch] text-ink2">{notesOf(alert, nowMs).join(', ')}</span>
      </RowHead>
      <Td className="whitespace-nowrap text-ink2">{chipWords[alert.rule]}</Td>
      <Td className="text-ink2 max-desk:hidden">{alert.applications.join(', ') || unknown}</Td>
      <Td className="whitespace-nowrap">
        <Since at={alert.since} nowMs={nowMs} />
      </Td>
      <Td numeric className="text-ink2">
        {age(alert.detectedAfterMs)}
      </Td>
      <Td numeric className="text-ink2">
        {age(alert.recoveredAfterMs)}
      </Td>
      <Td>{alert.state === 'open' && <Acknowledge alert={alert} />}</Td>
    </tr>
  );
}

function AlertCard({ alert, nowMs }: { alert: AlertItem; nowMs: number }) {
  return (
    <li
      data-alert-row=""
      className={`relative px-3.5 py-3 ${isLoud(alert) ? 'bg-over-tint [--ink3:var(--ink2)]' : ''}`}
    >
      <p className="flex items-center gap-1.5 text-dense text-ink2">
        <AlertMark alert={alert} />
        {stateWords[alert.state]}, {chipPhrase(alert.rule)}
        <span className="ms-auto text-ink3">
          <Since at={alert.since} nowMs={nowMs} />
        </span>
      </p>
      <TextLink
        href={`/alerts/${encodeURIComponent(alert.id)}`}
        className="stretch-link mt-1 block font-strong break-words !text-ink"
        data-row=""
      >
        {alert.title}
      </TextLink>
      <p className="mt-0.5 text-dense break-words text-ink2">{notesOf(alert, nowMs).join(', ')}</p>
      {alert.state === 'open' && (
        <div className="mt-2">
          <Acknowledge alert={alert} />
        </div>
      )}
    </li>
  );
}

function Acknowledge({ alert }: { alert: AlertItem }) {
  return (
    <WorkForm
      action={`/api/v1/alerts/${encodeURIComponent(alert.id)}/acknowledge`}
      back="/alerts"
      className="relative z-10 inline-block"
    >
      <Button type="submit" small data-acknowledge="" aria-label={`Acknowledge: ${alert.title}`}>
        Acknowledge
      </Button>
    </WorkForm>
  );
}

function Since({ at, nowMs }: { at: string; nowMs: number }) {
  const ms = Date.parse(at);
  const day = formatDay(ms) === formatDay(nowMs) ? '' : `${formatDay(ms)} `;
  return (
    <time dateTime={at} title={formatAbsolute(ms)}>
      {day}
      {formatClock(ms)}
    </time>
  );
}

function notesOf(alert: AlertItem, nowMs: number): string[] {
  return [
    alert.subject.name,
    standing(alert, nowMs),
    alert.folded > 0 ? `${alert.folded} folded in` : '',
    alert.assignedTo === null ? '' : `assigned to ${alert.assignedTo}`,
    alert.silencedUntil === null || !(isOpen(alert) || alert.state === 'pending')
      ? ''
      : `silenced until ${formatClock(Date.parse(alert.silencedUntil))} UTC`,
  ].filter((note) => note !== '');
}
