import { type ChildProcess, fork } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { enableCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import type { PassReport } from '#lib/audit.ts';
import { systemClock } from '#lib/clock.ts';
import { type Config, type Listen, loadConfig } from '#lib/config.ts';
import type { Alert } from '#lib/domain/alert.ts';
import { targetsOf } from '#lib/domain/delivery.ts';
import { type EpochMillis, epochMillisOf } from '#lib/domain/units.ts';
import { HopscopeError } from '#lib/errors.ts';
import type { State } from '#lib/state/state.ts';
import type { Store } from '#lib/store/store.ts';
import type { StatusSource } from '#lib/views/status-source.ts';
import { type AuditSpent, addPass } from './audit-counters.ts';
import { startHearing } from './hearing.ts';
import { type Intake, startIntake } from './intake/client.ts';
import { type StopReporting, startReporting } from './report.ts';
import { statusSource } from './status-source.ts';

/**
 * The program: configuration -> collectors -> store -> audit -> pages, and back again in order at the end. Receiving comes first and waits
 * for nothing but the spool: what is heavy to load (the store's engine, the audit, Next) is imported once the listeners listen.
 * The store is opened here and nowhere else, and handed to the pages through globalThis (libraries.md 0.3).
 */
const root = resolve(import.meta.dirname, '..');
const demoFile = join(root, 'collectors/demo-fleet/hopscope.yaml');
const drainLimitMs = 8_000;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** The one promise of whoever asks first. */
function once<T>(begin: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | null = null;
  return () => {
    begun ??= begin();
    return begun;
  };
}

const log = (level: 'info' | 'warn', sentence: string, fields: Record<string, unknown>): void => {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, message: sentence, ...fields })}\n`);
};

async function main(): Promise<void> {
  const config = loadConfig(process.argv.slice(2), process.env, process.cwd(), demoFile);
  const started = orderlyStop();
  prepareDataDir(config.dataDir);
  rememberCompiledCode();
  const startedMs = Date.now();
  let intake: Intake | null = null;
  const opening = once(() => openTheStore(config, async (id, seq) => intake?.rawBatch(id, seq) ?? null));
  intake = await startIntake({ config, store: opening, spoolDir: config.dataDir, spool: config.spool, log });
  const receiving = intake;
  let store: Store | null = null;
  let stopReporting: StopReporting | null = null;
  started.push(async () => {
    const last = await receiving.stop(drainLimitMs - 2_000);
    await stopReporting?.(last);
    await store?.close();
  });
  store = await opening();
  const { openState } = await import('#lib/state/open.ts');
  const state = openState(config.dataDir);
  started.push(async () => state.close());
  const changes = changeFeed();
  const stopTelling = state.onChange(changes.tellAgain);
  const reasons = new Set<string>(['the pages are not up yet']);
  const spent: AuditSpent = { passes: 0, spans: 0, stepsMs: {} };
  const hearing = startHearing(store);
  started.push(async () => hearing.stop());
  const status = statusSource(receiving, startedMs, reasons, config, spent, hearing.collectors);
  started.push(async () => status.stop());
  stopReporting = startReporting({ store, status, dataDir: config.dataDir, log });
  started.push(async () => stopTelling());
  const { startDelivery } = await import('./notify/start.ts');
  const delivery = startDelivery(config, state, receiving.addresses.broker, log);
  started.push(() => delivery.stop());

  (globalThis as unknown as Record<symbol, unknown>)[Symbol.for('hopscope')] = {
    store,
    state,
    config,
    clock: systemClock,
    status,
    delivery,
    onChange: changes.subscribe,
  };

  const alerts = await startAlerts({
    store,
    state,
    config,
    reasons,
    status,
    targetsOf: (alert, nowMs) => targetsOf(config.delivery, alert, nowMs),
  });
  started.push(alerts.stop);
  started.push(
    await startAudit(store, config, reasons, spent, (report) => {
      changes.tell();
      if (report.verdicts + report.deviceEvents > 0) alerts.look();
    }),
  );
  started.push(startRetention(store, state, config));
  if (config.web) {
    const web = await startPages(config, config.web);
    started.push(async () => {
      reasons.add('shutting down');
      closeStreams();
      await closeServer(web);
    });
  }
  reasons.delete('the pages are not up yet');
  if (config.demo) {
    const demo = startDemoFleet(config);
    started.push(() => stopChild(demo));
  }
  introduce(config);
}

async function openTheStore(config: Config, rawElsewhere: (id: string, seq: number) => Promise<Uint8Array | null>) {
  const [{ openStore }, { decodeSpans }] = await Promise.all([
    import('#lib/store/open.ts'),
    import('#lib/wire/raw-batch.ts'),
  ]);
  return openStore({ url: config.store, dataDir: config.dataDir, decodeSpans, rawElsewhere });
}

/** What has been started is stopped in the opposite order, once, at the first SIGTERM or SIGINT, whenever that comes. */
function orderlyStop(): (() => Promise<void>)[] {
  const started: (() => Promise<void>)[] = [];
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    say(`hopscope: ${signal}, draining ...`);
    // whatever hangs, the promise is an end within 10 s: what was acknowledged is in the spool
    setTimeout(() => process.exit(0), drainLimitMs).unref();
    for (const part of started.reverse())
      await part().catch((error: unknown) => log('warn', 'a part did not stop', { why: String(error) }));
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  return started;
}

/** A fifth of the time until the listeners listen goes into reading our own source files; the threads read the variable. */
function rememberCompiledCode(): void {
  const { directory } = enableCompileCache(join(root, 'node_modules/.cache/hopscope-code'));
  if (directory) process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules/.cache/hopscope-code');
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

type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

async function startPages(config: Config, listen: Listen): Promise<Server> {
  // Next's own handler would end the process before the spool is drained; it knows no telemetry to send either
  process.env.NEXT_MANUAL_SIG_HANDLE = 'true';
  process.env.NEXT_TELEMETRY_DISABLED = '1';
  // the address first: a taken port is said at once, not after the pages have been prepared
  let handle: RequestHandler | null = null;
  const { listenForPages } = await import('./web/server.ts');
  const server = await listenForPages(listen, config.hostNames, config.dev, async (request, response) => {
    if (!handle) {
      response.writeHead(503, { 'retry-after': '1', 'content-type': 'text/plain; charset=utf-8' });
      response.end('Hopscope is starting.\n');
      return;
    }
    await handle(request, response);
  });
  const { default: next } = await import('next');
  const app = next({ dev: config.dev, dir: root, hostname: listen.host, port: listen.port });
  await app.prepare();
  handle = app.getRequestHandler();
  if (config.dev) server.on('upgrade', app.getUpgradeHandler());
  return server;
}

/** Judges every second, or less often when a pass takes long; at once while rows wait: hops must keep up with what is acknowledged. */
async function startAudit(
  store: Store,
  config: Config,
  reasons: Set<string>,
  spent: AuditSpent,
  tell: (report: PassReport) => void,
): Promise<() => Promise<void>> {
  const { auditOnce, openAudit } = await import('#lib/audit.ts');
  const memory = await openAudit(store, config.rules, systemClock());
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const trouble = 'the audit failed';
  const pass = async (): Promise<void> => {
    const began = performance.now();
    let behind = false;
    try {
      const report = await auditOnce(store, systemClock(), config.rules, memory);
      addPass(spent, report);
      if (reasons.delete(trouble)) log('info', 'the audit works again', {});
      if (report.changed) tell(report);
      behind = report.behind;
    } catch (error) {
      if (!reasons.has(trouble)) log('warn', trouble, { why: error instanceof Error ? error.message : String(error) });
      reasons.add(trouble);
    }
    if (stopped) return;
    const tookMs = performance.now() - began;
    timer = setTimeout(
      () => {
        running = pass();
      },
      behind ? 0 : Math.max(1_000 - tookMs, tookMs),
    );
  };
  running = pass();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}

interface AlertParts {
  store: Store;
  state: State;
  config: Config;
  reasons: Set<string>;
  status: StatusSource;
  targetsOf(alert: Alert, nowMs: EpochMillis): string[];
}

const alertsEveryMs = 2_000;
const alertsTrouble = 'alerts could not be judged';

/** Looks every two seconds, and at once when verdicts have changed. What goes wrong here is said, and keeps nobody else from working. */
async function startAlerts({ store, state, config, reasons, status, targetsOf }: AlertParts) {
  const [{ judgeAlerts }, { openAlertMemory }] = await Promise.all([
    import('#lib/alerts/judge.ts'),
    import('#lib/alerts/memory.ts'),
  ]);
  const memory = openAlertMemory();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let isAsked = false;
  const look = (): void => {
    if (stopped) return;
    clearTimeout(timer);
    if (running) {
      isAsked = true;
      return;
    }
    running = judgeOnce().finally(() => {
      running = null;
      if (isAsked) look();
      else if (!stopped) timer = setTimeout(look, alertsEveryMs);
    });
  };
  const judgeOnce = async (): Promise<void> => {
    isAsked = false;
    try {
      const nowMs = epochMillisOf(systemClock());
      const { rules, alertRules } = config;
      await judgeAlerts({ store, state, rules, alertRules, status, targetsOf, nowMs }, memory);
      if (reasons.delete(alertsTrouble)) log('info', 'alerts are judged again', {});
    } catch (error) {
      if (!reasons.has(alertsTrouble))
        log('warn', alertsTrouble, { why: error instanceof Error ? error.message : String(error) });
      reasons.add(alertsTrouble);
    }
  };
  timer = setTimeout(look, alertsEveryMs);
  return {
    look,
    stop: async (): Promise<void> => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

function startRetention(store: Store, state: State, config: Config): () => Promise<void> {
  const timer = setInterval(() => {
    const nowMs = epochMillisOf(systemClock());
    const minutesMs = nowMs - config.retention.minutesMs;
    try {
      state.alerts.forgetBefore(minutesMs);
      state.markers.forgetBefore(minutesMs);
    } catch (error) {
      process.stderr.write(`hopscope: retention of alerts failed: ${String(error)}\n`);
    }
    store
      .dropBefore({
        spansMs: nowMs - config.retention.spansMs,
        crossingsMs: nowMs - config.retention.crossingsMs,
        minutesMs,
      })
      .catch((error: unknown) => process.stderr.write(`hopscope: retention failed: ${String(error)}\n`));
  }, 10 * 60_000);
  return async () => clearInterval(timer);
}

function startDemoFleet(config: Config): ChildProcess {
  const broker = config.broker ?? { host: '127.0.0.1', port: 1883 };
  const otlp = config.otlp ?? { host: '127.0.0.1', port: 4318 };
  const child = fork(
    join(root, 'collectors/demo-fleet/main.ts'),
    [
      '--broker',
      `mqtt://${broker.host}:${broker.port}`,
      '--otlp',
      `http://${otlp.host}:${otlp.port}`,
      ...(config.web ? ['--web', `http://${config.web.host}:${config.web.port}`] : []),
    ],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2'],
    },
  );
  child.on('exit', (code) => {
    if (code !== 0 && code !== null)
      process.stderr.write(`hopscope: the demo fleet ended with ${code}; the product goes on without it\n`);
  });
  return child;
}

