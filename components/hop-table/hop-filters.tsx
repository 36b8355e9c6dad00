import type { HopsView } from '#lib/views/schemas.ts';
import { ChoiceField, Hidden, TextField } from '../hop-head/fields.tsx';
import { siteName } from '../hop-head/site-name.ts';
import { Button, ButtonLink } from '../ui/button.tsx';
import { linkTo, rangeQuery } from '../ui/link-to.ts';
import { choicesOf, type HopsQuery, isFiltered } from './hops-query.ts';

const verdicts = [
  { value: 'over', text: 'Over budget' },
  { value: 'move', text: 'Move' },
  { value: 'fix-path', text: 'Fix the path' },
  { value: 'unanswered', text: 'Unanswered' },
  { value: 'cannot-tell', text: 'Cannot tell' },
  { value: 'noticeable', text: 'Noticeable' },
  { value: 'ok', text: 'Within budget' },
  { value: 'no-data', text: 'No data' },
];

const same = (value: string) => ({ value, text: value });

/** The phone starts with the answer: what the text finds as well stays away until it is in use. */
const onPhone = (value: string): string => (value === '' ? 'max-phone:hidden' : '');

/** One GET form: the URL is the filter. */
export function HopFilters({
  view,
  query,
  siteNames,
}: {
  view: HopsView;
  query: HopsQuery;
  siteNames: Record<string, string>;
}) {
  const { applications, services, sites } = choicesOf(view.items);
  return (
    <form
      action="/hops"
      className="grid grid-cols-2 items-end gap-2 border-b border-line px-3.5 py-2.5 phone:grid-cols-3 wide:flex wide:flex-wrap"
    >
      <Hidden values={rangeQuery(view.range)} />
      {query.sort !== 'worst' && <Hidden values={[['sort', query.sort]]} />}
      {query.path !== '' && <Hidden values={[['path', query.path]]} />}
      {query.reverse && <Hidden values={[['order', 'reverse']]} />}
      <TextField
        name="q"
        label="Find"
        type="search"
        value={query.text}
        placeholder="service, topic, path"
        className="wide:w-52"
      />
      <ChoiceField
        name="application"
        label="Application"
        value={query.application}
        any="All"
        choices={applications.map(same)}
        className={`wide:w-32 ${onPhone(query.application)}`}
      />
      <ChoiceField
        name="service"
        label="Service"
        value={query.service}
        any="All"
        choices={services.map(same)}
        className={`wide:w-40 ${onPhone(query.service)}`}
      />
      <ChoiceField
        name="site"
        label="Site"
        value={query.site}
        any="All"
        choices={sites.map((site) => ({ value: site, text: siteNames[site] ?? siteName(site) }))}
        className={`wide:w-36 ${onPhone(query.site)}`}
      />
      <ChoiceField
        name="verdict"
        label="Verdict"
        value={query.verdict}
        any="All"
        choices={verdicts}
        className="wide:w-36"
      />
      <div className="flex gap-2 max-phone:col-span-2 max-phone:*:flex-1">
        <Button type="submit">Filter</Button>
        {isFiltered(query) && (
          <ButtonLink kind="quiet" href={linkTo('/hops', view.range)}>
            Clear
          </ButtonLink>
        )}
      </div>
    </form>
  );
}
