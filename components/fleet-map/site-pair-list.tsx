import Link from 'next/link';
import type { FleetView } from '#lib/views/schemas.ts';
import { Duration } from '../ui/duration.tsx';
import { linkTo } from '../ui/link-to.ts';
import { RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';
import { VerdictLabel, VerdictMark } from '../verdict-badge/verdict-mark.tsx';
import { bySeverity, sitePairs } from './site-pairs.ts';

const nameOf = (view: FleetView) => {
  const names = new Map(view.sites.map((site) => [site.id, site.name]));
  return (id: string) => names.get(id) ?? id;
};

/** The phone's map: the same pairs, worst first, each a row under the thumb. */
export function SitePairList({ view }: { view: FleetView }) {
  const name = nameOf(view);
  const pairs = sitePairs(view.edges).toReversed();
  return (
    <ul className="divide-y divide-line phone:hidden">
      {pairs.map((pair) => (
        <li key={pair.id}>
          <Link
            href={linkTo(`/hops/${pair.hopId}`, view.range)}
            prefetch={false}
            className="flex min-h-12 items-center gap-2.5 px-3.5 hover:bg-hover"
          >
            <VerdictMark mark={pair.mark} />
            <span className="min-w-0 flex-1">
              {name(pair.slower.from)} → {name(pair.slower.to)}
            </span>
            <Duration
              ms={pair.slower.addedMs.p95}
              boundMs={pair.slower.boundMs}
              unsure={pair.mark === 'cannot-tell'}
              mark={pair.mark}
            />
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** The table twin of the map: every direction, and what stays within a site. */
export function EdgeTable({ view }: { view: FleetView }) {
  const name = nameOf(view);
  const edges = view.edges.toSorted((a, b) => bySeverity(b, a) || (b.addedMs.p95 ?? -1) - (a.addedMs.p95 ?? -1));
  return (
    <Table caption="Latency between sites, one way">
      <thead>
        <tr>
          <Th>From</Th>
          <Th>To</Th>
          <Th>Verdict</Th>
          <Th numeric>p50, ms</Th>
          <Th numeric>p95, ms</Th>
          <Th>How</Th>
          <Th numeric>Crossings</Th>
          <Th>Worst hop</Th>
        </tr>
      </thead>
      <tbody>
        {edges.map((edge) => (
          <Tr key={`${edge.from} ${edge.to}`}>
            <RowHead>{name(edge.from)}</RowHead>
            <Td>{edge.from === edge.to ? 'within the site' : name(edge.to)}</Td>
            <Td>
              <VerdictLabel mark={edge.mark} />
            </Td>
            <Td numeric>
              <Duration ms={edge.addedMs.p50} boundMs={edge.boundMs} unit={false} />
            </Td>
            <Td numeric>
              <Duration
                ms={edge.addedMs.p95}
                boundMs={edge.boundMs}
                unit={false}
                unsure={edge.mark === 'cannot-tell'}
              />
            </Td>
            <Td className="text-ink3">{edge.halfRoundTrip ? 'half of a round trip' : 'measured'}</Td>
            <Td numeric>{edge.count.toLocaleString('en-US')}</Td>
            <Td>
              <Link
                href={linkTo(`/hops/${edge.worstHopId}`, view.range)}
                prefetch={false}
                className="inline-flex min-h-6 items-center text-acc hover:underline"
                aria-label={`Open hop: the worst from ${name(edge.from)} to ${name(edge.to)}`}
              >
                Open hop
              </Link>
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}
