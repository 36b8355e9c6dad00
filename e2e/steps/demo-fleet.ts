import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Product, root } from './product.ts';

/** The 26 machines, joined to a product at a moment of their story. */
export function joinFleet(product: Product, startAtSeconds: number): { leave(): Promise<void> } {
  const child = spawn(
    join(root, 'node_modules/node/bin/node'),
    [
      join(root, 'collectors/demo-fleet/main.ts'),
      '--broker',
      product.mqtt,
      '--otlp',
      product.otlp,
      '--web',
      product.url,
      '--start-at',
      String(startAtSeconds),
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  return {
    leave: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The settings of the story: sites, applications, budgets. */
export const fleetSettings = join(root, 'collectors/demo-fleet/hopscope.yaml');
