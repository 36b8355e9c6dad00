import type { Product } from './product.ts';
import { newSpanId, newTraceId, sendSpans } from './spans.ts';

export type Place = 'hannover' | 'ashburn';

const hosts: Record<Place, string> = { hannover: 'booth-hannover', ashburn: 'site-ashburn' };
const versions: Record<Place, string> = { hannover: 'v41', ashburn: 'v42' };
/** there and back; its times are told, not taken, so that no busy machine changes the story */
const wayMs: Record<Place, number> = { hannover: 1.5, ashburn: 100 };
const workMs = 2.5;

/** Somebody in Hannover presses the button twice a second; factory-events answers from where it stands. */
export function pressTheButton(product: Product): { answersFrom(place: Place): void; stop(): Promise<void> } {
  let place: Place = 'hannover';
  let sending: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    sending = press(product, place).catch(() => {});
  }, 500);
  return {
    answersFrom: (next) => {
      place = next;
    },
    stop: async () => {
      clearInterval(timer);
      await sending;
    },
  };
}

async function press(product: Product, place: Place): Promise<void> {
  const traceId = newTraceId();
  const [root, call, answer] = [newSpanId(), newSpanId(), newSpanId()];
  const takesMs = wayMs[place] + workMs;
  const button = { traceId, service: 'line-button', host: 'rio-hannover-1', site: 'hannover' };
  await sendSpans(
    product,
    [
      { ...button, name: 'button press', kind: 'internal', spanId: root, startMs: 0, durationMs: takesMs + 0.4 },
      {
        ...button,
        name: 'POST /press',
        kind: 'client',
        spanId: call,
        parentSpanId: root,
        startMs: 0.2,
        durationMs: takesMs,
        attributes: { 'http.request.method': 'POST', 'server.address': 'factory-events' },
      },
      {
        traceId,
        name: 'POST /press',
        kind: 'server',
        service: 'factory-events',
        host: hosts[place],
        site: place,
        spanId: answer,
        parentSpanId: call,
        startMs: 0.2 + wayMs[place] / 2,
        durationMs: workMs,
        attributes: { 'http.request.method': 'POST', 'http.route': '/press' },
      },
    ],
    Date.now() - takesMs - 5,
  );
}

/** What the pipeline says when it has moved it, as a line of curl would. */
export async function tellOfTheMove(product: Product, place: Place): Promise<void> {
  const response = await fetch(`${product.url}/api/v1/markers`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      id: `factory-events ${place}`,
      title: `Snapshot ${versions[place]}`,
      text: `now on ${hosts[place]}`,
      service: 'factory-events',
      version: versions[place],
      site: place,
      by: 'J. Okafor',
    }),
  });
  if (response.status !== 200) throw new Error(`the marker was refused: ${response.status} ${await response.text()}`);
}
