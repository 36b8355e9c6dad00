import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type AlertEvent, alertSeverities, type Matcher, ruleIds, type Silence } from '../domain/alert.ts';
import { silenceOf } from '../domain/alert-matcher.ts';
import type { Millis } from '../domain/units.ts';
import type { State } from '../state/state.ts';
import { openAlerts } from '../views/alert-item.ts';
import type { SilenceItem } from '../views/alert-schemas.ts';
import type { ViewContext } from '../views/context.ts';
import { notFound, QueryProblem } from '../views/query.ts';
import { silenceItem, visibleSilences } from '../views/silences-view.ts';
import { maySee } from '../views/viewer.ts';
import { seesAll, visibleAlert } from '../views/visibility.ts';
import { instantOf } from '../views/words.ts';
import { choiceOrNothing, momentOf, numberOrNothing, textOf, textOrNothing } from './fields.ts';
import { requireMember } from './person.ts';

const minuteMs = 60_000;
const longestMs = 30 * 86_400_000;
const standardMs = 3_600_000;

export const lengthField = numberOrNothing(minuteMs, longestMs, 'for how long, in milliseconds; an hour if left out');
export const lengthOf = (forMs: Millis | undefined): Millis => forMs ?? standardMs;

const moment = (what: string) =>
  z
    .union([z.string().max(40), z.number()])
    .optional()
    .describe(what);

export const silenceSchema = z.object({
  rule: choiceOrNothing(ruleIds, 'alerts of this rule'),
  subject: textOrNothing(200, 'glob over the name of what they are about, or of their cause'),
  application: textOrNothing(200, 'alerts that tell of this application'),
  severity: choiceOrNothing(alertSeverities, 'alerts of this severity'),
  site: textOrNothing(200, 'alerts at this site, by its id'),
  fingerprint: textOrNothing(200, 'one cause, exactly'),
  reason: textOf(500, 'why nobody has to be told'),
  forMs: lengthField,
  from: moment('when it begins; now if left out'),
  until: moment('when it ends, instead of forMs'),
});

/** Nothing is sent for what fits. At least one thing has to be said about what that is. */
export async function makeSilence(context: ViewContext, asked: z.output<typeof silenceSchema>): Promise<SilenceItem> {
  requireMember(context);
  const { reason, forMs, from, until, ...given } = asked;
  const { nowMs } = context;
  const matcher = matcherOf(context, given);
  const fromMs = from === undefined || from === '' ? nowMs : momentOf('from', from, nowMs);
  const hasEnd = until !== undefined && until !== '';
  if (hasEnd && forMs !== undefined)
    throw new QueryProblem([{ parameter: 'until', found: String(until), wanted: 'only one of until and forMs' }]);
  const untilMs = hasEnd ? momentOf('until', until, nowMs) : fromMs + lengthOf(forMs);
  if (fromMs < nowMs - minuteMs)
    throw new QueryProblem([{ parameter: 'from', found: String(from), wanted: 'now or later' }]);
  if (untilMs < Math.max(fromMs, nowMs) + minuteMs || untilMs > fromMs + longestMs)
    throw new QueryProblem([
      { parameter: 'until', found: String(until), wanted: 'an end from a minute to 30 days after the beginning' },
    ]);
  return context.state.transaction(() => {
    const silence = addSilence(context, { matcher, reason, fromMs, untilMs });
    return silenceItem(silence, openAlerts(context), nowMs);
  });
}

export function addSilence(
  { state, viewer, nowMs }: ViewContext,
  { matcher, reason, fromMs, untilMs }: Pick<Silence, 'matcher' | 'reason' | 'fromMs' | 'untilMs'>,
): Silence {
  const silence: Silence = {
    id: randomUUID(),
    matcher,
    reason,
    by: viewer.name,
    fromMs,
    untilMs,
    createdMs: nowMs,
    ended: null,
  };
  state.silences.save(silence);
  logOnMatching(state, silence, {
    timeMs: nowMs,
    who: viewer.name,
    what: 'silenced',
    text: `until ${instantOf(untilMs)}: ${reason}`,
  });
  return silence;
}

/** Each alert that it matches says so in its history. */
function logOnMatching(state: State, silence: Silence, event: AlertEvent): void {
  for (const alert of state.alerts.open()) {
    if (silenceOf(alert, [silence]) !== undefined) state.alerts.log(alert.id, event);
  }
}

/** A change of mind: from now on it is sent again. */
export async function endSilence(context: ViewContext, { id }: { id: string }): Promise<SilenceItem> {
  requireMember(context);
  const { state, viewer, nowMs } = context;
  return state.transaction(() => {
    const silence = visibleSilences(context).find((each) => each.id === id);
    if (!silence) throw notFound('silence');
    const over = silence.ended !== null || silence.untilMs <= nowMs;
    const ended = over ? silence : { ...silence, ended: { by: viewer.name, atMs: nowMs } };
    if (!over) {
      state.silences.save(ended);
      logOnMatching(state, silence, { timeMs: nowMs, who: viewer.name, what: 'silenced', text: 'no more' });
    }
    return silenceItem(ended, openAlerts(context), nowMs);
  });
}

/** Who sees only some applications silences within these alone. */
function matcherOf(context: ViewContext, given: Matcher): Matcher {
  const matcher = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Matcher;
  if (Object.keys(matcher).length === 0)
    throw new QueryProblem([
      {
        parameter: 'matcher',
        found: 'nothing',
        wanted: 'at least one of rule, subject, application, severity, site, fingerprint',
      },
    ]);
  const { viewer, state } = context;
  if (seesAll(viewer)) return matcher;
  const { application, fingerprint } = matcher;
  const ownCause =
    fingerprint !== undefined &&
    state.alerts
      .list({ limit: 1_000 })
      .some((alert) => alert.fingerprint === fingerprint && visibleAlert(viewer, alert) !== null);
  if (!ownCause && (application === undefined || !maySee(viewer, application)))
    throw new QueryProblem([
      { parameter: 'application', found: application ?? 'nothing', wanted: 'an application that you may see' },
    ]);
  return matcher;
}
