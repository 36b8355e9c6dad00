import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Config } from '#lib/config.ts';
import type { CollectorReport } from '#lib/domain/collector-report.ts';
import { tallyThrough } from '#lib/domain/fixtures/collector-reports.ts';
import { openState } from '#lib/state/open.ts';
import { type QuestDbServer, startQuestDb } from '#lib/store/fixtures/questdb-server.ts';
import { openQuestDbStore } from '#lib/store/questdb/questdb-store.ts';
import type { CollectorReports } from '#lib/store/store.ts';
import { rules, statusSource as statusOfNobody } from '#lib/views/fixtures/world.ts';
import { statusViewSchema } from '#lib/views/schemas.ts';
import { statusView } from '#lib/views/status-view.ts';
import { owner } from '#lib/views/viewer.ts';
import { decodeSpans } from '#lib/wire/raw-batch.ts';
import { startHearing } from './hearing.ts';
import { startIntake } from './intake/client.ts';
import { loopback, nothingOn, until } from './intake/fixtures/running-intake.ts';
import { traceRequestProtobuf } from './intake/fixtures/trace-request.ts';
import { startReporting } from './report.ts';
import { statusSource } from './status-source.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

const log = (): void => {};

describe('two collectors and the pages, each with their own hold of one QuestDB', () => {
  let questdb: QuestDbServer;
  const dirs: string[] = [];
  const newDir = (): string => {
    const dir = mkdtempSync(join(tmpdir(), 'hopscope-report-'));
    dirs.push(dir);
    return dir;
  };
  beforeAll(async () => {
    questdb = await startQuestDb({ 'cairo.commit.mode': 'nosync' });
  });
  afterAll(async () => {
    await questdb.remove();
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  });

  const openStore = (dir: string) =>
    openQuestDbStore({ url: questdb.url('reported_'), bookPath: join(dir, 'audit.sqlite'), decodeSpans });

  async function startCollector(host: string) {
    const dir = newDir();
    const store = await openStore(dir);
    const spool = { keepMs: 3_600_000, keepBytes: 1 << 28 };
    const intake = await startIntake({ config: { ...nothingOn, otlp: loopback() }, store, spoolDir: dir, spool });
    const spent = { passes: 0, spans: 0, stepsMs: {} };
    const status = statusSource(intake, Date.now(), new Set(), { web: null } as Config, spent);
    let isCut = false;
    const reports: CollectorReports = {
      ...store.reports!,
      tell: (report) => (isCut ? Promise.reject(new Error('nobody hears it')) : store.reports!.tell(report)),
    };
    const told = { reports, watermarks: () => store.watermarks() };
    const stopReporting = startReporting({ store: told, status, dataDir: dir, host, log, busyMs: 30, quietMs: 200 });
    return {
      stored: async () => (await store.books()).stored,
      cut: () => {
        isCut = true;
      },
      collectorId: (await intake.stats()).collectorId,
      async send(spans: number) {
        const answer = await fetch(`http://127.0.0.1:${intake.addresses.otlp!.port}/v1/traces`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/x-protobuf' },
          body: traceRequestProtobuf(spans) as BodyInit,
        });
        expect(answer.status).toBe(200);
        await answer.arrayBuffer();
      },
      async stop() {
        const last = await intake.stop(5_000);
        await stopReporting(last);
        status.stop();
        await store.close();
      },
    };
  }

  it('every item is accounted for at every look; who was stopped is stopped, and who vanished is silent', async () => {
    const [hannover, dublin] = await Promise.all([startCollector('rio-hannover'), startCollector('rio-dublin')]);
    const store = await openStore(newDir());
    let turnedMs = 0;
    let turnMs = 0;
    const clock = () => {
      turnedMs += turnMs;
      return BigInt(Date.now() + turnedMs) * 1_000_000n;
    };
    const hearing = startHearing(store, { clock, everyMs: 20 });
    const state = openState(null);
    const status = { ...statusOfNobody(), brokers: () => [], listeners: () => [], collectors: hearing.collectors };
    const look = async () => {
      const nowMs = Number(clock() / 1_000_000n);
      const asked = { store, state, rules, viewer: owner, nowMs, status, demo: false };
      const view = statusViewSchema.strict().parse(await statusView(asked));
      const of = ({ collectorId }: { collectorId: string }) => view.collectors.find(({ id }) => id === collectorId);
      return { view, hannover: of(hannover), dublin: of(dublin) };
    };
    try {
      let sending = true;
      const senders = [hannover, hannover, dublin].map(async (collector) => {
        for (let i = 0; i < 20; i++) await collector.send(8);
      });
      const sent = Promise.all(senders).then(() => {
        sending = false;
      });
      let looks = 0;
      while (sending) {
        const { view } = await look();
        for (const { residual } of view.collectors) expect(residual ?? 0).toBe(0);
        looks++;
      }
      await sent;
      expect(looks).toBeGreaterThan(0);
      const told = async (): Promise<[number?, number?]> => {
        const seen = await look();
        return [seen.hannover?.stored, seen.dublin?.stored];
      };
      await until('all is stored and told', async () => (await told()).join() === '320,160');
      const both = await look();
      const figures = { duplicate: 0, rejected: 0, spooled: 0, residual: 0, lagMs: 0, state: 'receiving' };
      expect(both.hannover).toMatchObject({ received: 320, stored: 320, host: 'rio-hannover', ...figures });
      expect(both.dublin).toMatchObject({ received: 160, stored: 160, host: 'rio-dublin', ...figures });
      expect(both.hannover!.diskFreeBytes).toBeGreaterThan(0);
      expect(both.view.books).toMatchObject({ received: 480, stored: 480, spooled: 0, residual: 0 });
      expect(both.view.warnings).toEqual([]);
      const listening = both.view.listeners.filter(({ state: of }) => of === 'listening');
      expect(listening.map(({ name, collector }) => [name, collector]).toSorted()).toEqual(
        [hannover, dublin].map(({ collectorId }) => ['OTLP/HTTP', collectorId]).toSorted(),
      );

      await hannover.send(3);
      await hannover.stop();
      await until('it is seen to have stopped', async () => (await look()).hannover?.state === 'stopped');
      const stopped = (await look()).hannover!;
      expect(stopped).toMatchObject({ received: 323, stored: 323, spooled: 0, residual: 0, current: false });

      // it goes on receiving, and nobody hears of it
      dublin.cut();
      await dublin.send(5);
      await until('the store has what nobody was told of', async () => (await dublin.stored()) === 488);
      turnMs = 2_000;
      await until('it is missed', async () => (await look()).dublin?.state === 'silent');
      const { view, dublin: silent } = await look();
      expect(silent).toMatchObject({ stored: 160, residual: 0, current: false });
      const { state: listener } = view.listeners.find(({ collector }) => collector === dublin.collectorId)!;
      expect(listener).toBe('not heard');
      expect(view.warnings).toEqual([expect.stringMatching(/^the collector \w{8} on rio-dublin was last heard at /)]);
    } finally {
      hearing.stop();
      await dublin.stop();
      state.close();
      await store.close();
    }
  });
});

