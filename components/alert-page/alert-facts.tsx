import type { ReactNode } from 'react';
import type { AlertView } from '#lib/views/alert-schemas.ts';
import { TextLink } from '../ui/button.tsx';
import { formatAge, formatClock, formatNumber } from '../ui/format.ts';
import { Icon, type IconName } from '../ui/icon.tsx';
import { LocalClock } from './local-clock.tsx';

const subjectWords = {
  hop: 'Hop',
  path: 'Path',
  topic: 'Topic',
  device: 'Device',
  broker: 'Broker',
  self: 'Part',
} as const;

/** Which one, since when, what changed just before, whose it is: each a row to be read with half an eye. */
export function AlertFacts({ view }: { view: AlertView }) {
  const { alert, changes, place } = view;
  const nowMs = Date.parse(view.now);
  const sinceMs = Date.parse(alert.since);
  const requests = alert.figure?.requests ?? null;
  return (
    <dl className="facts divide-y divide-line border-y border-line">
      <Fact icon="place" name={subjectWords[alert.subject.kind]}>
        <TextLink href={view.href} className="font-strong text-ink! break-words">
          {alert.subject.name}
        </TextLink>
        {place !== '' && <Note>{place}</Note>}
      </Fact>
      <Fact icon="clock" name="Since">
        <b className="font-strong">
          <LocalClock atMs={sinceMs} />, {formatAge(nowMs - sinceMs)} ago
        </b>
        <Note>
          {formatClock(sinceMs)} UTC
          {requests !== null && `, ${formatNumber(requests)} ${requests === 1 ? 'request' : 'requests'} affected`}
          {alert.isLate && ', from data that came late'}
        </Note>
      </Fact>
      <Fact icon="up" name="Changed">
        {changes.length === 0 ? (
          <span className="text-ink2">Nothing that we know of</span>
        ) : (
          <ul className="flex flex-col gap-1.5">
            {changes.map((change) => (
              <li key={`${change.at} ${change.title}`}>
                {change.href === '' ? (
                  <b className="font-strong">{change.title}</b>
                ) : (
                  <TextLink href={change.href} className="font-strong text-ink!">
                    {change.title}
                  </TextLink>
                )}
                <b className="font-strong">, {whenOf(change.beforeMs)}</b>
                {change.text !== '' && <Note>{change.text}</Note>}
              </li>
            ))}
          </ul>
        )}
      </Fact>
      <Fact icon="person" name="Owner">
        {alert.owner === null ? (
          <span className="text-ink2">Nobody is named in hopscope.yaml</span>
        ) : (
          <Owner {...alert.owner} />
        )}
        {alert.assignedTo !== null && <Note>assigned to {alert.assignedTo}</Note>}
      </Fact>
    </dl>
  );
}

function Fact({ icon, name, children }: { icon: IconName; name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[1.5rem_5rem_minmax(0,1fr)] gap-x-2 py-2.5">
      <Icon name={icon} className="mt-px text-ink3" />
      <dt className="text-ink3">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  );
}

const Note = ({ children }: { children: ReactNode }) => <span className="block text-dense text-ink2">{children}</span>;

/** What a file says is text; only an address people can follow becomes a link. */
function Owner({ team, contact }: { team: string; contact: string }) {
  const isLink = /^(?:https?:\/\/|mailto:)/i.test(contact);
  return (
    <>
      {isLink ? (
        <a href={contact} rel="noreferrer" className="font-strong text-acc hover:underline">
          {team}
        </a>
      ) : (
        <b className="font-strong">{team}</b>
      )}
      {contact !== '' && !isLink && <Note>{contact}</Note>}
    </>
  );
}

function whenOf(beforeMs: number): string {
  if (Math.abs(beforeMs) < 1_000) return 'in the same moment';
  return `${formatAge(Math.abs(beforeMs))} ${beforeMs > 0 ? 'before' : 'after'}`;
}
