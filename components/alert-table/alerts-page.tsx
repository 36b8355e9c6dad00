import { type RuleId, ruleIds } from '#lib/domain/alert.ts';
import type { AlertsView } from '#lib/views/alert-schemas.ts';
import { chipWords, severityChoices, stateWords } from '../alert-page/alert-words.tsx';
import { ChoiceField, Hidden } from '../hop-head/fields.tsx';
import { PageHead, Sentence } from '../hop-head/page-head.tsx';
import { RowKeys } from '../hop-head/row-keys.tsx';
import { Button, ButtonLink, TextLink } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatNumber, plural } from '../ui/format.ts';
import { linkTo, rangeQuery, rangeWords } from '../ui/link-to.ts';
import { Panel } from '../ui/panel.tsx';
import { Exports } from '../ui/table.tsx';
import { AlertTable } from './alert-table.tsx';
import { AlertTabs } from './alert-tabs.tsx';
import { AlertTimes } from './alert-times.tsx';
import { type AlertsForm, isFiltered } from './alerts-query.ts';
import { RowAcknowledge } from './row-acknowledge.tsx';

const same = (value: string) => ({ value, text: value });

/** What is open, then what was: and how fast it was seen and over. */
export function AlertsPage({ view, form }: { view: AlertsView; form: AlertsForm }) {
  const { range, items } = view;
  const nowMs = Date.parse(view.now);
  const open = items.filter((alert) => alert.state !== 'resolved');
  const past = items.filter((alert) => alert.state === 'resolved');
  const filtered = isFiltered(form);
  const query = new URLSearchParams([
    ...rangeQuery(range, '/alerts'),
    ...Object.entries(form).filter(([, value]) => value !== ''),
  ]);
  return (
    <div className="px-4 pt-3 pb-4">
      <PageHead
        title="Alerts"
        sentence={<Sentence text={sentenceOf(view)} />}
        actions={<AlertTabs current="/alerts" />}
      />
      <div className="flex flex-col gap-2.5">
        <Panel
          id="open"
          title={filtered ? `${plural(open.length, 'alert')} not resolved, of those that fit` : 'Not resolved'}
          note={open.length === 0 ? undefined : 'whatever the range'}
          actions={<Exports api="/api/v1/alerts" query={query.toString()} what="These alerts" />}
          flush
        >
          <Filters view={view} form={form} />
          {open.length > 0 ? (
            <AlertTable items={open} caption="Alerts that are not resolved, newest first" nowMs={nowMs} />
          ) : filtered ? (
            <Empty why="No alert that is not resolved fits these filters." />
          ) : (
            <NothingOpen targets={view.targets} />
          )}
        </Panel>
        <AlertTimes view={view} />
        <Panel id="past" title="Resolved" note={`fired: ${rangeWords(range)}, newest first`} flush>
          {past.length > 0 ? (
            <AlertTable items={past} caption="Alerts that are resolved, newest first" nowMs={nowMs} />
          ) : (
            <Empty
              why={filtered ? 'No alert that is resolved fits these filters.' : 'No alert of this range is resolved.'}
            />
          )}
          {view.nextCursor !== null && (
            <p className="border-t border-line px-3.5 py-2">
              <ButtonLink href={linkTo('/alerts', range, { ...form, cursor: view.nextCursor })}>Older</ButtonLink>
            </p>
          )}
        </Panel>
      </div>
      <RowKeys within="main" />
      <RowAcknowledge />
    </div>
  );
}

function sentenceOf({ counts }: AlertsView): string {
  const { open, acknowledged, pending, silenced } = counts;
  const silent = silenced > 0 ? ` ${formatNumber(silenced)} of all are silenced.` : '';
  const waiting =
    pending > 0 ? ` ${formatNumber(pending)} ${pending === 1 ? 'is' : 'are'} bad, but not for long enough.` : '';
  if (open > 0)
    return `${plural(open, 'alert')} ${open === 1 ? 'waits' : 'wait'} for somebody.${acknowledged > 0 ? ` ${formatNumber(acknowledged)} acknowledged.` : ''}${waiting}${silent}`;
  if (acknowledged > 0)
    return `Nothing waits for anybody. ${plural(acknowledged, 'alert')} ${acknowledged === 1 ? 'is' : 'are'} acknowledged and not over.${waiting}${silent}`;
  return `Nothing is wrong that we know of.${waiting}${silent}`;
}

/** The phone starts with the answer: a filter that is not in use stays away. */
const onPhone = (value: string): string => (value === '' ? 'max-phone:hidden' : '');

/** One GET form: the URL is the filter. */
function Filters({ view, form }: { view: AlertsView; form: AlertsForm }) {
  return (
    <form
      action="/alerts"
      className="grid grid-cols-2 items-end gap-2 border-b border-line px-3.5 py-2.5 phone:grid-cols-3 wide:flex wide:flex-wrap"
    >
      <Hidden values={rangeQuery(view.range, '/alerts')} />
      <ChoiceField
        name="state"
        label="State"
        value={form.state}
        any="All"
        choices={Object.entries(stateWords).map(([value, text]) => ({ value, text }))}
        className="wide:w-36"
      />
      <ChoiceField
        name="rule"
        label="Rule"
        value={form.rule}
        any="All"
        choices={ruleIds.map((value: RuleId) => ({ value, text: chipWords[value] }))}
        className={`wide:w-40 ${onPhone(form.rule)}`}
      />
      <ChoiceField
        name="severity"
        label="Severity"
        value={form.severity}
        any="All"
        choices={severityChoices}
        className={`wide:w-32 ${onPhone(form.severity)}`}
      />
      <ChoiceField
        name="application"
        label="Application"
        value={form.application}
        any="All"
        choices={view.applications.map(same)}
        className={`wide:w-36 ${onPhone(form.application)}`}
      />
      <div className="flex gap-2 max-phone:*:flex-1">
        <Button type="submit">Filter</Button>
        {isFiltered(form) && (
          <ButtonLink kind="quiet" href={linkTo('/alerts', view.range)}>
            Clear
          </ButtonLink>
        )}
      </div>
    </form>
  );
}

/** Calm, and what would break it: an empty page must not look like one that looks at nothing. */
function NothingOpen({ targets }: { targets: number | null }) {
  return (
    <Empty why="Nothing is open.">
      <p>
        Here stands one alert for one cause, as soon as a hop or a path is over its budget, requests get no answer, a
        topic goes quiet, a device or a broker is lost, a clock steps, or Hopscope itself is not well.{' '}
        <TextLink href="/alerts/rules">The rules</TextLink>
      </p>
      {targets !== null && (
        <p className="mt-2">
          {targets === 0 ? (
            <>
              Nobody is told of it yet: no target is set in hopscope.yaml under{' '}
              <code className="font-mono">delivery</code>. <TextLink href="/alerts/delivery">How to set one</TextLink>
            </>
          ) : (
            <>
              {plural(targets, 'target')} {targets === 1 ? 'is' : 'are'} told of it.{' '}
              <TextLink href="/alerts/delivery">Delivery</TextLink>
            </>
          )}
        </p>
      )}
    </Empty>
  );
}
