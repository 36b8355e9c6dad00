import type { AlertView } from '#lib/views/alert-schemas.ts';
import { TextLink } from '../ui/button.tsx';
import { formatClock, plural } from '../ui/format.ts';
import { VerdictMark } from '../verdict-badge/verdict-mark.tsx';

/** What shares the cause and woke nobody of its own: it is over when it says so, whatever becomes of the alert. */
export function FoldedList({ shown, all, still }: { shown: AlertView['folded']; all: number; still: number }) {
  if (all === 0) return null;
  return (
    <section aria-labelledby="folded-title">
      <h2 id="folded-title" className="flex flex-wrap items-baseline gap-x-3 text-body font-title">
        Folded in
        <span className="text-dense font-normal text-ink3">
          {plural(all, 'finding')} with the same cause, {still} still so
        </span>
      </h2>
      <ul className="mt-1.5 divide-y divide-line text-dense">
        {shown.map((finding) => (
          <li key={`${finding.rule} ${finding.subject.kind} ${finding.subject.id}`} className="flex gap-2 py-1.5">
            <VerdictMark mark={finding.until === null ? 'over' : 'ok'} decorative className={undefined} />
            <span className="min-w-0 break-words">
              <TextLink href={finding.href} className="font-strong text-ink!">
                {finding.subject.name}
              </TextLink>
              <span className="block text-ink2">
                {finding.sentence} Since {formatClock(Date.parse(finding.since))} UTC
                {finding.until !== null && `, over at ${formatClock(Date.parse(finding.until))}`}.
              </span>
            </span>
          </li>
        ))}
      </ul>
      {all > shown.length && <p className="text-dense text-ink2">and {all - shown.length} more</p>}
    </section>
  );
}
