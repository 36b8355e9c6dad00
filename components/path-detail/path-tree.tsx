import type { PathView } from '#lib/views/schemas.ts';
import { placeName, type SiteNames } from '../path-table/path-words.tsx';
import { TextLink } from '../ui/button.tsx';
import { Duration } from '../ui/duration.tsx';
import { formatBound, formatNumber, formatPercent, latencyFigure } from '../ui/format.ts';
import { linkTo } from '../ui/link-to.ts';
import { RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';
import { VerdictMark } from '../verdict-badge/verdict-mark.tsx';

type Place = PathView['places'][number];

const isRestricted = (place: Place): boolean => place.to.service === 'restricted';

/** "1", "1 to 3": how often in one request */
const span = ({ least, most }: Place['count']): string =>
  least === most ? formatNumber(least) : `${formatNumber(least)} to ${formatNumber(most)}`;

const isRetried = (place: Place): boolean => place.attempts.most > place.count.most;

/** What a branch is to the whole: nothing is said of what every request waits for. */
function beside(place: Place): string | null {
  if (place.onPath > 0.995) return null;
  return place.onPath < 0.005 ? 'beside the critical path' : `waited for in ${formatPercent(place.onPath)}`;
}

/** Lines that lead down to a place: one for each place above that has more to come, and the elbow to this one. */
function guides(places: readonly Place[], place: Place): ('line' | 'elbow' | 'fork' | 'none')[] {
  const hasLater = (of: Place) => places.some((other) => other.parent === of.parent && other.at > of.at);
  const above: Place[] = [];
  for (let at: Place | undefined = place; at && at.parent !== null; at = places[at.parent]) above.unshift(at);
  return above.map((of) => (of === place ? (hasLater(of) ? 'fork' : 'elbow') : hasLater(of) ? 'line' : 'none'));
}

/** Beyond this the lines would leave no room for the names. */
const deepest = 12;

function Guides({ places, place }: { places: readonly Place[]; place: Place }) {
  return guides(places, place)
    .slice(-deepest)
    .map((guide, index) => (
      <span
        // biome-ignore lint/suspicious/noArrayIndexKey: the depth is the identity
        key={index}
        aria-hidden="true"
        className="relative w-4 shrink-0 self-stretch max-phone:w-2.5"
      >
        {guide !== 'none' && (
          <span
            className={`absolute start-1.5 top-0 border-s border-line2 ${guide === 'elbow' ? 'h-4.5' : 'bottom-0'}`}
          />
        )}
        {(guide === 'elbow' || guide === 'fork') && (
          <span className="absolute start-1.5 end-0 top-4.5 border-t border-line2" />
        )}
      </span>
    ));
}

function Name({ place, names }: { place: Place; names: SiteNames }) {
  if (isRestricted(place)) return <span className="text-ink3">restricted hop</span>;
  return (
    <>
      {place.parent === null ? '' : <span className="font-normal text-ink3">→ </span>}
      {place.to.service} <span className="font-normal text-ink3">{placeName(place.to.site, names)}</span>
    </>
  );
}

/** The bar of one place, on the scale of the largest: the way here, then the work. */
function PlaceBar({ place, most }: { place: Place; most: number }) {
  const width = (share: number) => `${Math.max(0, (share / most) * 100)}%`;
  const words = `${formatPercent(place.wayShare)} on the way, ${formatPercent(place.workShare)} at work`;
  return (
    <span role="img" aria-label={words} title={words} className="flex h-2.5 w-full gap-px">
      {place.wayShare > 0 && (
        <span className="block min-w-px rounded-bar bg-net" style={{ width: width(place.wayShare) }} />
      )}
      {place.workShare > 0 && (
        <span className="block min-w-px rounded-bar bg-cpu" style={{ width: width(place.workShare) }} />
      )}
    </span>
  );
}

/** One tree of hops: who calls whom, how often, and what of the whole goes to each. */
export function PathTree({ view, siteNames }: { view: PathView; siteNames: SiteNames }) {
  const { places, range } = view;
  const most = Math.max(0.001, ...places.map((place) => place.wayShare + place.workShare));
  return (
    <Table caption="The tree of hops from the root, with what each adds and its share of the time end to end">
      <thead>
        <tr>
          <Th>Hop</Th>
          <Th numeric className="max-wide:hidden">
            Crossed
          </Th>
          <Th numeric>Added p50, ms</Th>
          <Th numeric className="max-wide:hidden">
            p95
          </Th>
          <Th numeric className="max-wide:hidden">
            Floor
          </Th>
          <Th className="w-1/4 max-phone:hidden">Way and work</Th>
          <Th numeric>Share</Th>
        </tr>
      </thead>
      <tbody>
        {places.map((place) => {
          const note = beside(place);
          const bound = formatBound(place.addedMs.p50, place.boundMs);
          const isRoot = place.parent === null;
          return (
            <Tr key={place.at} className="relative">
              <RowHead className="!h-9">
                <span className="flex min-h-9 items-start">
                  <Guides places={places} place={place} />
                  <span className="min-w-0 py-1.5">
                    <span className="inline-flex items-center gap-1.5">
                      {place.mark !== null && <VerdictMark mark={place.mark} />}
                      {place.hopId === null ? (
                        <span className="font-strong">
                          <Name place={place} names={siteNames} />
                        </span>
                      ) : (
                        <TextLink
                          href={linkTo(`/hops/${place.hopId}`, range)}
                          className="stretch-link min-w-0 font-strong break-words !text-ink"
                          data-row=""
                          title={`${place.system} ${place.destination}`}
                        >
                          <Name place={place} names={siteNames} />
                        </TextLink>
                      )}
                    </span>
                    <span className="block text-note text-ink3">
                      {isRoot ? (
                        'the root: requests begin here'
                      ) : (
                        <>
                          <span className="font-mono break-all">{place.destination || place.system}</span>
                          {note !== null && <span> {note}</span>}
                        </>
                      )}
                    </span>
                  </span>
                </span>
              </RowHead>
              <Td numeric className="text-ink2 max-wide:hidden">
                {isRoot ? '' : span(place.count)}
                {isRetried(place) && (
                  <span
                    className="block text-note text-ink3"
                    title="calls of the same name beside it that reached nobody"
                  >
                    {span(place.attempts)} tries
                  </span>
                )}
              </Td>
              <Td numeric>
                {!isRoot && (
                  <>
                    <Duration
                      ms={place.addedMs.p50}
                      boundMs={place.boundMs}
                      unit={false}
                      whyUnknown="the servers worked on after their answers"
                    />
                    {place.boundMs === null && place.addedMs.p50 !== null && bound === null && (
                      <span className="block text-note text-ink3">± unknown</span>
                    )}
                  </>
                )}
              </Td>
              <Td numeric className="text-ink2 max-wide:hidden">
                {isRoot ? '' : latencyFigure(place.addedMs.p95).text}
              </Td>
              <Td numeric className="text-net max-wide:hidden">
                {isRoot ? '' : latencyFigure(place.floorMs).text}
              </Td>
              <Td className="max-phone:hidden">
                <PlaceBar place={place} most={most} />
              </Td>
              <Td numeric className="font-strong">
                {formatPercent(place.wayShare + place.workShare)}
              </Td>
            </Tr>
          );
        })}
      </tbody>
    </Table>
  );
}
