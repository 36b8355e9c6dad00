import type { Metadata } from 'next';
import Link from 'next/link';
import { SearchBox } from '#components/shell/search-box.tsx';
import { TextLink } from '#components/ui/button.tsx';
import { Empty } from '#components/ui/empty.tsx';
import { plural } from '#components/ui/format.ts';
import { PageTitle } from '#components/ui/page-title.tsx';
import { Panel } from '#components/ui/panel.tsx';
import { readQuery } from '#lib/views/query.ts';
import type { SearchView } from '#lib/views/schemas.ts';
import { searchQuerySchema, searchView } from '#lib/views/search-view.ts';
import { type Asked, ask } from '../_ask.tsx';

export const metadata: Metadata = { title: 'Search' };

const kinds: Record<SearchView['items'][number]['kind'], string> = {
  trace: 'Traces',
  device: 'Devices',
  path: 'Request paths',
  service: 'Services',
  hop: 'Hops',
  topic: 'Topics',
};

/** ?q */
export default async function SearchPage({ searchParams }: { searchParams: Asked }) {
  const asked = await searchParams;
  const { view, trouble } = await ask((context) => searchView(context, readQuery(searchQuerySchema, asked)));
  if (view === null) return trouble;
  const groups = [...Map.groupBy(view.items, (item) => item.kind)];
  return (
    <>
      <PageTitle
        title={view.query === '' ? 'Search' : `Search: ${view.query}`}
        sentence={
          view.query === ''
            ? 'A part of a name, or a trace id of 16 or 32 hex digits.'
            : view.items.length > 0
              ? `${plural(view.items.length, 'result')}, best first.`
              : undefined
        }
      />
      <div className="flex max-w-240 flex-col gap-2.5 p-4 pt-0">
        {view.query === '' && <SearchBox name="Search for a name or id" />}
        {view.query !== '' && view.items.length === 0 && (
          <Panel id="nothing" title="Nothing found" flush>
            <Empty why={`No hop, trace, topic, device, service or path is called anything like "${view.query}".`}>
              Names are matched by any part of them, in either case. Topics are searched over the last hour, the rest
              over a day. Or look through the <TextLink href="/hops">hops</TextLink>,{' '}
              <TextLink href="/traces">traces</TextLink>, <TextLink href="/topics">topics</TextLink> or{' '}
              <TextLink href="/devices">devices</TextLink>.
            </Empty>
          </Panel>
        )}
        {groups.map(([kind, items]) => (
          <Panel key={kind} id={kind} title={kinds[kind]} note={String(items.length)} flush>
            <ul className="divide-y divide-line">
              {items.map((item) => (
                <li key={item.href + item.title}>
                  <Link
                    href={item.href}
                    prefetch={false}
                    className="flex min-h-9 flex-wrap items-center gap-x-4 px-3.5 py-1.5 hover:bg-hover max-phone:min-h-12"
                  >
                    <span
                      className={`wrap-anywhere font-control ${kind === 'topic' || kind === 'device' ? 'font-mono text-dense' : ''}`}
                    >
                      {item.title}
                    </span>
                    <span className="text-dense text-ink3">{item.detail}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </Panel>
        ))}
      </div>
    </>
  );
}
