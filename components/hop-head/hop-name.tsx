import type { HopItem } from '#lib/views/schemas.ts';
import { siteName } from './site-name.ts';

/** "line-button Hannover → factory-events Ashburn" */
export function HopName({ hop }: { hop: Pick<HopItem, 'from' | 'to'> }) {
  return (
    <>
      {hop.from.service} <span className="font-normal text-ink3">{siteName(hop.from.site)} →</span> {hop.to.service}{' '}
      <span className="font-normal text-ink3">{siteName(hop.to.site)}</span>
    </>
  );
}

export const hopTitle = (hop: Pick<HopItem, 'from' | 'to'>): string =>
  `${hop.from.service} ${siteName(hop.from.site)} → ${hop.to.service} ${siteName(hop.to.site)}`;

/** The hop with the names people gave their sites; for display only, links and filters keep the ids. */
export function withSiteNames(hop: HopItem, names: Record<string, string>): HopItem {
  const name = (site: string) => names[site] ?? site;
  return {
    ...hop,
    from: { ...hop.from, site: name(hop.from.site) },
    to: { ...hop.to, site: name(hop.to.site) },
    legsMs: hop.legsMs && { ...hop.legsMs, brokerSite: name(hop.legsMs.brokerSite) },
  };
}
