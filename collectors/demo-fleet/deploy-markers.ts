// Whoever deploys tells the web address of it, as a pipeline would: POST /api/v1/markers, with an id of its own, so that it may try twice.

import { SCENES, type StoryState } from './story.ts';

const AGAIN_AFTER_MS = 2_000;
const MOST_TRIES = 30;
const DEPLOYER = 'J. Okafor';

export interface DeployMarker {
  id: string;
  title: string;
  text: string;
  service: string;
  version: string;
  site: string;
  by: string;
  time: string;
}

const move = SCENES.find((scene) => scene.id === 'move-to-ashburn')!;

/** What there is to tell of this page of the story: the last deploy of its loop; undefined before the first. */
export function deployOf(state: StoryState, startedMs: number, speed: number, nowMs: number): DeployMarker | undefined {
  const { factoryEvents, second } = state;
  const away = factoryEvents.machine === 'site-ashburn';
  const atSecond = away ? move.fromSeconds : move.untilSeconds;
  if (factoryEvents.version === 'v41' || second < atSecond) return undefined;
  return {
    // each run of the story has its own
    id: `demo-fleet ${startedMs} ${factoryEvents.version}`,
    title: `Snapshot ${factoryEvents.version}`,
    text: away ? 'moved off booth-hannover' : 'back on booth-hannover, with a local bridge',
    service: 'factory-events',
    version: factoryEvents.version,
    site: away ? 'ashburn' : 'hannover',
    by: DEPLOYER,
    time: new Date(nowMs - ((second - atSecond) / speed) * 1_000).toISOString(),
  };
}

/** Tries again while nobody answers or the pages are not up yet; gives up when it is refused. */
export async function tell(web: string, marker: DeployMarker, signal: AbortSignal): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES && !signal.aborted; tries++) {
    const status = await post(web, marker, signal);
    if (status !== null && status < 500) {
      if (status >= 400) console.warn(`demo fleet: ${web} refused the marker of ${marker.title} with ${status}`);
      return;
    }
    await new Promise((done) => setTimeout(done, AGAIN_AFTER_MS).unref());
  }
}

async function post(web: string, marker: DeployMarker, signal: AbortSignal): Promise<number | null> {
  try {
    const response = await fetch(`${web}/api/v1/markers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(marker),
      signal: AbortSignal.any([signal, AbortSignal.timeout(AGAIN_AFTER_MS)]),
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    return null;
  }
}
