import { GeistMono } from 'geist/font/mono';
import { GeistSans } from 'geist/font/sans';
import type { Metadata, Viewport } from 'next';
import { cookies } from 'next/headers';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { DemoBanner } from '#components/shell/demo-banner.tsx';
import { Keyboard } from '#components/shell/keyboard.tsx';
import type { Theme } from '#components/shell/theme-switch.tsx';
import { TopBar } from '#components/shell/top-bar.tsx';
import { openAlertCount } from '#lib/views/alerts-view.ts';
import { RangeControl } from './_range-control.tsx';
import { hopscope, viewContext } from './_server.ts';
import './globals.css';

/** Every page shows the store as it is now, to one viewer: nothing is made at build time. */
export const dynamic = 'force-dynamic';

export const metadata: Metadata = {
  title: { default: 'Fleet', template: '%s · Hopscope' },
  description: 'Which hop adds how much latency, and what to do about it.',
  icons: { icon: '/icon.svg' },
};

export const viewport: Viewport = {
  themeColor: [
    { media: '(prefers-color-scheme: dark)', color: '#101418' },
    { media: '(prefers-color-scheme: light)', color: '#ffffff' },
  ],
};

export default async function RootLayout({ children }: { children: ReactNode }) {
  const { config, clock, status } = hopscope();
  const jar = await cookies();
  const chosen = jar.get('theme')?.value;
  const theme: Theme = chosen === 'dark' || chosen === 'light' ? chosen : 'system';
  return (
    <html
      lang="en"
      data-theme={theme === 'system' ? undefined : theme}
      className={`${GeistSans.variable} ${GeistMono.variable}`}
    >
      <body className="flex min-h-dvh flex-col">
        <a
          href="#main"
          className="sr-only rounded-button bg-ink px-3 py-2 text-bg focus:not-sr-only focus:fixed focus:start-4 focus:top-2 focus:z-50"
        >
          Skip to the page
        </a>
        <TopBar
          theme={theme}
          range={<RangeControl startMs={Number(clock() / 1_000_000n)} />}
          openAlerts={openAlertCount(await viewContext())}
        />
        {config.demo && jar.get('demo-note')?.value !== 'closed' && <DemoBanner />}
        <main id="main" tabIndex={-1} className="flex-1 outline-none">
          {children}
        </main>
        <footer className="flex flex-wrap items-center gap-x-4 px-4 pb-2 text-dense text-ink3">
          <span>Hopscope {status.version}</span>
          <Link
            href="/status"
            prefetch={false}
            className="inline-flex min-h-6 items-center text-acc hover:underline max-phone:min-h-11"
          >
            Status
          </Link>
          <Keyboard />
        </footer>
      </body>
    </html>
  );
}
