// The wafer station orders, and never hears back: a one-way talker, whose clock nobody can pin down.

import { pause } from '../pause.ts';
import type { World } from '../world.ts';

const ORDER = 'factory/sf/wafer/order';

export function startWaferOrder(world: World): void {
  const station = world.machine('wafer-sf');
  const service = station.service('wafer-station');
  world.every('wafer order', 0.5, async () => {
    if (!station.link.isConnected) return;
    const root = service.start('wafer order');
    await pause(0.4);
    const payload = JSON.stringify({ wafer: 'W-2291', recipe: 'etch-7', lot: 118, quantity: 25, due: '06:00' });
    root.publish({ link: station.link, topic: ORDER, payload });
    root.end();
  });

  const office = world.machine('erp-ashburn');
  const erp = office.service('erp');
  office.link.subscribe(ORDER, async (message) => {
    const work = erp.process(message);
    await pause(0.8);
    work.end();
  });
}
