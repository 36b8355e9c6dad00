import type { PathsView } from '#lib/views/schemas.ts';
import { ChoiceField, Hidden, TextField } from '../hop-head/fields.tsx';
import { Button, ButtonLink } from '../ui/button.tsx';
import { linkTo, rangeQuery } from '../ui/link-to.ts';
import { placeName, type SiteNames } from './path-words.tsx';
import { choicesOf, isFiltered, type PathsQuery } from './paths-query.ts';

const verdicts = [
  { value: 'over', text: 'Over budget' },
  { value: 'move', text: 'Move' },
  { value: 'fix-path', text: 'Fix the path' },
  { value: 'cannot-tell', text: 'Cannot tell' },
  { value: 'noticeable', text: 'Noticeable' },
  { value: 'ok', text: 'Within budget' },
  { value: 'no-data', text: 'No data' },
];

const same = (value: string) => ({ value, text: value });

/** The phone starts with the answer: what the text finds as well stays away until it is in use. */
const onPhone = (value: string): string => (value === '' ? 'max-phone:hidden' : '');

/** One GET form: the URL is the filter. */
export function PathFilters({ view, query, siteNames }: { view: PathsView; query: PathsQuery; siteNames: SiteNames }) {
  const { applications, services, sites } = choicesOf(view.items);
  return (
    <form
      action="/paths"
      className="grid grid-cols-2 items-end gap-2 border-b border-line px-3.5 py-2.5 phone:grid-cols-3 wide:flex wide:flex-wrap"
    >
      <Hidden values={rangeQuery(view.range)} />
      {query.sort !== 'worst' && <Hidden values={[['sort', query.sort]]} />}
      {query.hop !== '' && <Hidden values={[['hop', query.hop]]} />}
      {query.reverse && <Hidden values={[['order', 'reverse']]} />}
      <TextField
        name="q"
        label="Find"
        type="search"
        value={query.text}
        placeholder="path, service, site"
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
        choices={sites.map((site) => ({ value: site, text: placeName(site, siteNames) }))}
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
          <ButtonLink kind="quiet" href={linkTo('/paths', view.range)}>
            Clear
          </ButtonLink>
        )}
      </div>
    </form>
  );
}
