import type { FleetView } from '#lib/views/schemas.ts';
import { severityMarks } from '../alert-page/alert-words.tsx';
import { TextLink } from '../ui/button.tsx';
import { Duration, OfBudget } from '../ui/duration.tsx';
import { formatAge, plural } from '../ui/format.ts';
import { linkTo } from '../ui/link-to.ts';
import { Panel } from '../ui/panel.tsx';
import { markTextClass, VerdictMark } from '../verdict-badge/verdict-mark.tsx';

const mostCards = 4;
const mostAlone = 2;

/** The first sentence is what to do; what follows is why. */
export function splitSentence(text: string): [string, string] {
  const end = /[.!?](?=\s)/.exec(text);
  return end ? [text.slice(0, end.index + 1), text.slice(end.index + 1).trim()] : [text, ''];
}

type OpenAlert = FleetView['alerts'][number];

/** An alert about a hop or the path of a decision is one matter with it. */
function alertsByDecision(view: FleetView): Map<FleetView['decisions'][number], OpenAlert> {
  return new Map(
    view.decisions.flatMap((decision) => {
      const isPath = (name: string) => decision.title.toLowerCase().split(', ')[0] === name.toLowerCase();
      const alert = view.alerts.find(
        ({ hopIds, pathNames }) => hopIds.includes(decision.hopId) || pathNames.some(isPath),
      );
      return alert ? [[decision, alert] as const] : [];
    }),
  );
}

const alertNote = ({ acknowledgedBy }: OpenAlert): string =>
  acknowledgedBy === null ? 'not acknowledged' : `acknowledged by ${acknowledgedBy}`;

/** What no hop of the range explains: a device, a broker, a topic. */
function AlertCard({ alert, nowMs }: { alert: OpenAlert; nowMs: number }) {
  return (
    <li
      className={`relative border-b border-line px-3.5 py-1.5 ${alert.severity === 'critical' ? 'border-s-3 border-s-over bg-over-tint ps-2.75 [--ink3:var(--ink2)]' : ''}`}
    >
      <div className="flex items-baseline gap-2">
        <VerdictMark
          mark={severityMarks[alert.severity]}
          className={`${markTextClass[severityMarks[alert.severity]]} relative top-0.5`}
        />
        <h3 className="min-w-0 flex-1 text-body font-title">{alert.title}</h3>
      </div>
      <p className="mt-0.5 flex items-center gap-2 text-note">
        <span className="text-ink3">
          open {formatAge(nowMs - Date.parse(alert.since))}, {alertNote(alert)}
        </span>
        <TextLink
          href={`/alerts/${encodeURIComponent(alert.id)}`}
          className="ms-auto inline-flex items-center text-dense after:absolute after:inset-0"
          aria-label={`Open alert: ${alert.title}`}
        >
          Alert
        </TextLink>
      </p>
    </li>
  );
}

