import { ruleIds } from '#lib/domain/alert.ts';
import type { SilenceItem, SilencesView } from '#lib/views/alert-schemas.ts';
import { chipWords, severityChoices } from '../alert-page/alert-words.tsx';
import { WorkForm } from '../alert-page/work-form.tsx';
import { AlertTabs } from '../alert-table/alert-tabs.tsx';
import { ChoiceField, TextField } from '../hop-head/fields.tsx';
import { PageHead, Sentence } from '../hop-head/page-head.tsx';
import { RowKeys } from '../hop-head/row-keys.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatAbsolute, formatClock, formatDay, formatNumber, plural } from '../ui/format.ts';
import { Panel } from '../ui/panel.tsx';
import { Exports, RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';

const hourMs = 3_600_000;
const lengths = [
  { value: String(hourMs), text: '1 h' },
  { value: String(4 * hourMs), text: '4 h' },
  { value: String(12 * hourMs), text: '12 h' },
  { value: String(24 * hourMs), text: '1 d' },
  { value: String(7 * 24 * hourMs), text: '7 d' },
  { value: String(30 * 24 * hourMs), text: '30 d' },
];

const stateWords: Record<SilenceItem['state'], string> = {
  active: 'Active',
  planned: 'Planned',
  over: 'Over',
  ended: 'Ended early',
};

/** What nobody is told of: for how long, why, and by whom. */
export function SilencesPage({ view }: { view: SilencesView }) {
  const active = view.items.filter((silence) => silence.state === 'active');
  return (
    <div className="px-4 pt-3 pb-4">
      <PageHead
        crumbs={[{ text: 'Alerts', href: '/alerts' }, { text: 'Silences' }]}
        title="Silences"
        sentence={<Sentence text={sentenceOf(active)} />}
        actions={<AlertTabs current="/alerts/silences" />}
      />
      <div className="flex flex-col gap-2.5">
        <Panel id="new" title="Silence alerts" note="those that fit all that is filled in">
          <NewSilence view={view} />
        </Panel>
        <Panel
          id="silences"
          title="Silences"
          actions={<Exports api="/api/v1/silences" query="" what="Silences" />}
          flush
        >
          {view.items.length === 0 ? (
            <Empty why={view.emptyReason ?? 'Nothing is silenced.'} />
          ) : (
            <Silences view={view} />
          )}
        </Panel>
      </div>
      <RowKeys within="silences" />
    </div>
  );
}

function sentenceOf(active: SilenceItem[]): string {
  if (active.length === 0) return 'Nothing is silenced: whatever fires is sent.';
  const held = active.reduce((sum, silence) => sum + silence.matches, 0);
  return `${plural(active.length, 'silence')} ${active.length === 1 ? 'is' : 'are'} active. ${held === 0 ? 'No alert that is not resolved fits.' : `${plural(held, 'alert')} that ${held === 1 ? 'is' : 'are'} not resolved ${held === 1 ? 'is' : 'are'} not sent.`}`;
}

function NewSilence({ view }: { view: SilencesView }) {
  return (
    <WorkForm action="/api/v1/silences" className="grid grid-cols-2 items-end gap-2 phone:grid-cols-3 wide:grid-cols-6">
      <ChoiceField
        name="rule"
        label="Rule"
        value=""
        any="Any"
        choices={ruleIds.map((value) => ({ value, text: chipWords[value] }))}
      />
      <TextField name="subject" label="Name, * for any text" value="" placeholder="rio-*" />
      <ChoiceField
        name="application"
        label="Application"
        value=""
        any="Any"
        choices={view.applications.map((value) => ({ value, text: value }))}
      />
      <ChoiceField
        name="site"
        label="Site"
        value=""
        any="Any"
        choices={view.sites.map(({ id, name }) => ({ value: id, text: name }))}
      />
      <ChoiceField name="severity" label="Severity" value="" any="Any" choices={severityChoices} />
      <ChoiceField name="forMs" label="For" value={String(hourMs)} choices={lengths} />
      <label className="col-span-2 flex min-w-0 flex-col gap-0.5 text-note text-ink3 wide:col-span-5">
        Reason
        <input
          name="reason"
          required
          maxLength={500}
          placeholder="what is going on, so that others know"
          autoComplete="off"
          className="h-7.5 w-full min-w-0 rounded-button border border-ctl bg-panel px-2 text-dense text-ink placeholder:text-ink3 max-phone:h-11 max-phone:text-body"
        />
      </label>
      <Button type="submit" kind="primary" className="max-phone:col-span-2">
        Silence
      </Button>
    </WorkForm>
  );
}

function Silences({ view }: { view: SilencesView }) {
  return (
    <Table caption="Silences: those that are active or planned first">
      <thead>
        <tr>
          <Th>State</Th>
          <Th>Alerts</Th>
          <Th>Reason</Th>
          <Th>By</Th>
          <Th>From, UTC</Th>
          <Th>Until</Th>
          <Th numeric>Fit now</Th>
          <Th className="w-px">
            <span className="sr-only">What to do</span>
          </Th>
        </tr>
      </thead>
      <tbody>
        {view.items.map((silence) => {
          const runs = silence.state === 'active' || silence.state === 'planned';
          return (
            <Tr key={silence.id} className={runs ? '' : 'text-ink3'}>
              <Td className="whitespace-nowrap">{stateWords[silence.state]}</Td>
              <RowHead className="min-w-40 break-words">{silence.words}</RowHead>
              <Td className="min-w-40 break-words">{silence.reason}</Td>
              <Td>{silence.by}</Td>
              <Td className="whitespace-nowrap">
                <At at={silence.from} />
              </Td>
              <Td className="whitespace-nowrap">
                <At at={silence.endedAt ?? silence.until} />
                {silence.endedBy !== null && ` by ${silence.endedBy}`}
              </Td>
              <Td numeric>{formatNumber(silence.matches)}</Td>
              <Td>
                {runs && (
                  <WorkForm action={`/api/v1/silences/${encodeURIComponent(silence.id)}/end`}>
                    <Button type="submit" small data-row="" aria-label={`End the silence: ${silence.words}`}>
                      End
                    </Button>
                  </WorkForm>
                )}
              </Td>
            </Tr>
          );
        })}
      </tbody>
    </Table>
  );
}

function At({ at }: { at: string }) {
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={formatAbsolute(ms)}>
      {formatDay(ms)} {formatClock(ms)}
    </time>
  );
}
