import Link from 'next/link';
import type { FleetView, Mark } from '#lib/views/schemas.ts';
import { TextLink } from '../ui/button.tsx';
import { Duration } from '../ui/duration.tsx';
import { formatBound, latencyFigure, nbsp } from '../ui/format.ts';
import { linkTo } from '../ui/link-to.ts';
import { markTextClass, markWords, VerdictMark } from '../verdict-badge/verdict-mark.tsx';
import { arcBetween, bleed, fleetProjection, landHref, mapHeight, mapWidth } from './map-geometry.ts';
import { type Box, placePills, placeSiteLabels } from './map-labels.ts';
import { edgeWithin, type SitePair, sitePairs } from './site-pairs.ts';
import { siteLine, siteWords } from './site-words.ts';

type Site = FleetView['sites'][number];
type PlacedSite = Site & { lat: number; lon: number };

/** weight and dash carry severity, colour comes last */
const arcLook: Record<Mark, { width: number; dash?: string; opacity?: number }> = {
  'no-data': { width: 1.2, dash: '1 5' },
  ok: { width: 1.6, opacity: 0.85 },
  'cannot-tell': { width: 2, dash: '5 4' },
  noticeable: { width: 2.2, dash: '11 3' },
  over: { width: 3.6 },
};

/** above this many arcs only those with something to say keep their label */
const mostLabels = 12;

export const isPlaced = (site: Site): site is PlacedSite => site.lat !== null && site.lon !== null;

export function pairText(pair: SitePair): { value: string; bound: string | null; unit: string } {
  const { p95 } = pair.slower.addedMs;
  const figure = latencyFigure(p95, pair.slower.boundMs);
  return { value: figure.text, bound: formatBound(p95, pair.slower.boundMs), unit: p95 === null ? '' : figure.unit };
}

const percentX = (x: number) => `${Math.round((x / mapWidth) * 10_000) / 100}%`;
const percentY = (y: number) => `${Math.round((y / mapHeight) * 10_000) / 100}%`;

/**
 * Lines are SVG, words are HTML laid over it: they keep their size at every width, zoom and wrap like text, and every
 * one of them is a link or a disclosure.
 */
