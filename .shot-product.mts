import { writeFileSync } from 'node:fs';
import { startProduct } from './e2e/steps/product.ts';

const demo = process.argv[2] === 'demo';
const product = await startProduct(demo ? { args: [] } : {});
writeFileSync(
  '/tmp/paths-shots/product.json',
  JSON.stringify({ url: product.url, pid: product.pid, otlp: product.otlp }),
);
console.log('up', product.url);
const stop = async () => {
  await product.stop();
  process.exit(0);
};
process.on('SIGTERM', () => void stop());
setTimeout(() => void stop(), 35 * 60_000);
