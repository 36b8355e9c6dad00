import Link from 'next/link';
import { type ReactNode, Suspense } from 'react';
import { LiveUpdates } from './live-updates.tsx';
import { Logo } from './logo.tsx';
import { Nav } from './nav.tsx';
import { SearchBox } from './search-box.tsx';
import { type Theme, ThemeSwitch } from './theme-switch.tsx';

export function TopBar({ theme, range, openAlerts }: { theme: Theme; range: ReactNode; openAlerts: number }) {
  return (
    <header className="sticky top-0 z-30 flex min-h-12 flex-wrap items-center gap-x-4 gap-y-1 max-phone:gap-x-2 border-b border-line bg-panel px-4 max-phone:static max-phone:py-1">
      <Link
        href="/"
        prefetch={false}
        className="inline-flex items-center gap-2.5 max-phone:gap-1.5 text-sentence font-title max-phone:min-h-11"
      >
        <Logo />
        Hopscope
      </Link>
      <div className="max-wide:order-3 max-wide:w-full max-wide:pb-1 wide:contents">
        <Suspense>
          <Nav openAlerts={openAlerts} />
        </Suspense>
      </div>
      <div className="ms-auto flex items-center gap-3 max-phone:gap-0.5">
        <div className="max-phone:hidden">
          <SearchBox />
        </div>
        <Suspense>
          {range}
          <LiveUpdates />
        </Suspense>
        <ThemeSwitch initial={theme} />
      </div>
      <div className="hidden w-full max-phone:order-4 max-phone:flex max-phone:pb-1">
        <SearchBox />
      </div>
    </header>
  );
}
