// The booth's own broker in Hannover. Only the machines beside it talk to it; broker-dublin and so the product's
// collector never see its messages: the hop is direct, without a passage.

import { type AddressInfo, createServer } from 'node:net';
import { Aedes } from 'aedes';

export interface LocalBridge {
  port: number;
  close(): Promise<void>;
}

export async function startLocalBridge(): Promise<LocalBridge> {
  const broker = await Aedes.createBroker({ id: 'booth-hannover local bridge' });
  const server = createServer({ noDelay: true }, (socket) => {
    broker.handle(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close();
        broker.close(() => resolve());
      }),
  };
}
