import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['lib/**/*.test.ts', 'collectors/**/*.test.ts', 'components/**/*.test.{ts,tsx}', 'app/**/*.test.{ts,tsx}'],
    // two cores: files that start brokers, stores and child processes would starve each other
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
  // pages are marked server-only for Next; under vitest they run on the server anyway
  resolve: { alias: { 'server-only': new URL('./.ci/empty.ts', import.meta.url).pathname } },
});
