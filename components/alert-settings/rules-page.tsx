import type { RuleItem, RulesView } from '#lib/views/alert-schemas.ts';
import { chipPhrase, chipWords, severityChoices } from '../alert-page/alert-words.tsx';
import { WorkForm } from '../alert-page/work-form.tsx';
import { AlertTabs } from '../alert-table/alert-tabs.tsx';
import { CopyButton } from '../connect-guide/copy-button.tsx';
import { ChoiceField } from '../hop-head/fields.tsx';
import { PageHead, Sentence } from '../hop-head/page-head.tsx';
import { RowKeys } from '../hop-head/row-keys.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatAbsolute, formatBudget, formatClock, formatDay, plural } from '../ui/format.ts';
import { Panel } from '../ui/panel.tsx';
import { Exports, RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';

const box =
  'h-7.5 w-full min-w-0 rounded-button border border-ctl bg-panel px-2 text-dense text-ink placeholder:text-ink3 max-phone:h-11 max-phone:text-body';

/** When somebody is woken: in plain words, each rule to be changed where it stands. */
export function RulesPage({ view, webUrl }: { view: RulesView; webUrl: string }) {
  const off = view.items.filter((rule) => !rule.enabled);
  const set = view.items.filter((rule) => rule.from === 'page').length;
  return (
    <div className="px-4 pt-3 pb-4">
      <PageHead
        crumbs={[{ text: 'Alerts', href: '/alerts' }, { text: 'Rules' }]}
        title="Rules"
        sentence={
          <Sentence
            text={`${plural(view.items.length - off.length, 'rule')} of ${view.items.length} ${view.items.length - off.length === 1 ? 'looks' : 'look'} out.${off.length > 0 ? ` Off: ${off.map((rule) => chipPhrase(rule.rule)).join(', ')}.` : ''} ${set === 0 ? 'All as the catalogue and hopscope.yaml say.' : `${plural(set, 'rule')} set on this page.`}`}
          />
        }
        actions={<AlertTabs current="/alerts/rules" />}
      />
      <div className="grid gap-2.5 desk:grid-cols-[minmax(0,1fr)_26rem]">
        <Panel
          id="rules"
          title="When somebody is told"
          note="what is set here goes before hopscope.yaml"
          actions={<Exports api="/api/v1/rules" query="" what="Rules" />}
          flush
        >
          <ul className="divide-y divide-line">
            {view.items.map((rule) => (
              <Rule key={rule.rule} rule={rule} />
            ))}
          </ul>
        </Panel>
        <div className="flex min-w-0 flex-col gap-2.5">
          <DeployLine webUrl={webUrl} />
          <Budgets view={view} />
          <Changes view={view} />
        </div>
      </div>
      <RowKeys within="rules" />
    </div>
  );
}

function Rule({ rule }: { rule: RuleItem }) {
  return (
    <li className="grid gap-x-6 gap-y-2 px-3.5 py-3 wide:grid-cols-[minmax(0,1fr)_31rem]">
      <div>
        <h3 className={`text-body font-title ${rule.enabled ? '' : 'text-ink3'}`}>
          {rule.title}
          {!rule.enabled && <span className="font-normal"> (off)</span>}
        </h3>
        <p className="mt-0.5 max-w-[80ch] text-dense text-ink2">{rule.condition}</p>
        <p className="mt-0.5 max-w-[80ch] text-dense text-ink3">Says: {rule.finding}</p>
        <p className="mt-1 text-note text-ink3">{sourceOf(rule)}</p>
      </div>
      <WorkForm
        action="/api/v1/rules"
        className="grid grid-cols-2 content-start items-end gap-2 phone:grid-cols-[1fr_1.4fr_1.2fr_1.2fr_auto]"
      >
        <input type="hidden" name="rule" value={rule.rule} />
        <ChoiceField
          name="enabled"
          label="Looks out"
          value={rule.enabled ? 'on' : 'off'}
          choices={[
            { value: 'on', text: 'On' },
            { value: 'off', text: 'Off' },
          ]}
        />
        <label className="flex min-w-0 flex-col gap-0.5 text-note text-ink3">
          {rule.unit === null ? 'Threshold' : thresholdLabel(rule.unit)}
          <input
            key={String(rule.threshold)}
            name={rule.unit === null ? undefined : 'threshold'}
            type="number"
            min={0}
            step="any"
            disabled={rule.unit === null}
            placeholder={rule.unit === null ? 'none' : undefined}
            defaultValue={rule.threshold ?? undefined}
            className={`${box} disabled:border-line2`}
          />
        </label>
        <ChoiceField name="forMs" label="For at least" value={String(rule.forMs)} choices={lengthsWith(rule.forMs)} />
        <ChoiceField name="severity" label="Severity" value={rule.severity} choices={severityChoices} />
        <div className="flex flex-wrap gap-2 max-phone:col-span-2 max-phone:*:flex-1">
          <Button type="submit" small data-row="" aria-label={`Save: ${rule.title}`}>
            Save
          </Button>
          {rule.from === 'page' && (
            <Button type="submit" small kind="quiet" name="reset" value="true" aria-label={`Set back: ${rule.title}`}>
              Set back
            </Button>
          )}
        </div>
      </WorkForm>
    </li>
  );
}

const lengths = [
  [0, 'at once'],
  [5_000, '5 s'],
  [10_000, '10 s'],
  [30_000, '30 s'],
  [60_000, '1 min'],
  [120_000, '2 min'],
  [300_000, '5 min'],
  [600_000, '10 min'],
  [1_800_000, '30 min'],
  [3_600_000, '1 h'],
].map(([ms, text]) => ({ value: String(ms), text: String(text) }));

/** as it is, even where no choice says so */
const lengthsWith = (ms: number) =>
  lengths.some(({ value }) => value === String(ms))
    ? lengths
    : [...lengths, { value: String(ms), text: `${ms / 1_000} s` }];

/** a share is asked for as it is kept */
const thresholdLabel = (unit: string): string =>
  unit.startsWith('of the') ? `Share ${unit}, 0 to 1` : `Threshold, ${unit}`;

function sourceOf(rule: RuleItem): string {
  if (rule.from !== 'page') return rule.from === 'catalogue' ? 'As the catalogue says.' : 'As hopscope.yaml says.';
  const at = rule.setAt === null ? '' : ` on ${formatAbsolute(Date.parse(rule.setAt))}`;
  return `Set by ${rule.setBy}${at}.`;
}

/** An alert can only name what it was told of, or noticed by itself. */
function DeployLine({ webUrl }: { webUrl: string }) {
  const line = `curl ${webUrl}/api/v1/markers -d id="$BUILD" -d title="Snapshot v42" -d service=factory-events -d version=v42 -d by="$USER"`;
  return (
    <Panel
      id="deploys"
      title="Tell of a deploy"
      note="so that an alert can name it"
      actions={<CopyButton text={line} what="the line" targetId="deploy-line" />}
    >
      <pre
        id="deploy-line"
        className="rounded-button border border-line bg-raised px-3 py-2 font-mono text-note break-all whitespace-pre-wrap text-ink"
      >
        {line}
      </pre>
      <p className="mt-2 text-dense text-ink2">
        The same id again is the same deploy, so a script may try twice. In Node-RED an http request node posts the same
        fields as JSON. New versions and services that answer from another place are noticed without it.
      </p>
    </Panel>
  );
}

function Budgets({ view }: { view: RulesView }) {
  return (
    <Panel id="budgets" title="Budgets" note="first match wins" flush>
      <Table caption="Budgets, in the order they are looked at">
        <thead>
          <tr>
            <Th>Of</Th>
            <Th>Judges</Th>
            <Th numeric>Budget</Th>
            <Th>From</Th>
          </tr>
        </thead>
        <tbody>
          {view.budgets.map((budget) => (
            <Tr key={`${budget.of} ${budget.judges}`}>
              <RowHead className="break-words">{budget.of}</RowHead>
              <Td className="whitespace-nowrap text-ink2">{budget.judges}</Td>
              <Td numeric>{formatBudget(budget.budgetMs)}</Td>
              <Td className="text-ink2">{budget.from}</Td>
            </Tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}

function Changes({ view }: { view: RulesView }) {
  return (
    <Panel id="changes" title="Who changed what" note="newest first" flush>
      {view.history.length === 0 ? (
        <Empty why="Nobody has changed a rule on this page." />
      ) : (
        <ul className="divide-y divide-line text-dense">
          {view.history.map((change, index) => (
            // two changes of one moment may say the same
            // biome-ignore lint/suspicious/noArrayIndexKey: a log only grows
            <li key={index} className="px-3.5 py-1.5">
              <b className="font-strong">{change.by}</b>{' '}
              <time dateTime={change.at} title={formatAbsolute(Date.parse(change.at))} className="text-ink3">
                {formatDay(Date.parse(change.at))} {formatClock(Date.parse(change.at))}
              </time>
              <span className="block text-ink2">
                {chipWords[change.rule]}: {change.text}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
