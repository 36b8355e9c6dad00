import type { RangeView } from '#lib/views/schemas.ts';

type Value = string | number | boolean | null | undefined;

/** What a page that was asked for nothing shows (lib/views/range.ts); not repeated in links to it. */
const plainFromOf = (path: string): string => (path.startsWith('/alerts') ? 'now-7d' : 'now-15m');

/** A link that keeps the range as it was asked for: "now-1h" stays relative. Empty values are left out. */
export function linkTo(
  path: string,
  range: Pick<RangeView, 'fromText' | 'toText'>,
  extra: Record<string, Value> = {},
): string {
  const query = rangeQuery(range, path);
  for (const [name, value] of Object.entries(extra)) {
    if (value !== null && value !== undefined && value !== '' && value !== false) query.set(name, String(value));
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

export function rangeQuery(range: Pick<RangeView, 'fromText' | 'toText'>, path = ''): URLSearchParams {
  const query = new URLSearchParams();
  if (range.fromText === plainFromOf(path) && range.toText === 'now') return query;
  query.set('from', range.fromText);
  query.set('to', range.toText);
  return query;
}

/** "last 15 min", or "21 Nov 02:12 to 03:12 UTC" is the picker's; panels only need the relative words. */
export function rangeWords(range: Pick<RangeView, 'fromText' | 'toText' | 'fromMs' | 'toMs'>): string {
  const match = /^now-(\d+)([smhd])$/.exec(range.fromText);
  const units: Record<string, string> = { s: 's', m: 'min', h: 'h', d: 'd' };
  if (match && range.toText === 'now') return `last ${match[1]} ${units[match[2]!]}`;
  return 'the chosen range';
}
