import { writeClocks } from './audit/clock-minutes.ts';
import { addEdges, addObservations, offsetsOf } from './audit/clocks.ts';
import { gaugesAreDue, judgeDevices, readGauges, saveJudged } from './audit/devices.ts';
import { judgeLive, resolveBudgets } from './audit/live.ts';
import {
  type AuditMemory,
  clockName,
  hear,
  type Known,
  ledgerWindowSeconds,
  listen,
  mostSpans,
  openAudit,
  readAgain,
} from './audit/memory.ts';
import { placeNew } from './audit/place.ts';
import { answerRoutes } from './audit/routes.ts';
import { findUnanswered } from './audit/unanswered.ts';
import { type ClockLedger, createClockLedger, reachSeconds } from './domain/clock-ledger.ts';
import type { Rules } from './domain/rule.ts';
import { type EpochMillis, epochMillisOf, type Millis, minuteOf, type Nanos } from './domain/units.ts';
import type { AuditTx, BatchRange, MinuteToSettle, MomentColumns, OffsetColumns } from './store/audit-store.ts';
import type { Store } from './store/store.ts';

export { type AuditMemory, openAudit };

/** What one pass did. */
export interface PassReport {
  batches: number;
  spans: number;
  crossings: number;
  /** (hop, minute) rows written */
  minutes: number;
  settled: number;
  unanswered: number;
  /** hops whose live verdict is another than before */
  verdicts: number;
  deviceEvents: number;
  /** anything that a page shows */
  changed: boolean;
  /** more is waiting: pass again at once */
  behind: boolean;
  tookMs: Millis;
  stepsMs: Record<string, Millis>;
}

/** Spans that came this long ago may still meet their other half: a day, and an hour for a collector to hand them on. */
const reopenMs = 25 * 3_600_000;
const settleAfterMs = 90_000;
/** a backlog that is worked off constrains the same old minutes pass after pass */
const settleAgainMs = 30_000;
const settleAtOnce = 5;
/** crossings judged again in one transaction, whose old and new figures stay in memory until it ends: about 250 B each */
const settledAtOnce = 100_000;
/** What waited for a minute and a half, or for half a minute, may wait a little longer: each look has its price. */
const unhurriedMs = 5_000;
const everywhereEveryMs = 60_000;
const leastSpans = 5_000;
/** So many crossings are read anew within about 150 ms of two cores. */
const crossingsAtOnce = 300_000;

/**
 * Recent rows -> crossings -> clocks -> minutes, unanswered, devices. Set-based and restartable: each step is one transaction whose
 * effect and progress are stored together, so running it twice changes nothing and a kill between or within steps loses nothing.
 */
