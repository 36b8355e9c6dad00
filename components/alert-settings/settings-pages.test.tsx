import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it, vi } from 'vitest';
import type { DeliveryView, RulesView, SilencesView } from '#lib/views/alert-schemas.ts';
import { DeliveryPage } from './delivery-page.tsx';
import { RulesPage } from './rules-page.tsx';
import { SilencesPage } from './silences-page.tsx';

vi.mock('next/navigation', () => ({ useRouter: () => ({ refresh: () => {} }) }));

const words = (html: string) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/[\s\u00a0]+/g, ' ');
const now = '2026-11-21T03:02:00.000Z';

const silences: SilencesView = {
  now,
  items: [
    {
      id: 's1',
      matcher: { application: 'factory' },
      words: 'Any alert, in factory',
      reason: 'the rack is moved',
      by: 'M. Keller',
      from: '2026-11-21T02:00:00.000Z',
      until: '2026-11-21T04:00:00.000Z',
      state: 'active',
      endedBy: null,
      endedAt: null,
      matches: 2,
    },
  ],
  applications: ['factory'],
  sites: [{ id: 'hannover', name: 'Hannover' }],
  emptyReason: null,
};

describe('silences', () => {
  it('say what is held back, by whom and why, and can be ended', () => {
    const html = renderToStaticMarkup(<SilencesPage view={silences} />);
    expect(words(html)).toContain('1 silence is active. 2 alerts that are not resolved are not sent.');
    expect(words(html)).toContain('Any alert, in factory the rack is moved M. Keller');
    expect(html).toContain('action="/api/v1/silences/s1/end"');
    expect(html).toMatch(/<input (?=[^>]*required="")[^>]*name="reason"/);
  });

  it('that are over stay as history and end no more', () => {
    const over = { ...silences, items: silences.items.map((each) => ({ ...each, state: 'over' as const })) };
    const html = renderToStaticMarkup(<SilencesPage view={over} />);
    expect(words(html)).toContain('Nothing is silenced: whatever fires is sent.');
    expect(html).not.toContain('/end"');
  });
});

const rules: RulesView = {
  items: [
    {
      rule: 'clock-stepped',
      title: 'A clock stepped',
      condition: 'The clock of a device jumped by 35 ms or more.',
      finding: 'Which clock, by how much, when.',
      unit: 'ms',
      threshold: 35,
      forMs: 45_000,
      severity: 'warning',
      enabled: true,
      from: 'page',
      setBy: 'M. Keller',
      setAt: now,
    },
    {
      rule: 'device-down',
      title: 'A device is down',
      condition: 'Its Last Will says so.',
      finding: 'Since when.',
      unit: null,
      threshold: null,
      forMs: 5_000,
      severity: 'critical',
      enabled: false,
      from: 'hopscope.yaml',
      setBy: null,
      setAt: null,
    },
  ],
  budgets: [{ of: 'path button press', judges: 'end to end', budgetMs: 10, from: 'hopscope.yaml' }],
  history: [{ at: now, by: 'M. Keller', rule: 'clock-stepped', text: 'on, 35 ms' }],
};

describe('rules', () => {
  const html = renderToStaticMarkup(<RulesPage view={rules} webUrl="http://localhost:3000" />);

  it('stand in plain words with where they come from, and are changed where they stand', () => {
    const text = words(html);
    expect(text).toContain('1 rule of 2 looks out. Off: device down. 1 rule set on this page.');
    expect(text).toContain('The clock of a device jumped by 35 ms or more.');
    expect(text).toContain('Set by M. Keller on 21 Nov 2026 03:02:00 UTC.');
    expect(text).toContain('As hopscope.yaml says.');
    expect(html.match(/action="\/api\/v1\/rules"/g)).toHaveLength(2);
    expect(html).toContain('aria-label="Set back: A clock stepped"');
    expect(html).not.toContain('aria-label="Set back: A device is down"');
  });

  it('offer no threshold where there is none, and lose no length that is not among the choices', () => {
    expect(html.match(/name="threshold"/g)).toHaveLength(1);
    expect(words(html)).toContain('45 s');
  });

  it('list budgets with where they come from, and how to tell of a deploy', () => {
    expect(words(html)).toContain('path button press end to end 10 ms hopscope.yaml');
    expect(words(html)).toContain('curl http://localhost:3000/api/v1/markers');
  });
});

const delivery: DeliveryView = {
  now,
  targets: [
    {
      name: 'on-call',
      kind: 'ntfy',
      address: 'https://ntfy.example.com/…',
      waiting: 1,
      lastSent: null,
      lastError: 'answered 503',
    },
  ],
  routes: ['Critical goes to on-call.'],
  items: [
    {
      id: 1,
      target: 'on-call',
      alertId: 'a1',
      title: 'Button press takes 105 ms. Budget is 10 ms.',
      status: 'firing',
      state: 'waiting',
      attempts: 2,
      error: 'answered 503',
      createdAt: '2026-11-21T03:00:00.000Z',
      dueAt: now,
      doneAt: null,
    },
  ],
  emptyReason: null,
};

describe('delivery', () => {
  it('says whether it goes through, by which routes, and sends a test', () => {
    const html = renderToStaticMarkup(<DeliveryPage view={delivery} />);
    const text = words(html);
    expect(text).toContain('The last message to on-call did not go through. 1 message waits to be sent.');
    expect(text).toContain('Critical goes to on-call.');
    expect(text).toContain('https://ntfy.example.com/…');
    expect(html).toContain('action="/api/v1/delivery/on-call/test"');
    expect(html).toContain('href="/alerts/a1"');
  });

  it('says how to set a target where there is none', () => {
    const none = { ...delivery, targets: [], routes: [], items: [], emptyReason: 'Nobody is told.' };
    const text = words(renderToStaticMarkup(<DeliveryPage view={none} />));
    expect(text).toContain('Nobody is told: no target is set.');
    expect(text).toContain('delivery: targets:');
  });
});
