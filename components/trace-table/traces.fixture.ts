import type { TraceItem, TracesView } from '#lib/views/schemas.ts';
import { lastHour, storyNowMs } from '../hop-detail/hop.fixture.ts';

const names: [name: string, service: string, site: string, application: string, ms: number][] = [
  ['button press', 'line-button', 'hannover', 'factory', 105.2],
  ['tools/call query_history', 'kiosk', 'hannover', 'data', 345],
  ['wafer inspect', 'wafer-inspect', 'san-francisco', 'factory', 962.4],
  ['wafer order', 'wafer-order', 'san-francisco', 'factory', 94.1],
  ['camera snapshot', 'local-llm', 'funabashi', 'vision', 820.6],
  ['shift report', 'reports', 'ashburn', 'erp', 12_431],
];

export const tracesStory: TracesView = {
  range: lastHour,
  items: Array.from({ length: 24 }, (_, index): TraceItem => {
    const [rootName, rootService, site, application, ms] = names[(index * 5) % names.length]!;
    return {
      traceId: (0x5e2b91c7d04e4f0fa1b2c3d4e5f64a0dn + BigInt(index) * 0x1234567890abcdefn).toString(16),
      startedAt: new Date(storyNowMs - index * 4_700).toISOString(),
      durationMs: ms * (0.9 + ((index * 7) % 5) / 20),
      rootName: index === 7 ? '' : rootName,
      rootService,
      site,
      application,
      hasRoot: index !== 7,
      spans: 4 + ((index * 3) % 17),
      errors: index % 9 === 4 ? 2 : 0,
    };
  }),
  nextCursor: '1795230000000000000',
  services: ['erp', 'factory-events', 'gateway', 'kiosk', 'line-button', 'mcp', 'questdb-handler'],
  rootNames: names.map(([name]) => name),
  emptyReason: null,
};

export const noTraces: TracesView = {
  ...tracesStory,
  items: [],
  nextCursor: null,
  emptyReason: 'No trace of this range fits the filter.',
};
