// The simulation in San Francisco tells its state to both workers; the farther one, in Ashburn, sets the time.

import { pause } from '../pause.ts';
import { producerOf } from '../service.ts';
import type { World } from '../world.ts';

export const STATE = 'factory/sf/sim/state';

export function startSimSync(world: World): void {
  const machine = world.machine('sim-sf');
  const sim = machine.service('sim-engine');
  const payload = JSON.stringify({ tick: 0, bodies: 'QUJD'.repeat(55) });
  world.every('sim sync', 0.5, async () => {
    if (!machine.link.isConnected) return;
    const root = sim.start('sim sync');
    await pause(0.3);
    root.publish({ link: machine.link, topic: STATE, payload });
    root.end();
  });

  for (const name of ['worker-dublin', 'worker-ashburn']) {
    const worker = world.machine(name);
    const service = worker.service('sim-worker');
    worker.link.subscribe(STATE, async (message) => {
      if (!producerOf(message)) return;
      const work = service.process(message);
      await pause(0.6);
      work.end();
    });
  }
}