function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), 3_000);
    child.once('exit', () => {
      clearTimeout(kill);
      done();
    });
    child.kill('SIGTERM');
  });
}

const closeServer = (server: Server): Promise<void> =>
  new Promise((done) => {
    server.close(() => done());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 1_000).unref();
  });

function closeStreams(): void {
  const streams = (globalThis as unknown as Record<symbol, { closeAll(): void } | undefined>)[
    Symbol.for('hopscope.streams')
  ];
  streams?.closeAll();
}

type Change = { arrivalMs: number };

/** Tells open pages that something changed. */
function changeFeed() {
  const listeners = new Set<(change: Change) => void>();
  let arrivalMs = Date.now();
  const tellAgain = (): void => {
    for (const listener of listeners) listener({ arrivalMs });
  };
  return {
    tell: (): void => {
      arrivalMs = Date.now();
      tellAgain();
    },
    /** What people did is news, too, but makes no data younger than it is. */
    tellAgain,
    subscribe: (listener: (change: Change) => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function introduce(config: Config): void {
  const at = (listen: Listen | null, scheme: string): string =>
    listen ? `${scheme}://${listen.host}:${listen.port}` : 'off';
  say('');
  say(`  Hopscope            ${at(config.web, 'http')}`);
  say(`  OTLP/HTTP           ${at(config.otlp, 'http')}   (/v1/traces, /v1/metrics)`);
  say(`  OTLP/gRPC           ${at(config.otlpGrpc, 'http')}`);
  say(
    `  MQTT 5 broker       ${config.brokers.length > 0 ? config.brokers.map((b) => `${b.name} (yours)`).join(', ') : at(config.broker, 'mqtt')}`,
  );
  say(`  Data                ${config.dataDir}`);
  if (config.demo)
    say(
      '  Demo fleet          26 simulated machines are talking; --no-demo, or a hopscope.yaml of your own, turns them off',
    );
  say('');
}

main().catch((error: unknown) => {
  if (error instanceof HopscopeError) process.stderr.write(`hopscope: ${error.message}\n`);
  else
    process.stderr.write(
      `hopscope: could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  process.exit(1);
});
