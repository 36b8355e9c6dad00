import { defineConfig } from 'playwright/test';

/** Real Chromium against the built product, which each test file starts for itself and feeds over the wire. */
export default defineConfig({
  testDir: '.',
  testMatch: '**/*.spec.ts',
  // two cores, and each worker runs a whole product
  workers: 1,
  fullyParallel: false,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  outputDir: '../test-results',
  use: {
    browserName: 'chromium',
    headless: true,
    launchOptions: {
      executablePath: '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-background-networking',
        '--disable-gpu',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
    viewport: { width: 1440, height: 900 },
    screenshot: 'only-on-failure',
    // for who looks for a cause by hand: pages are slower with it
    trace: process.env.HOPSCOPE_TRACE ? 'retain-on-failure' : 'off',
  },
});