export async function auditOnce(store: Store, now: Nanos, rules: Rules, memory: AuditMemory): Promise<PassReport> {
  const nowMs = epochMillisOf(now);
  // our own clock went back: what was not to be done before a time that is now far ahead would wait for it
  if (memory.known && nowMs < memory.known.passedMs) memory.known = null;
  memory.known ??= await readAgain(store, rules, now);
  const known = memory.known;
  known.passedMs = nowMs;
  const began = performance.now();
  const report: PassReport = {
    batches: 0,
    spans: 0,
    crossings: 0,
    minutes: 0,
    settled: 0,
    unanswered: 0,
    verdicts: 0,
    deviceEvents: 0,
    changed: false,
    behind: false,
    tookMs: 0,
    stepsMs: {},
  };
  const step = async (name: string, work: (tx: AuditTx) => Promise<void>): Promise<void> => {
    const at = performance.now();
    await store.audit.transaction(work);
    report.stepsMs[name] = (report.stepsMs[name] ?? 0) + performance.now() - at;
  };
  try {
    await step('pair', (tx) => pairNew(tx, rules, known, nowMs, memory.bite, report));
    if (!report.behind) {
      if (nowMs >= known.settleNotBeforeMs) await settleClocks(step, rules, known, nowMs, report);
      if (nowMs >= known.unansweredNotBeforeMs) {
        await step('unanswered', async (tx) => {
          const { missing, more } = await findUnanswered(tx, known, nowMs);
          report.unanswered = missing;
          known.unansweredNotBeforeMs = more ? nowMs : nowMs + unhurriedMs;
        });
      }
    }
    known.minutesWait ||= report.batches + report.settled + report.unanswered > 0;
    if (known.minutesWait && nowMs >= known.minutesNotBeforeMs) {
      await step('minutes', async (tx) => {
        const written = await tx.writeMinutes();
        report.minutes = written.minutes;
        known.minutesWait = written.minutes > 0;
        // An open minute with a million crossings is read whole every time: then every few seconds, not every second
        known.minutesNotBeforeMs = nowMs + Math.min(5_000, Math.floor(written.crossings / crossingsAtOnce) * 1_000);
      });
    }
    if (!report.behind && nowMs >= known.live.notBeforeMs) {
      await resolveBudgets(store, rules, known, nowMs);
      await step('live', async (tx) => {
        report.verdicts = await judgeLive(tx, known, nowMs);
      });
    }
    if (gaugesAreDue(known, nowMs)) await step('gauges', (tx) => readGauges(tx, known, nowMs));
    const judged = judgeDevices(known, nowMs);
    if (judged.changed.length > 0) await step('devices', (tx) => saveJudged(tx, judged));
    report.deviceEvents = judged.events.length;
    if (known.clocksMinute !== minuteOf(nowMs)) await step('clocks', (tx) => writeClocks(tx, known, nowMs));
  } catch (error) {
    // Part of this pass may be in the memory and not in the store
    memory.known = null;
    memory.bite = Math.max(leastSpans, memory.bite >> 1);
    throw error;
  }
  memory.bite = Math.min(mostSpans, memory.bite * 2);
  report.changed =
    report.batches + report.minutes + report.settled + report.unanswered + report.verdicts + report.deviceEvents > 0;
  report.tookMs = performance.now() - began;
  return report;
}

/** Steps 1-5: what came in since, with everything it touches. The cursor moves in the same transaction. */
async function pairNew(
  tx: AuditTx,
  rules: Rules,
  known: Known,
  nowMs: EpochMillis,
  bite: number,
  report: PassReport,
): Promise<void> {
  const ranges = await advance(tx, known, nowMs, bite, report);
  if (ranges.length === 0) return;
  await placeNew(tx, rules, known, nowMs);
  hear(known, await tx.sightingsOf(ranges));
  listen(known, await tx.reportsOf(ranges));
  const observations = await tx.observationsOf(ranges);
  addObservations(known, rules, known.ledger, observations);
  const heardSeconds = observations.map(({ second }) => second);

  const around = await tx.gather(ranges, nowMs - reopenMs);
  if (around.callers > 0) {
    const answered = answerRoutes(await tx.routes(), rules, known, nowMs);
    await tx.saveHops(answered.hops, answered.traced);
    await tx.answerRoutes(answered.answers);
    const edges = await tx.freshEdges();
    addEdges(known.ledger, edges);
    heardSeconds.push(...edges.second.subarray(0, edges.count));
    const moments = await tx.freshMoments();
    const written = await tx.writeCrossings(
      moments,
      offsetsOf(known.ledger, moments),
      (minute) => Math.max((minute + 1) * 60_000, nowMs - settleAfterMs + 10_000) + settleAfterMs,
    );
    report.crossings = written.crossings;
    for (const minute of written.withdrawn) known.withdrawn.add(minute);
  }
  await tx.settleAgain(minutesWithinReach(heardSeconds), (minute) =>
    Math.max((minute + 1) * 60_000 + reachSeconds * 1000 + settleAfterMs, nowMs + settleAgainMs),
  );
  if (around.spans > 0) await tx.writeTraces();
  await tx.writeTopicMinutes(ranges);
  await tx.advance(ranges, nowMs);
  known.ledger.forgetBefore(Math.floor(nowMs / 1000) - ledgerWindowSeconds);
  for (const minute of known.withdrawn)
    if (minute * 60_000 < nowMs - 2 * ledgerWindowSeconds * 1000) known.withdrawn.delete(minute);
}

