import { spanIdHex } from './ids.ts';
import { ledgerOf, type Stretch } from './ledger.ts';
import {
  endToEndOfTree,
  type PathCrossing,
  type PathPlace,
  type PathSpan,
  placesBelow,
  type RequestPath,
  requestPathOfTree,
} from './request-path.ts';
import { handlerOf, type TraceTree, type TreeCrossing, type TreeSpan, traceTreeOf } from './trace-tree.ts';
import { type Millis, millisOfNanos } from './units.ts';

/** One request on its path: which tree it took, and where on it the time went. */
export interface PathWalk {
  path: RequestPath;
  rule: 'a' | 'b';
  totalMs: Millis;
  /** null = open */
  boundMs: Millis | null;
  /** of the hops on the critical path; by way of witnessed brokers, and without them */
  floorMs: Millis;
  directFloorMs: Millis;
  /** the root first, then depth first as in the tree */
  places: WalkedPlace[];
  /** of the total, what no place explains: waits, and stretches that were not recorded */
  elsewhereMs: Millis;
}

export interface End {
  service: string;
  site: string;
  application: string;
}

export interface WalkedPlace {
  /** hop ids from the root, one after the other; '' = the root */
  at: string;
  /** of the place before it; null for the root */
  parent: string | null;
  /** null for the root, where no hop leads to */
  hop: bigint | null;
  from: End;
  to: End;
  broker: string;
  count: number;
  attempts: number;
  /** of each crossing, on the critical path or beside it; null where the server worked on after its answer */
  addedMs: (Millis | null)[];
  /** largest of the crossings; null when one is open */
  boundMs: Millis | null;
  floorMs: Millis;
  directFloorMs: Millis;
  /** of the total: on the way here (and back), and at work here */
  wayMs: Millis;
  workMs: Millis;
  onPath: boolean;
}

/** Null when there is no span at all. The times of all places and `elsewhereMs` add up to the total. */
export function pathWalkOf(spans: readonly PathSpan[], crossings: readonly PathCrossing[]): PathWalk | null {
  const tree = traceTreeOf(spans, crossings);
  const ledger = ledgerOf(spans, crossings);
  if (!tree || !ledger) return null;
  const below = placesBelow(tree.root);
  const path = requestPathOfTree(tree, below);
  const root = rootPlace(tree.root);
  const places = [root];
  const placeOf = new Map<TreeSpan, WalkedPlace>([[tree.root, root]]);
  const descend = (parent: WalkedPlace, next: readonly PathPlace[], nodes: RequestPath['hops']): void => {
    for (const [i, place] of next.entries()) {
      const walked = walkedPlace(parent, place, nodes[i]!.attempts);
      places.push(walked);
      for (const callee of place.reached) placeOf.set(callee, walked);
      descend(walked, place.next, nodes[i]!.next);
    }
  };
  descend(root, below, path.hops);

  const end = endToEndOfTree(tree).figures;
  const walk: PathWalk = {
    path,
    rule: end.rule,
    totalMs: millisOfNanos(end.totalNanos),
    boundMs: end.boundMs,
    floorMs: 0,
    directFloorMs: 0,
    places,
    elsewhereMs: 0,
  };
  spendOn(walk, ledger.stretches, tree, placeOf);
  return walk;
}

/** Every stretch of the ledger belongs to one place: a way to the place it leads to (or came back from), work to where it was done, waiting to where somebody waited. */
function spendOn(
  walk: PathWalk,
  stretches: readonly Stretch[],
  tree: TraceTree,
  placeOf: ReadonlyMap<TreeSpan, WalkedPlace>,
): void {
  const byId = new Map(tree.spans.map((node) => [node.span.spanId, node]));
  const crossed = new Set<TreeCrossing>();
  for (const stretch of stretches) {
    const nodes = stretch.spanIds.map((id) => byId.get(id)).filter((node) => node !== undefined);
    const isWork = stretch.kind === 'processing' || stretch.kind === 'wait';
    const callee = isWork ? nodes[0] && handlerOf(nodes[0]) : nodes.find((node) => isWayTo(node, nodes));
    const place = callee && placeOf.get(callee);
    if (!place || (!isWork && !callee.into)) {
      walk.elsewhereMs += stretch.ms;
      continue;
    }
    place.onPath = true;
    if (isWork) place.workMs += stretch.ms;
    else {
      place.wayMs += stretch.ms;
      crossed.add(callee.into!);
    }
  }
  for (const { crossing } of crossed) {
    walk.floorMs += crossing.floorMs;
    walk.directFloorMs += crossing.directFloorMs;
  }
}

const isWayTo = (node: TreeSpan, nodes: readonly TreeSpan[]): boolean =>
  node.into !== null && nodes.includes(node.into.caller);

const endOf = ({ span }: TreeSpan): End => ({
  service: span.resource.serviceName,
  site: span.site,
  application: span.application,
});

const rootPlace = (root: TreeSpan): WalkedPlace => ({
  at: '',
  parent: null,
  hop: null,
  from: endOf(root),
  to: endOf(root),
  broker: '',
  count: 1,
  attempts: 1,
  addedMs: [],
  boundMs: 0,
  floorMs: 0,
  directFloorMs: 0,
  wayMs: 0,
  workMs: 0,
  onPath: true,
});

function walkedPlace(parent: WalkedPlace, { hop, reached }: PathPlace, attempts: number): WalkedPlace {
  const ways = reached.map((callee) => callee.into!);
  const bounds = ways.map(({ crossing }) => crossing.boundMs);
  return {
    at: `${parent.at}${parent.at === '' ? '' : '/'}${spanIdHex(hop)}`,
    parent: parent.at,
    hop,
    from: endOf(ways[0]!.caller),
    to: endOf(reached[0]!),
    broker: ways.find(({ crossing }) => crossing.broker !== '')?.crossing.broker ?? '',
    count: reached.length,
    attempts,
    addedMs: ways.map(addedMsOf),
    boundMs: bounds.some((bound) => bound === null) ? null : Math.max(...bounds.map((bound) => bound ?? 0)),
    floorMs: Math.max(...ways.map(({ crossing }) => crossing.floorMs)),
    directFloorMs: Math.max(...ways.map(({ crossing }) => crossing.directFloorMs)),
    wayMs: 0,
    workMs: 0,
    onPath: false,
  };
}

/** What a crossing adds to its request, on the requester's clock (design.md section 3). */
function addedMsOf({ crossing, caller, callee }: TreeCrossing): Millis | null {
  if (crossing.message) return millisOfNanos(callee.start - caller.start);
  const added = crossing.callerDurationNanos - crossing.calleeDurationNanos;
  return added < 0n ? null : millisOfNanos(added);
}
