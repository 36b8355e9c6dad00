import { jsonAnswer } from '#app/_http.ts';
import { hopscope } from '#app/_server.ts';
import { collectorTroubles } from '#lib/domain/collector-words.ts';
import { epochMillisOf } from '#lib/domain/units.ts';
import { inTime } from '#lib/views/in-time.ts';

export const dynamic = 'force-dynamic';

const patienceMs = 2_000;

/** 200 when data can come in and be asked for; 503 with the reasons, in words, when not. */
export async function GET(): Promise<Response> {
  const [reasons, ofStore] = await Promise.all([whyNotReady(), storeWarnings()]);
  const warnings = [...ofStore, ...collectorWarnings()];
  return jsonAnswer({ ready: reasons.length === 0, reasons, warnings }, reasons.length === 0 ? 200 : 503);
}

/** What is wrong with the store and keeps nothing from coming in: a server that answers before it has written, a table that lags. */
async function storeWarnings(): Promise<string[]> {
  try {
    const { store } = hopscope();
    return (await soon(store.status())).warnings;
  } catch {
    return [];
  }
}

/** Collectors in other processes have a readiness of their own. */
function collectorWarnings(): string[] {
  try {
    const { status, clock } = hopscope();
    return collectorTroubles(status.collectors(), epochMillisOf(clock()));
  } catch {
    return [];
  }
}

async function whyNotReady(): Promise<string[]> {
  try {
    const { store, status } = hopscope();
    const trouble = await soon(store.lastArrivalMs()).then(() => null, wordsOf);
    return trouble === null ? status.reasons() : [...status.reasons(), `the store does not answer: ${trouble}`];
  } catch (error) {
    return [error instanceof Error ? error.message : 'not started'];
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const soon = <T>(answer: Promise<T>): Promise<T> =>
  inTime(answer, patienceMs, () => new Error(`nothing came within ${patienceMs / 1_000} s`));
