import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import type { StatusView } from '#lib/views/schemas.ts';
import { statusStory } from '../fixtures/pages.ts';
import { nowMs } from '../fixtures/story.ts';
import { StatusBoard } from './status-board.tsx';

const words = (view: StatusView): string =>
  renderToStaticMarkup(<StatusBoard view={view} nowMs={nowMs} />)
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/[\s\u00a0]+/g, ' ');

const [here] = statusStory.collectors as [StatusView['collectors'][number]];
const ago = (seconds: number): string => new Date(nowMs - seconds * 1_000).toISOString();
const elsewhere = (host: string, more: Partial<typeof here>): typeof here => ({
  ...here,
  id: `${host}-0123456789`,
  host,
  heard: ago(2),
  ...more,
});

it('one process shows its collector in the books alone, and asks nobody whose a listener is', () => {
  const page = words(statusStory);
  expect(page).toContain('7c6b2f1e receives now');
  expect(page).not.toContain('Last heard');
  expect(page).not.toContain('this process');
});

it('several show who receives where, who is silent since when, and whose each listener and broker is', () => {
  const page = words({
    ...statusStory,
    collectors: [
      elsewhere('dublin', { state: 'silent', current: false, heard: ago(180) }),
      elsewhere('ashburn', { state: 'stopped', current: false, heard: ago(7_200) }),
      elsewhere('hannover', { reasons: ['the disk is full'] }),
    ],
    warnings: ['the collector dublin-0 on dublin was last heard at 03:02 UTC, with 12 items in its spool'],
    listeners: [
      {
        name: 'OTLP over HTTP',
        collector: 'hannover-0123456789',
        address: '10.0.0.7:4318',
        state: 'listening',
        refused: {},
        repeats: null,
      },
      {
        name: 'OTLP over gRPC',
        collector: 'hannover-0123456789',
        address: null,
        state: 'off',
        refused: {},
        repeats: null,
      },
    ],
    brokers: [{ ...statusStory.brokers[0]!, collector: 'dublin-0123456789', state: 'not heard' }],
  });
  expect(page).toContain('1 of 3 collectors is silent, 1 is not ready.');
  expect(page).toContain('The collector dublin-0 on dublin was last heard at 03:02 UTC, with 12 items in its spool.');
  expect(page).toContain('dublin dublin-0 silent for 3 min: figures of its last word');
  expect(page).toContain('ashburn ashburn- stopped 2 h ago');
  expect(page).toContain('OTLP over HTTP hannover hannover 10.0.0.7:4318 listening');
  expect(page).toContain('broker-dublin dublin dublin-0 not heard');
  // what is switched off elsewhere is no news
  expect(page).not.toContain('OTLP over gRPC');
});
