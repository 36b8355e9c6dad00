import * as z from 'zod';
import type { Alert, Matcher, Silence } from '../domain/alert.ts';
import { silenceOf } from '../domain/alert-matcher.ts';
import { alertRules } from '../domain/alert-rules.ts';
import type { EpochMillis } from '../domain/units.ts';
import { openAlerts } from './alert-item.ts';
import type { SilenceItem, SilencesView } from './alert-schemas.ts';
import type { ViewContext } from './context.ts';
import { choiceField, limitField } from './query.ts';
import { maySee } from './viewer.ts';
import { seesAll, visibleAlert, visibleServices } from './visibility.ts';
import { instantOf, instantOrNull } from './words.ts';

const stateSchema = ['active', 'planned', 'over', 'ended'] as const;

export const silencesQuerySchema = z.object({
  state: choiceField(stateSchema, 'silences in this state'),
  limit: limitField(200, 500),
});
export type SilencesQuery = z.output<typeof silencesQuerySchema>;

/** What nobody is told of, by whom and until when. */
export async function silencesView(context: ViewContext, query: SilencesQuery): Promise<SilencesView> {
  const { store, viewer, rules, nowMs } = context;
  const open = openAlerts(context);
  const visible = visibleSilences(context);
  const items = visible
    .map((silence) => silenceItem(silence, open, nowMs))
    .filter((item) => query.state === undefined || item.state === query.state)
    .slice(0, query.limit);
  const services = visibleServices(viewer, await store.services());
  const sites = new Set(services.flatMap((row) => row.sites));
  return {
    now: instantOf(nowMs),
    items,
    applications: [...new Set(services.map((row) => row.application))].sort(),
    sites: rules.sites
      .filter(({ id }) => seesAll(viewer) || sites.has(id))
      .map(({ id, name }) => ({ id, name }))
      .sort((a, b) => a.name.localeCompare(b.name, 'en')),
    emptyReason:
      items.length > 0
        ? null
        : visible.length > 0
          ? 'No silence is in this state.'
          : 'Nothing is silenced: whatever fires is sent.',
  };
}

/**
 * Who sees only some applications sees the silences made for one of these, or for one cause among the alerts they may see. A silence
 * over everything may be about things they must not know of.
 */
export function visibleSilences({ state, viewer, nowMs }: ViewContext): Silence[] {
  const silences = state.silences.list(nowMs);
  if (seesAll(viewer)) return silences;
  const known = new Set(
    state.alerts
      .list({ limit: 1_000 })
      .filter((alert) => visibleAlert(viewer, alert) !== null)
      .map(({ fingerprint }) => fingerprint),
  );
  return silences.filter(({ matcher }) =>
    matcher.application === undefined
      ? matcher.fingerprint !== undefined && known.has(matcher.fingerprint)
      : maySee(viewer, matcher.application),
  );
}

export function silenceItem(silence: Silence, open: Alert[], nowMs: EpochMillis): SilenceItem {
  const { id, matcher, reason, by, fromMs, untilMs, ended } = silence;
  return {
    id,
    matcher,
    words: matcherWords(matcher, open),
    reason,
    by,
    from: instantOf(fromMs),
    until: instantOf(untilMs),
    state: silenceState(silence, nowMs),
    endedBy: ended?.by ?? null,
    endedAt: instantOrNull(ended?.atMs),
    matches: open.filter((alert) => silenceOf(alert, [silence]) !== undefined).length,
  };
}

function silenceState({ fromMs, untilMs, ended }: Silence, nowMs: EpochMillis): SilenceItem['state'] {
  if (ended !== null) return 'ended';
  if (untilMs <= nowMs) return 'over';
  return fromMs > nowMs ? 'planned' : 'active';
}

/** "A device is down, named *-hannover, in factory" */
function matcherWords({ rule, subject, application, severity, site, fingerprint }: Matcher, open: Alert[]): string {
  const cause = fingerprint === undefined ? undefined : open.find((alert) => alert.fingerprint === fingerprint);
  const whichever = rule === undefined ? 'Any alert' : alertRules[rule].title;
  const what = [
    fingerprint === undefined ? whichever : `The cause of "${cause?.title ?? fingerprint}"`,
    severity ?? '',
    subject === undefined ? '' : `named ${subject}`,
    application === undefined ? '' : `in ${application}`,
    site === undefined ? '' : `at ${site}`,
  ];
  return what.filter((part) => part !== '').join(', ');
}