/** What needs a person, worst first; below it what was looked at and may stay. */
export function Decisions({ view }: { view: FleetView }) {
  const { over, noticeable, cannotTell, ok, noData } = view.hopMarks;
  const total = over + noticeable + cannotTell + ok + noData;
  const flagged = over + noticeable + cannotTell;
  const told = alertsByDecision(view);
  const alone = view.alerts.filter((alert) => ![...told.values()].includes(alert));
  const cards = view.decisions.slice(0, Math.max(1, mostCards - Math.min(alone.length, mostAlone)));
  const causes = view.decisions.length + alone.length;
  const calm = view.paths
    .filter((path) => path.mark === 'ok' && path.p95Ms !== null && path.budgetMs !== null)
    .toSorted((a, b) => b.p95Ms! / b.budgetMs! - a.p95Ms! / a.budgetMs!)
    .slice(0, cards.length === 0 ? 3 : 2);
  return (
    <Panel
      id="decisions"
      title={causes === 0 ? 'Nothing needs a decision' : 'Needs a decision'}
      note={causes === 0 ? plural(total, 'hop') : `${plural(causes, 'cause')}, ${flagged} of ${plural(total, 'hop')}`}
      actions={<TextLink href={linkTo('/hops', view.range)}>All hops</TextLink>}
      flush
    >
      <ul>
        {alone.slice(0, mostAlone).map((alert) => (
          <AlertCard key={alert.id} alert={alert} nowMs={view.range.toMs} />
        ))}
        {cards.map((decision) => {
          const alert = told.get(decision);
          const isOver = decision.mark === 'over';
          const [lead, rest] = splitSentence(decision.sentence);
          const unsure = decision.of.startsWith('±') && decision.mark === 'cannot-tell';
          return (
            <li
              key={decision.hopId + decision.title}
              className={`relative border-b border-line px-3.5 py-1.5 ${isOver ? 'border-s-3 border-s-over bg-over-tint ps-2.75' : ''}`}
            >
              <div className="flex items-baseline gap-2">
                <VerdictMark mark={decision.mark} className={`${markTextClass[decision.mark]} relative top-0.5`} />
                <h3 className="min-w-0 flex-1 text-body font-title">{decision.title}</h3>
                <p className="text-end whitespace-nowrap">
                  <span
                    className={`font-title ${decision.mark === 'cannot-tell' ? 'text-ink' : markTextClass[decision.mark]}`}
                  >
                    {decision.figure}
                  </span>{' '}
                  <span className={unsure ? 'text-cannot-tell' : isOver ? 'text-ink2' : 'text-ink3'}>
                    {decision.of}
                  </span>
                </p>
              </div>
              <p className="mt-0.5 text-dense text-ink2">
                <span className="font-strong text-ink">{lead}</span> {rest}
              </p>
              <p className="mt-0.5 flex items-center gap-2 text-note">
                <span className={isOver ? 'text-ink2' : 'text-ink3'}>
                  {decision.note}
                  {alert && `, ${alertNote(alert)}`}
                </span>
                {alert && (
                  <TextLink
                    href={`/alerts/${encodeURIComponent(alert.id)}`}
                    className="relative z-10 ms-auto inline-flex items-center text-dense whitespace-nowrap"
                    aria-label={`Open alert: ${alert.title}`}
                  >
                    Alert
                  </TextLink>
                )}
                <TextLink
                  href={linkTo(`/hops/${decision.hopId}`, view.range)}
                  className={`${alert ? '' : 'ms-auto'} inline-flex items-center text-dense whitespace-nowrap after:absolute after:inset-0`}
                  aria-label={`Open hop: ${decision.title}`}
                >
                  Open hop
                </TextLink>
              </p>
            </li>
          );
        })}
      </ul>
      {(view.decisions.length > cards.length || alone.length > mostAlone) && (
        <p className="flex gap-3 border-b border-line px-3.5 py-2 text-dense">
          {view.decisions.length > cards.length && (
            <TextLink href={linkTo('/hops', view.range)}>{view.decisions.length - cards.length} more</TextLink>
          )}
          {alone.length > mostAlone && (
            <TextLink href="/alerts">{plural(alone.length - mostAlone, 'more alert')}</TextLink>
          )}
        </p>
      )}
      {calm.length > 0 && (
        <ul className="px-3.5 py-3">
          {calm.map((path) => (
            <li key={path.name} className="flex min-h-5 items-center gap-2 text-dense">
              <VerdictMark mark="ok" />
              <span className="min-w-0 flex-1 truncate text-ink2">{path.name}</span>
              <Duration ms={path.p95Ms} boundMs={path.boundMs} />
              <OfBudget budgetMs={path.budgetMs} />
              <span className="text-ink2">Leave</span>
            </li>
          ))}
        </ul>
      )}
      {cards.length === 0 && calm.length === 0 && (
        <p className="px-3.5 py-4 text-body text-ink2">
          {total === 0
            ? 'No hop was seen in this range. A hop appears when a caller and its callee both send spans.'
            : 'No path has a budget to compare with yet: name one in hopscope.yaml under budgets.'}
        </p>
      )}
    </Panel>
  );
}
