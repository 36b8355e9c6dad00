import * as z from 'zod';
import { parseTraceId, spanIdHex } from '../domain/ids.ts';
import { pathIdOf } from '../domain/request-path.ts';
import type { ViewContext } from './context.ts';
import type { SearchView } from './schemas.ts';
import { maySee } from './viewer.ts';
import { seesDevice, seesHop, topicScope, visibleServices } from './visibility.ts';
import { sayCount } from './words.ts';

export const searchQuerySchema = z.object({
  q: z
    .string()
    .max(200, 'wanted at most 200 characters')
    .optional()
    .transform((text) => text?.trim() ?? '')
    .describe('part of a name, or a trace id of 16 or 32 hex digits'),
});
export type SearchQuery = z.output<typeof searchQuerySchema>;

type Found = SearchView['items'][number];
type Ranked = Found & { rank: number; weight: number };

const most = 20;
/** what has been seen lately can be found */
const lookBackMs = 86_400_000;

/** Hops, traces, topics, devices, services and paths by name: exact first, then what begins so, then what contains it. */
export async function searchView(context: ViewContext, query: SearchQuery): Promise<SearchView> {
  const text = query.q.toLowerCase();
  if (text === '') return { query: query.q, items: [] };
  const { store, viewer, rules, nowMs } = context;
  const [trace, hops, topics, devices, services, names] = await Promise.all([
    findTrace(context, query.q),
    store.hopIdentities(),
    store.topicWindows(nowMs - 3_600_000, nowMs + 60_000),
    store.devices(),
    store.services(),
    store.rootNames(nowMs - lookBackMs, nowMs + 60_000),
  ]);
  const scope = topicScope(viewer, rules, services, devices);
  const found: Ranked[] = [];
  const add = (item: Found, names_: string[], weight: number): void => {
    const rank = Math.max(...names_.map((name) => rankOf(name.toLowerCase(), text)));
    if (rank > 0) found.push({ ...item, rank, weight });
  };

  for (const device of devices) {
    if (!seesDevice(viewer, device)) continue;
    const title = device.name || device.id;
    add(
      {
        kind: 'device',
        title,
        detail: `${device.site}, ${device.state}`,
        href: `/devices/${encodeURIComponent(device.id)}`,
      },
      [title, device.id],
      5,
    );
  }
  for (const { rootName, application, count } of names) {
    if (!maySee(viewer, application)) continue;
    const href = `/paths/${pathIdOf({ rootName, application })}?from=now-24h&to=now`;
    add(
      { kind: 'path', title: rootName, detail: `${application}, ${sayCount(count, 'request')} in 24 h`, href },
      [rootName],
      4,
    );
  }
  for (const { service, application, sites } of visibleServices(viewer, services)) {
    const href = `/hops?service=${encodeURIComponent(service)}`;
    add({ kind: 'service', title: service, detail: [application, ...sites].join(', '), href }, [service], 3);
  }
  for (const hop of hops) {
    if (!seesHop(viewer, hop)) continue;
    const id = spanIdHex(hop.hop);
    const title = `${hop.from.service} → ${hop.to.service}`;
    const detail = `${hop.from.site} → ${hop.to.site}, ${[hop.system, hop.destination].filter(Boolean).join(' ')}`;
    add(
      { kind: 'hop', title, detail, href: `/hops/${id}` },
      [title, hop.from.service, hop.to.service, hop.destination, id],
      2,
    );
  }
  for (const topic of topics) {
    if (!scope.sees(topic)) continue;
    const href = `/topics?search=${encodeURIComponent(topic.topic)}`;
    add(
      {
        kind: 'topic',
        title: topic.topic,
        detail: `${topic.broker}, ${sayCount(topic.messages, 'message')} in 1 h`,
        href,
      },
      [topic.topic],
      1,
    );
  }

  found.sort(
    (a, b) =>
      b.rank - a.rank || b.weight - a.weight || a.title.length - b.title.length || a.title.localeCompare(b.title),
  );
  const items = [...trace, ...found.map(({ rank: _rank, weight: _weight, ...item }) => item)];
  return { query: query.q, items: items.slice(0, most) };
}

/** 4 the whole name, 3 its beginning, 2 the beginning of a word in it, 1 somewhere, 0 not at all. */
export function rankOf(name: string, text: string): 0 | 1 | 2 | 3 | 4 {
  const at = name.indexOf(text);
  if (at < 0) return 0;
  if (name === text) return 4;
  if (at === 0) return 3;
  for (let i = at; i >= 0; i = name.indexOf(text, i + 1)) {
    if (/[^\p{L}\p{N}]/u.test(name[i - 1]!)) return 2;
  }
  return 1;
}

async function findTrace({ store, viewer }: ViewContext, text: string): Promise<Found[]> {
  const words = parseTraceId(text);
  if (!words) return [];
  const [row] = await store.traceRows([text.padStart(32, '0')]);
  if (!row || !maySee(viewer, row.application)) return [];
  const detail = `${row.rootService}, ${row.rootSite}, ${sayCount(row.spans, 'span')}`;
  return [{ kind: 'trace', title: row.rootName, detail, href: `/traces/${row.traceId}` }];
}
