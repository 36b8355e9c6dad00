import type { PathView } from '#lib/views/schemas.ts';
import { openWords, placeName, type SiteNames } from '../path-table/path-words.tsx';
import { TextLink } from '../ui/button.tsx';
import { Duration } from '../ui/duration.tsx';
import { formatAbsolute, formatClock, formatDay, formatPercent, plural } from '../ui/format.ts';
import { linkTo } from '../ui/link-to.ts';
import { Panel } from '../ui/panel.tsx';
import { VerdictMark } from '../verdict-badge/verdict-mark.tsx';

type Variant = PathView['variants'][number];

const dayMs = 86_400_000;

function Moment({ at, days }: { at: string; days: boolean }) {
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={formatAbsolute(ms)}>
      {days ? `${formatDay(ms)} ` : ''}
      {formatClock(ms)}
    </time>
  );
}

const mostNamed = 4;

/** "line-button Hannover, factory-events Ashburn" */
function chain({ ends }: Variant, names: SiteNames): string {
  const named = ends.map(({ service, site }) =>
    service === 'restricted' ? 'restricted' : `${service} ${placeName(site, names)}`,
  );
  const more = named.length - mostNamed;
  return more > 0 ? `${named.slice(0, mostNamed).join(', ')} and ${more} more` : named.join(', ');
}

/** The trees that requests of this name took: one, or one before and one after something was moved. */
export function PathVariants({ view, siteNames }: { view: PathView; siteNames: SiteNames }) {
  const { variants, variantId, range, path } = view;
  const days = range.toMs - range.fromMs > dayMs;
  return (
    <Panel
      id="variants"
      title={variants.length === 1 ? 'All take one way' : plural(variants.length, 'way')}
      note={`of ${plural(path.looked, 'request')} looked at`}
      flush
    >
      <ul className="divide-y divide-line">
        {variants.map((variant, index) => {
          const shown = variant.id === variantId;
          return (
            <li
              key={variant.id}
              className={`relative px-3.5 py-2 text-dense ${shown ? 'bg-acc-tint [--ink3:var(--ink2)]' : 'hover:bg-hover'}`}
            >
              <div className="flex items-start justify-between gap-3">
                <TextLink
                  href={linkTo(`/paths/${path.id}`, range, { variant: variant.id })}
                  className="stretch-link inline-flex min-h-6 min-w-0 items-center gap-1.5 font-strong !text-ink max-phone:min-h-11"
                >
                  {path.budgetMs !== null && <VerdictMark mark={variant.mark} />}
                  {variants.length > 1 && `Way ${index + 1}: `}
                  {plural(variant.hops, 'hop')}, {formatPercent(variant.requests / Math.max(1, path.looked))}
                  {shown && variants.length > 1 && <span className="font-normal text-ink2">shown</span>}
                </TextLink>
                <span className="pt-1 text-end whitespace-nowrap">
                  <Duration ms={variant.p95Ms} boundMs={variant.boundMs} unsure={variant.mark === 'cannot-tell'} />
                  {openWords(variant.p95Ms, variant.boundMs) !== null && (
                    <span className="text-ink3"> {openWords(variant.p95Ms, variant.boundMs)}</span>
                  )}
                </span>
              </div>
              <p className="break-words text-ink2">{chain(variant, siteNames)}</p>
              <p className="text-note text-ink3">
                seen <Moment at={variant.firstAt} days={days} /> to <Moment at={variant.lastAt} days={days} /> UTC; p95
                {variant.floorMs !== null && variant.floorMs > 0.05 ? `, floor ${variant.floorMs.toFixed(1)} ms` : ''}
              </p>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
