import 'server-only';
import type { Clock } from '#lib/clock.ts';
import type { Config } from '#lib/config.ts';
import type { Delivery } from '#lib/domain/delivery.ts';
import { type EpochMillis, epochMillisOf } from '#lib/domain/units.ts';
import type { State } from '#lib/state/state.ts';
import type { Store } from '#lib/store/store.ts';
import type { ViewContext } from '#lib/views/context.ts';
import { sharedReads } from '#lib/views/shared-reads.ts';
import type { StatusSource } from '#lib/views/status-source.ts';
import { owner, type Viewer } from '#lib/views/viewer.ts';

/** What collectors/main.ts hands over: the store it alone opened, the configuration and what the status page asks. */
export interface Hopscope {
  store: Store;
  state: State;
  config: Config;
  clock: Clock;
  status: StatusSource;
  delivery: Delivery;
  /** called with a function that is told when data changed (at most once a second); returns how to stop */
  onChange(listener: (change: { arrivalMs: number }) => void): () => void;
}

const key = Symbol.for('hopscope');

/** The single door from pages and handlers to lib. */
export function hopscope(): Hopscope {
  const handed = (globalThis as unknown as Record<symbol, Hopscope | undefined>)[key];
  if (!handed)
    throw new Error('Started without collectors/main.ts: run npm start (or npm run dev), which opens the store.');
  return handed;
}

/** Who asks. Accounts come later; until then the loopback listener serves its owner. */
export async function currentViewer(): Promise<Viewer> {
  return owner;
}

const shared = new WeakMap<Store, Store>();

function sharedStore(store: Store): Store {
  const known = shared.get(store) ?? sharedReads(store);
  shared.set(store, known);
  return known;
}

/** To the second: live ranges of two who ask at once are one range, and one read serves both. */
const secondOf = (ms: EpochMillis): EpochMillis => Math.ceil(ms / 1_000) * 1_000;

/** What every view is given, for whoever asks now. */
export async function viewContext(): Promise<ViewContext> {
  const { store, state, config, clock, status, delivery } = hopscope();
  return {
    store: sharedStore(store),
    state,
    rules: config.rules,
    alertRules: config.alertRules,
    viewer: await currentViewer(),
    nowMs: secondOf(epochMillisOf(clock())),
    status,
    delivery: {
      targets: () => delivery.targets(),
      test: (name) => delivery.test(name),
      routes: config.delivery.routes,
    },
    demo: config.demo,
  };
}

/** The same for whoever does something now: when it was done is kept to the millisecond. */
export async function workContext(): Promise<ViewContext> {
  return { ...(await viewContext()), nowMs: epochMillisOf(hopscope().clock()) };
}
