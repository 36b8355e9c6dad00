// The camera in Funabashi shows a frame to the model beside it, and the frame goes around by Dublin.

import type { Machine } from '../machine.ts';
import type { Message } from '../mqtt-link.ts';
import { pause } from '../pause.ts';
import { between } from '../random.ts';
import { producerOf } from '../service.ts';
import type { World } from '../world.ts';

export const FRAME = 'vision/funabashi/camera/frame';
export const FRAME_BYTES = 6_800;
const HOT_SLOWDOWN = 1.9;

export function startCameraSnapshot(world: World): void {
  const machine = world.machine('camera-funabashi');
  const camera = machine.service('camera');
  const frame = Buffer.alloc(FRAME_BYTES, 0x5a);
  world.every('camera snapshot', 0.5, async () => {
    if (!machine.link.isConnected) return;
    const root = camera.start('camera snapshot');
    await pause(1.8);
    root.publish({ link: machine.link, topic: FRAME, payload: frame });
    root.end();
  });
  placeModel(world);
}

function placeModel(world: World): void {
  const random = world.random('model');
  const look = (machine: Machine) => async (message: Message) => {
    // Frames between the snapshots only pass by.
    if (!producerOf(message)) return;
    const work = machine.service('local-llm').process(message);
    const isHot = machine.name === 'mini-1-funabashi' && world.state.scenes.has('mini-1-hot');
    await pause(between(random, 660, 705) * (isHot ? HOT_SLOWDOWN : 1));
    work.end();
  };
  let place: { machine: Machine; handler: (message: Message) => void } | undefined;
  world.onScene(({ localLlmOn }) => {
    if (place?.machine.name === localLlmOn) return;
    place?.machine.link.unsubscribe(FRAME, place.handler);
    const machine = world.machine(localLlmOn);
    place = { machine, handler: look(machine) };
    machine.link.subscribe(FRAME, place.handler);
  });
}
