import { accessSync, constants, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import { type Config, loadConfig } from '#lib/config.ts';
import { HopscopeError } from '#lib/errors.ts';
import type { RawElsewhere } from '#lib/store/raw.ts';
import type { Store } from '#lib/store/store.ts';
import { type Intake, startIntake } from './intake/client.ts';
import { introduce } from './program/introduce.ts';
import { openStoreWhenItAnswers } from './program/open-store.ts';
import { drainLimitMs, orderlyStop, type Stop } from './program/orderly-stop.ts';
import { log } from './program/say.ts';
import { type StopReporting, startReporting } from './report.ts';
import { statusSource } from './status-source.ts';
import { beforeThePages } from './web/before-the-pages.ts';
import { collectorAnswers } from './web/collector-answers.ts';
import { type Door, openDoor } from './web/door.ts';
import type { PageHandler } from './web/server.ts';

/**
 * The program, in its three roles: configuration -> collectors -> store -> audit -> pages, and back again in order at the end. Receiving
 * comes first and waits for nothing but the spool: what is heavy to load (the store's engine, the audit, Next) is imported once the
 * listeners listen. The store is opened here and nowhere else.
 */
const root = resolve(import.meta.dirname, '..');
const demoFile = join(root, 'collectors/demo-fleet/hopscope.yaml');
const starting = 'the pages are not up yet';

async function main(): Promise<void> {
  const config = loadConfig(process.argv.slice(2), process.env, process.cwd(), demoFile);
  const started = orderlyStop();
  prepareDataDir(config.dataDir);
  prepareEnvironment();
  switch (config.role) {
    case 'all':
      return doEverything(config, started);
    case 'collect':
      return collect(config, started);
    case 'web':
      return judgeForOthers(config, started);
  }
}

async function doEverything(config: Config, started: Stop[]): Promise<void> {
  const startedMs = Date.now();
  const reasons = new Set([starting]);
  let intake: Intake | null = null;
  const opening = once(() => openStore(config, reasons, async (id, seq) => intake?.rawBatch(id, seq) ?? null));
  // both at once: a spool that cannot be opened without the store must not keep the door from saying so
  const [receiving, door] = await Promise.all([
    startReceiving(config, opening),
    openTheDoor(config, beforeThePages(reasons)),
  ]);
  intake = receiving;
  const ends: Ends = { intake, store: null, lastWord: null };
  started.push(() => stopReceiving(ends));
  const store = await opening();
  ends.store = store;
  const { judgeAndShow } = await import('./program/show.ts');
  const status = await judgeAndShow({ config, store, intake, startedMs, reasons, door }, started);
  ends.lastWord = startReporting({ store, status, dataDir: config.dataDir, log });
  reasons.delete(starting);
  if (config.demo) {
    const { startDemoFleet } = await import('./program/demo.ts');
    started.push(startDemoFleet(config));
  }
  introduce(config);
}

/** Receives, keeps, stores; any number of these share one store. */
async function collect(config: Config, started: Stop[]): Promise<void> {
  const startedMs = Date.now();
  let intake: Intake | null = null;
  let waiting: string | null = null;
  const opening = once(() =>
    openStoreWhenItAnswers({
      config,
      isPatient: true,
      onWaiting: (sentence) => {
        waiting = sentence;
      },
      log,
    }),
  );
  const answers = collectorAnswers({ intake: () => intake, waiting: () => waiting, startedMs });
  const [receiving, door] = await Promise.all([startReceiving(config, opening), openTheDoor(config, answers)]);
  intake = receiving;
  const ends: Ends = { intake, store: null, lastWord: null };
  started.push(() => stopReceiving(ends));
  if (door) started.push(() => door.close());
  introduce(config);
  const store = await opening();
  ends.store = store;
  const status = statusSource(intake, startedMs, new Set(), config, null);
  started.push(async () => status.stop());
  ends.lastWord = startReporting({ store, status, dataDir: config.dataDir, log });
}

/** Pages, audit, alerts, state, delivery and retention over what collectors store: one of these at a store. */
async function judgeForOthers(config: Config, started: Stop[]): Promise<void> {
  const startedMs = Date.now();
  const reasons = new Set([starting]);
  const door = await openTheDoor(config, beforeThePages(reasons));
  const store = await openStore(config, reasons);
  started.push(() => store.close());
  const { judgeAndShow } = await import('./program/show.ts');
  await judgeAndShow({ config, store, intake: null, startedMs, reasons, door }, started);
  reasons.delete(starting);
  introduce(config);
}

const startReceiving = (config: Config, store: () => Promise<Store>): Promise<Intake> =>
  startIntake({ config, store, spoolDir: config.dataDir, spool: config.spool, log });

/** Where data comes in, and where it goes once that is open. */
interface Ends {
  intake: Intake;
  store: Store | null;
  /** tells the pages, where they are in another process, that this was the end */
  lastWord: StopReporting | null;
}

/** What is still to be stored is stored, as far as there is time: the rest is in the spool. */
async function stopReceiving(ends: Ends): Promise<void> {
  const last = await ends.intake.stop(drainLimitMs - 2_000);
  await ends.lastWord?.(last);
  await ends.store?.close();
}

/** What is waited for is a reason why the product is not ready. */
function openStore(config: Config, reasons: Set<string>, rawElsewhere?: RawElsewhere): Promise<Store> {
  let said: string | null = null;
  return openStoreWhenItAnswers({
    config,
    rawElsewhere,
    isPatient: false,
    onWaiting: (sentence) => {
      if (said !== null) reasons.delete(said);
      if (sentence !== null) reasons.add(sentence);
      said = sentence;
    },
    log,
  });
}

const openTheDoor = async (config: Config, first: PageHandler): Promise<Door | null> =>
  config.web && openDoor(config, config.web, first);

/** The one promise of whoever asks first. */
function once<T>(begin: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | null = null;
  return () => {
    begun ??= begin();
    return begun;
  };
}

function prepareDataDir(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    accessSync(dir, constants.W_OK | constants.R_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new HopscopeError(
      'data-dir',
      `${dir}: found a directory that cannot be written (${code}), wanted a writable one (setting: --data or HOPSCOPE_DATA)`,
    );
  }
}

/** What others read out of the environment. */
function prepareEnvironment(): void {
  // A fifth of the time until the listeners listen goes into reading our own source files; the threads read the variable.
  const codeCache = join(root, 'node_modules/.cache/hopscope-code');
  if (enableCompileCache(codeCache).directory) process.env.NODE_COMPILE_CACHE ??= codeCache;
  // Next's own handler would end the process before the spool is drained; it knows no telemetry to send either
  process.env.NEXT_MANUAL_SIG_HANDLE = 'true';
  process.env.NEXT_TELEMETRY_DISABLED = '1';
}

main().catch((error: unknown) => {
  if (error instanceof HopscopeError) process.stderr.write(`hopscope: ${error.message}\n`);
  else
    process.stderr.write(
      `hopscope: could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  process.exit(1);
});