describe('a report', () => {
  /** What is told, and a store that takes it when it is let. */
  function listener() {
    const told: CollectorReport[] = [];
    let takes = true;
    const reports: CollectorReports = {
      tell: async (report) => {
        if (!takes) throw new Error('QuestDB cannot be reached');
        told.push(report);
      },
      latest: async () => [],
      booksThrough: async () => new Map(),
    };
    return {
      told,
      reports,
      takes: (yes: boolean) => {
        takes = yes;
      },
    };
  }
  const status = (tally: { acknowledged: number; id?: string }) => ({
    ...statusOfNobody(),
    tally: async (stored: Map<string, number>) => {
      const { throughSeq: _, ...seen } = tallyThrough(0, tally.acknowledged, stored.size, tally.id ?? 'a');
      return seen;
    },
  });
  const quickly = { dataDir: '/data', host: 'rio', busyMs: 1 };

  it('is told at once, again when something changes, and else as seldom as it may be', async () => {
    const { told, reports } = listener();
    const counted = { acknowledged: 1 };
    const store = { reports, watermarks: async () => new Map([['a', 7]]) };
    const stop = startReporting({ store, status: status(counted), log, quietMs: 1e9, ...quickly });
    await until('it is told', async () => told.length === 1);
    expect(told[0]).toMatchObject({ collectorId: 'a', host: 'rio', dataDir: '/data', stoppedMs: null });
    expect(told[0]!.tally).toMatchObject({ throughSeq: 7, acknowledgedItems: 1 });
    counted.acknowledged = 2;
    await until('the change is told', async () => told.length > 1);
    expect(told.map(({ tally }) => tally!.acknowledgedItems)).toEqual([1, 2]);
    await stop(null);
    expect(told).toHaveLength(3);
    expect(told[2]).toMatchObject({ stoppedMs: told[2]!.atMs, brokers: [{ state: 'stopped' }] });
  });

  it('that cannot be written is said once, and written as soon as it can be', async () => {
    const { told, reports, takes } = listener();
    const said: string[] = [];
    takes(false);
    const store = { reports, watermarks: async () => new Map() };
    const stop = startReporting({
      store,
      status: status({ acknowledged: 1 }),
      log: (level, sentence) => said.push(`${level} ${sentence}`),
      quietMs: 1e9,
      ...quickly,
    });
    await until('it is said', async () => said.length > 0);
    takes(true);
    await until('it is written', async () => told.length > 0 && said.length === 2);
    expect(said.map((line) => line.split(' ')[0])).toEqual(['warn', 'info']);
    await stop({ ...tallyThrough(3, 9, 4, 'a'), oldestSpooledMs: 5 });
    expect(told.at(-1)).toMatchObject({ tally: { throughSeq: 3 }, spool: { items: 4, waitingSinceMs: 5 } });
  });

  it('tells since when a collector goes by its name, which changes with its spool', async () => {
    const { told, reports } = listener();
    const counted = { acknowledged: 1, id: 'old' };
    const store = { reports, watermarks: async () => new Map() };
    const stop = startReporting({ store, status: status(counted), log, quietMs: 1e9, ...quickly });
    await until('it is told', async () => told.length === 1);
    counted.id = 'new';
    await until('the new name is told', async () => told.length === 2);
    const [before, after] = told as [CollectorReport, CollectorReport];
    expect(before).toMatchObject({ collectorId: 'old', sinceMs: before.startedMs });
    expect(after).toMatchObject({ collectorId: 'new', sinceMs: after.atMs });
    await stop(null);
  });

  it('is told to nobody where the store belongs to this process', async () => {
    const stop = startReporting({
      store: { reports: null, watermarks: () => Promise.reject(new Error('nobody asks')) },
      status: status({ acknowledged: 1 }),
      log,
      ...quickly,
    });
    await stop(null);
    expect(startHearing({ reports: null }).collectors()).toEqual([]);
  });
});
