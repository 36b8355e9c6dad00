import type { RangeView } from '#lib/views/schemas.ts';
import { Button, ButtonLink } from '../ui/button.tsx';
import { linkTo, rangeQuery } from '../ui/link-to.ts';
import { ChoiceField, Hidden, TextField } from './fields.tsx';
import type { Choices, ListQuery } from './list-query.ts';
import { siteName } from './site-name.ts';

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
export function ListFilters({
  page,
  range,
  query,
  also,
  placeholder,
  choices: { applications, services, sites },
  without = '',
  siteNames,
  isFiltered,
}: {
  page: string;
  range: RangeView;
  query: ListQuery;
  /** what the list is narrowed by besides, and keeps: name and value */
  also: readonly [name: string, value: string];
  placeholder: string;
  choices: Choices;
  /** a verdict that nothing in this list can have */
  without?: string;
  siteNames: Record<string, string>;
  isFiltered: boolean;
}) {
  return (
    <form
      action={page}
      className="grid grid-cols-2 items-end gap-2 border-b border-line px-3.5 py-2.5 phone:grid-cols-3 wide:flex wide:flex-wrap"
    >
      <Hidden values={rangeQuery(range)} />
      {query.sort !== 'worst' && <Hidden values={[['sort', query.sort]]} />}
      {also[1] !== '' && <Hidden values={[[also[0], also[1]]]} />}
      {query.reverse && <Hidden values={[['order', 'reverse']]} />}
      <TextField
        name="q"
        label="Find"
        type="search"
        value={query.text}
        placeholder={placeholder}
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
        choices={verdicts.filter(({ value }) => value !== without)}
        className="wide:w-36"
      />
      <div className="flex gap-2 max-phone:col-span-2 max-phone:*:flex-1">
        <Button type="submit">Filter</Button>
        {isFiltered && (
          <ButtonLink kind="quiet" href={linkTo(page, range)}>
            Clear
          </ButtonLink>
        )}
      </div>
    </form>
  );
}
