// The kiosk in San Francisco asks for its orders: HTTP to the gateway in Dublin, on to the ERP in Ashburn.

import { SpanKind } from '@opentelemetry/api';
import { postTraced, serveTraced } from '../http-call.ts';
import { pause } from '../pause.ts';
import { between } from '../random.ts';
import type { World } from '../world.ts';

export async function startOrderStatus(world: World): Promise<void> {
  const kiosk = world.machine('kiosk-sf');
  const gateway = world.machine('gateway-dublin');
  const erp = world.machine('erp-ashburn');
  const random = world.random('order status');

  const orders = await serveTraced(erp.service('erp'), '/orders', async (work) => {
    await pause(0.7);
    const select = work.start('SELECT orders', {
      kind: SpanKind.CLIENT,
      attributes: { 'db.system.name': 'postgresql', 'db.operation.name': 'SELECT', 'db.collection.name': 'orders' },
    });
    await pause(between(random, 3, 6));
    select.end();
    return JSON.stringify({ orders: [{ id: 'W-2291', state: 'in work' }] });
  });
  world.onStop(() => orders.close());

  const toErp = await world.way(gateway, erp, orders.port);
  const relay = await serveTraced(gateway.service('mcp-gateway'), '/orders', async (work, body) => {
    await pause(0.6);
    const call = { port: toErp.port, server: erp.name, path: '/orders', body, agent: gateway.agent };
    const answer = await postTraced(work, call);
    if (answer === undefined) throw new Error('erp-ashburn did not answer');
    return answer;
  });
  world.onStop(() => relay.close());

  const toGateway = await world.way(kiosk, gateway, relay.port);
  const console = kiosk.service('agent-console');
  world.every('order status', 0.3, async () => {
    const root = console.start('order status');
    await pause(0.5);
    const call = { port: toGateway.port, server: gateway.name, path: '/orders', body: '{}', agent: kiosk.agent };
    if ((await postTraced(root, call)) === undefined) root.fail('no answer');
    root.end();
  });
}
