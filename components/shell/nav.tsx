'use client';

import Link, { useLinkStatus } from 'next/link';
import { usePathname, useSearchParams } from 'next/navigation';
import { VerdictMark } from '../verdict-badge/verdict-mark.tsx';

const pages = [
  { path: '/', name: 'Fleet', key: 'g f' },
  { path: '/hops', name: 'Hops', key: 'g h' },
  { path: '/paths', name: 'Paths', key: 'g r' },
  { path: '/traces', name: 'Traces', key: 'g t' },
  { path: '/topics', name: 'Topics', key: 'g o' },
  { path: '/devices', name: 'Devices', key: 'g d' },
  { path: '/alerts', name: 'Alerts', key: 'g a' },
];

/** The last data stays on screen while the next page is asked for; only this bar moves. */
export function PendingBar() {
  const { pending } = useLinkStatus();
  return pending ? (
    <span aria-hidden="true" className="fixed inset-x-0 top-0 z-50 block h-0.5 overflow-hidden">
      <span className="block h-full w-1/4 animate-[slide-bar_1s_linear_infinite] bg-acc" />
    </span>
  ) : null;
}

/** The range goes along from page to page; filters stay behind. `openAlerts`: how many wait for somebody or are not over. */
export function Nav({ openAlerts }: { openAlerts: number }) {
  const pathname = usePathname();
  const params = useSearchParams();
  const kept = new URLSearchParams();
  for (const name of ['from', 'to', 'refresh']) {
    const value = params.get(name);
    if (value) kept.set(name, value);
  }
  const query = kept.toString();
  return (
    <nav aria-label="Main" className="flex items-center gap-1 max-phone:-mx-1 max-phone:overflow-x-auto">
      {pages.map((page) => {
        const current = page.path === '/' ? pathname === '/' : pathname.startsWith(page.path);
        return (
          <Link
            key={page.path}
            href={query ? `${page.path}?${query}` : page.path}
            prefetch={false}
            data-key={page.key}
            aria-keyshortcuts={page.key}
            aria-current={current ? 'page' : undefined}
            // a phone shows the first few: what is open is one of them
            className={`relative ${page.path === '/alerts' && openAlerts > 0 ? 'max-phone:order-first' : ''} inline-flex h-7 items-center rounded-button border px-2.5 font-control max-phone:h-11 max-phone:px-3 ${
              current ? 'border-line bg-raised text-ink' : 'border-transparent text-ink2 hover:bg-hover hover:text-ink'
            }`}
          >
            {page.name}
            {page.path === '/alerts' && openAlerts > 0 && (
              <span className="ms-1.5 inline-flex items-center gap-1 font-strong text-over">
                <VerdictMark mark="over" size={10} decorative />
                {openAlerts}
                <span className="sr-only">open</span>
              </span>
            )}
            <PendingBar />
          </Link>
        );
      })}
    </nav>
  );
}