/** What was heard of clocks in these seconds constrains every minute within reach, also those that were settled before. */
function minutesWithinReach(seconds: readonly number[]): Set<number> {
  const heard = new Set<number>();
  for (const second of seconds) heard.add(Math.floor(second / 60));
  const reach = Math.ceil(reachSeconds / 60);
  const minutes = new Set<number>();
  for (const minute of heard) for (let m = minute - reach; m <= minute + reach; m++) minutes.add(m);
  return minutes;
}

/** The new contiguous range of every collector. Looking everywhere once a minute finds a collector whose batches arrived long ago. */
async function advance(
  tx: AuditTx,
  known: Known,
  nowMs: EpochMillis,
  bite: number,
  report: PassReport,
): Promise<BatchRange[]> {
  const everywhere = nowMs >= known.everywhereNotBeforeMs;
  if (everywhere) known.everywhereNotBeforeMs = nowMs + everywhereEveryMs;
  const ranges = await tx.batchesToRead(bite, everywhere ? 0 : known.recentMs);
  for (const range of ranges) {
    report.batches += range.batches;
    report.spans += range.spans;
  }
  report.behind = report.spans >= bite;
  const oldest = Math.min(...ranges.map((range) => range.oldestArrivalMs));
  // Behind, or after a hole, the next batch may be as old as these
  if (ranges.length > 0) known.recentMs = Math.max(1, oldest - 600_000);
  return ranges;
}

/** A minute's clocks are judged again once both sides have been heard: what came after it constrains it as much as what came before. */
async function settleClocks(
  step: (name: string, work: (tx: AuditTx) => Promise<void>) => Promise<void>,
  rules: Rules,
  known: Known,
  nowMs: EpochMillis,
  report: PassReport,
): Promise<void> {
  let due: MinuteToSettle[] = [];
  await step('settle', async (tx) => {
    due = await tx.minutesToSettle(nowMs, settleAtOnce);
  });
  if (due.length < settleAtOnce) known.settleNotBeforeMs = nowMs + unhurriedMs;
  for (const { minute, crossings } of due) {
    // a transaction holds in memory what it changes
    const parts = Math.max(1, Math.ceil(crossings / settledAtOnce));
    let judgedBy: { moments: MomentColumns; offsets: OffsetColumns } | null = null;
    for (let part = 0; part < parts; part++) {
      await step('settle', async (tx) => {
        if (!judgedBy) {
          const moments = await tx.momentsOf(minute);
          judgedBy = { moments, offsets: offsetsOf(await ledgerAround(tx, rules, known, nowMs, minute), moments) };
        }
        report.settled += await tx.settle(minute, judgedBy.moments, judgedBy.offsets, { part, parts });
      });
    }
  }
}

/**
 * What is known of the clocks around a minute: in memory while it is young, else out of the store. Memory only ever adds: where a crossing
 * was withdrawn (another server counted in its place) its edge would stay.
 */
async function ledgerAround(
  tx: AuditTx,
  rules: Rules,
  known: Known,
  nowMs: EpochMillis,
  minute: number,
): Promise<ClockLedger> {
  const second = minute * 60;
  const reach = Math.ceil(reachSeconds / 60);
  const isWhole = ![...known.withdrawn].some((withdrawn) => Math.abs(withdrawn - minute) <= reach);
  if (isWhole && second - reachSeconds > nowMs / 1000 - ledgerWindowSeconds) return known.ledger;
  const ledger = createClockLedger(rules.maxDriftPpm, (device) => clockName(known, device));
  const [from, to] = [second - reachSeconds, second + 60 + reachSeconds];
  addEdges(ledger, await tx.edgesBetween(from, to));
  addObservations(known, rules, ledger, await tx.observationsBetween(from, to));
  return ledger;
}