export function FleetMap({ view }: { view: FleetView }) {
  const sites = view.sites.filter(isPlaced);
  const names = new Map(view.sites.map((site) => [site.id, site.name]));
  const byId = new Map(sites.map((site) => [site.id, site]));
  const map = fleetProjection(sites);
  const pairs = sitePairs(view.edges).flatMap((pair) => {
    const [a, b] = [byId.get(pair.a), byId.get(pair.b)];
    return a && b ? [{ ...pair, arc: arcBetween(a, b, map) }] : [];
  });
  const placed = sites.map((site) => ({
    ...site,
    at: map.project(site.lon, site.lat),
    words: siteWords(site, view.devices),
  }));
  const labels = placeSiteLabels(
    placed.map((site) => ({
      id: site.id,
      at: site.at,
      lines: [site.name, siteLine(site.words), ...(site.broker ? ['MQTT broker'] : [])],
    })),
    pairs.map((pair) => pair.arc.samples),
  );
  const tags = pairs.flatMap((pair) =>
    pair.arc.cuts.map((cut) => {
      const name = names.get(cut.towards === 'to' ? pair.b : pair.a)!;
      const text = cut.side === 'right' ? `to ${name} →` : `← to ${name}`;
      const y = Math.max(12, cut.y - 16);
      const width = text.length * 6.4 + 10;
      const box: Box = { left: cut.side === 'left' ? 4 : mapWidth - 4 - width, top: y - 9, width, height: 18 };
      return { key: `${pair.id} ${cut.side}`, text, y, side: cut.side, box };
    }),
  );
  const labelled = pairs.filter(
    (pair) => pairs.length <= mostLabels || (pair.mark !== 'ok' && pair.mark !== 'no-data'),
  );
  const pills = placePills(
    labelled.toReversed().map((pair) => {
      const text = pairText(pair);
      return { id: pair.id, text: `${text.value} ${text.bound ?? ''} ${text.unit}`, samples: pair.arc.samples };
    }),
    labels,
    placed.map((site) => site.at),
    tags.map((tag) => tag.box),
  );
  const describe = (pair: SitePair) => {
    const text = pairText(pair);
    return `${names.get(pair.slower.from)} to ${names.get(pair.slower.to)}: ${markWords[pair.mark]}, p95 ${text.value} ${text.bound ?? ''} ${text.unit}${pair.slower.halfRoundTrip ? ', half of a round trip' : ''}. Open its worst hop`;
  };
  const hopHref = (hopId: string) => linkTo(`/hops/${hopId}`, view.range);

  return (
    <div className="@container flex flex-1 items-center overflow-hidden bg-sea max-phone:hidden">
      <div className="relative w-full" style={{ aspectRatio: `${mapWidth} / ${mapHeight}` }}>
        <div
          aria-hidden="true"
          className="absolute inset-x-0 bg-land"
          style={{
            top: `${(-100 * bleed) / mapHeight}%`,
            bottom: `${(-100 * bleed) / mapHeight}%`,
            mask: `url("${landHref(map.frame)}") 0 0 / 100% 100% no-repeat`,
          }}
        />
        <svg
          viewBox={`0 0 ${mapWidth} ${mapHeight}`}
          className="absolute inset-0 size-full overflow-visible"
          role="img"
          aria-label="World map of the fleet; the table view holds the same facts"
        >
          <path d={map.graticule} className="stroke-line" fill="none" strokeWidth=".6" opacity=".55" />
          <path
            d={`M${map.dateLine.map((point) => `${point.x.toFixed(1)} ${point.y.toFixed(1)}`).join('L')}`}
            className="stroke-line2"
            fill="none"
            strokeDasharray="3 4"
            vectorEffect="non-scaling-stroke"
          />
        </svg>
        <svg
          viewBox={`0 0 ${mapWidth} ${mapHeight}`}
          className="absolute inset-0 size-full overflow-visible"
          aria-hidden="true"
        >
          {pairs.map((pair) => {
            const look = arcLook[pair.mark];
            return (
              <Link
                key={pair.id}
                href={hopHref(pair.hopId)}
                prefetch={false}
                tabIndex={-1}
                className={markTextClass[pair.mark]}
              >
                <path
                  d={pair.arc.d}
                  fill="none"
                  className="stroke-sea"
                  strokeWidth={look.width + 4}
                  vectorEffect="non-scaling-stroke"
                />
                <path
                  d={pair.arc.d}
                  fill="none"
                  stroke="currentColor"
                  strokeWidth={look.width}
                  strokeDasharray={look.dash}
                  opacity={look.opacity}
                  vectorEffect="non-scaling-stroke"
                  className={pair.mark === 'over' ? 'animate-[twice_600ms_2]' : undefined}
                />
                <path
                  d={pair.arc.d}
                  fill="none"
                  stroke="transparent"
                  strokeWidth="14"
                  vectorEffect="non-scaling-stroke"
                />
              </Link>
            );
          })}
        </svg>

        {map.dateLine[0]!.x > 0 && map.dateLine[0]!.x < mapWidth && (
          <span
            className="absolute ps-1.5 text-note text-ink2"
            style={{ left: percentX(map.dateLine[0]!.x), bottom: '2.2%' }}
          >
            date line
          </span>
        )}
        {tags.map((tag) => (
          <span
            key={tag.key}
            className={`absolute -translate-y-1/2 text-note whitespace-nowrap text-ink2 ${tag.side === 'left' ? 'start-2' : 'end-2'}`}
            style={{ top: percentY(tag.y) }}
          >
            {tag.text}
          </span>
        ))}

        {placed.map((site) => {
          const label = labels.find((each) => each.id === site.id)!;
          const left = site.at.x < mapWidth * 0.6;
          const upper = site.at.y < mapHeight * 0.55;
          const within = edgeWithin(view.edges, site.id);
          return (
            <div
              key={site.id}
              className="absolute z-10 has-[[open]]:z-30"
              style={{ left: percentX(site.at.x), top: percentY(site.at.y) }}
            >
              <div
                aria-hidden="true"
                className={`pointer-events-none absolute w-max text-note text-ink2 ${label.align === 'start' ? 'text-start' : label.align === 'end' ? 'text-end' : 'text-center'}`}
                style={{
                  // the label's near edge stays at its distance from the marker, whatever the map's width
                  ...(label.align === 'start'
                    ? { left: 14 }
                    : label.align === 'end'
                      ? { right: 14 }
                      : { left: 0, translate: '-50% 0' }),
                  ...(label.box.top > site.at.y - 4
                    ? { top: label.box.top - site.at.y }
                    : { bottom: site.at.y - label.box.top - label.box.height }),
                  textShadow: '0 0 3px var(--sea), 0 0 3px var(--sea), 0 0 2px var(--sea), 0 1px 2px var(--sea)',
                }}
              >
                <p className="text-body font-title text-ink">{site.name}</p>
                <p className="hidden @min-[54rem]:block">
                  {site.words.count},{' '}
                  {site.words.troubles.length === 0
                    ? 'all live'
                    : site.words.troubles.map((trouble, index) => (
                        <span key={trouble.text}>
                          {index > 0 && ', '}
                          <span className={`font-strong ${trouble.degraded ? 'text-noticeable' : 'text-ink'}`}>
                            {trouble.text}
                          </span>
                        </span>
                      ))}
                </p>
                {site.broker && <p className="hidden @min-[54rem]:block">MQTT broker</p>}
              </div>
              <details name="site">
                <summary
                  className="absolute -top-3.5 -left-3.5 flex size-7 list-none items-center justify-center rounded-full [&::-webkit-details-marker]:hidden"
                  aria-label={`${site.name}: ${siteLine(site.words)}`}
                >
                  <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
                    <circle cx="10" cy="10" r="10" className="fill-sea" />
                    <circle cx="10" cy="10" r="7" fill="none" className="stroke-ink" strokeWidth="2.2" />
                    {site.broker ? (
                      <rect x="6.9" y="6.9" width="6.2" height="6.2" rx=".8" className="fill-ink" />
                    ) : (
                      <circle cx="10" cy="10" r="2.5" className="fill-ink" />
                    )}
                  </svg>
                </summary>
                <div
                  className={`absolute w-60 [&_a]:underline rounded-panel border border-line2 bg-panel p-3 text-dense ${left ? 'left-3' : 'right-3'} ${upper ? 'top-4' : 'bottom-4'}`}
                >
                  <p className="text-body font-title">{site.name}</p>
                  <p className="text-ink2">{siteLine(site.words)}</p>
                  {site.broker && (
                    <p className="mt-1 text-ink2">
                      Broker{' '}
                      <TextLink href={linkTo('/topics', view.range, { broker: site.broker })}>{site.broker}</TextLink>
                    </p>
                  )}
                  {within && (
                    <p className="mt-1 flex items-center gap-1.5 text-ink2">
                      <VerdictMark mark={within.mark} />
                      <TextLink href={hopHref(within.worstHopId)}>Within the site</TextLink>
                      <span>
                        p95 <Duration ms={within.addedMs.p95} boundMs={within.boundMs} />
                      </span>
                    </p>
                  )}
                  <p className="mt-2">
                    <TextLink href={linkTo('/devices', view.range, { site: site.id })}>Devices in {site.name}</TextLink>
                  </p>
                </div>
              </details>
            </div>
          );
        })}

        {pills.map((pill) => {
          const pair = pairs.find((each) => each.id === pill.id)!;
          const text = pairText(pair);
          const filled = pair.mark === 'over';
          return (
            <Link
              key={pill.id}
              href={hopHref(pair.hopId)}
              prefetch={false}
              aria-label={describe(pair)}
              title={describe(pair)}
              className={`absolute z-20 inline-flex h-6 -translate-x-1/2 -translate-y-1/2 items-center gap-1.5 rounded-pill border px-2 text-dense whitespace-nowrap ${
                filled
                  ? 'border-over bg-over text-on-over'
                  : `bg-panel ${pair.mark === 'ok' ? 'border-ok/50' : pair.mark === 'noticeable' ? 'border-noticeable' : pair.mark === 'cannot-tell' ? 'border-cannot-tell' : 'border-line2'}`
              }`}
              // never over the edge, however narrow the map becomes
              style={{ left: `clamp(3.75rem, ${percentX(pill.x)}, 100% - 3.75rem)`, top: percentY(pill.y) }}
            >
              <VerdictMark mark={pair.mark} size={11} decorative className={filled ? 'text-on-over' : undefined} />
              <span>
                <span className="font-strong">{text.value}</span>
                {text.bound && (
                  <span className={filled ? '' : pair.mark === 'cannot-tell' ? 'text-cannot-tell' : 'text-ink2'}>
                    {nbsp}
                    {text.bound}
                  </span>
                )}
                <span className="font-strong">
                  {nbsp}
                  {text.unit}
                </span>
              </span>
            </Link>
          );
        })}
      </div>
    </div>
  );
}
