// The wafer station in San Francisco lets the model in Funabashi look at a wafer: HTTP, so one clock measures it all.

import { postTraced, serveTraced } from '../http-call.ts';
import { pause } from '../pause.ts';
import { between } from '../random.ts';
import { CARRIER_DETOUR_MS } from '../story.ts';
import type { World } from '../world.ts';

const PICTURE = JSON.stringify({ wafer: 'W-2291', region: [412, 88, 640, 256], picture: 'iVBORw0K'.repeat(150) });

export async function startWaferInspect(world: World): Promise<void> {
  const station = world.machine('wafer-sf');
  const camera = world.machine('camera-funabashi');
  const random = world.random('inspect');

  const model = await serveTraced(camera.service('local-llm'), '/v1/inspect', async () => {
    await pause(between(random, 810, 855));
    return JSON.stringify({ verdict: 'clean', confidence: 0.97 });
  });
  world.onStop(() => model.close());

  const way = await world.way(station, camera, model.port);
  world.onScene(({ scenes }) => {
    way.setDetourMs(scenes.has('carrier-detour') ? CARRIER_DETOUR_MS / 2 : 0);
  });

  const service = station.service('wafer-station');
  world.every('wafer inspect', 0.45, async () => {
    const root = service.start('wafer inspect', { attributes: { 'factory.wafer': 'W-2291' } });
    await pause(1.5);
    const call = { port: way.port, server: camera.name, path: '/v1/inspect', body: PICTURE, agent: station.agent };
    if ((await postTraced(root, call)) === undefined) root.fail('no answer');
    await pause(0.6);
    root.end();
  });
}
