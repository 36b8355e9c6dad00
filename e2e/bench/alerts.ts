import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pressTheButton, tellOfTheMove } from '../steps/button.ts';
import { getJson, startProduct, until } from '../steps/product.ts';
import { receiveMessages } from '../steps/webhook.ts';

interface AlertFigures {
  history: { at: string; what: string }[];
}

/** A button that is pressed twice a second becomes slow: how long until somebody was told, and how much of it was us. */
export async function measureAlert(): Promise<{ slowToToldMs: number; seenToToldMs: number; firedToToldMs: number }> {
  const hook = await receiveMessages();
  const settings = join(mkdtempSync(join(tmpdir(), 'hopscope-bench-')), 'hopscope.yaml');
  writeFileSync(
    settings,
    `budgets: [{ path: "button press", totalMs: 10 }]
delivery:
  allowPrivate: ["${new URL(hook.url).host}"]
  targets: [{ name: on-call, kind: webhook, url: "${hook.url}", allowPlaintext: true }]
`,
  );
  const product = await startProduct({ args: ['--config', settings] });
  const button = pressTheButton(product);
  const told = (): boolean => hook.messages.some(({ text }) => text.includes('utton press'));
  try {
    await new Promise((done) => setTimeout(done, 45_000));
    await tellOfTheMove(product, 'ashburn');
    const slowMs = Date.now();
    button.answersFrom('ashburn');
    let toldMs = 0;
    await until(
      'somebody is told',
      async () => {
        toldMs = Date.now();
        return told();
      },
      120_000,
      20,
    );
    const { items } = await getJson<{ items: { id: string; title: string }[] }>(product, '/api/v1/alerts');
    const { history } = await getJson<AlertFigures>(product, `/api/v1/alerts/${items[0]!.id}`);
    const at = (what: string): number => Date.parse(history.find((event) => event.what === what)!.at);
    return { slowToToldMs: toldMs - slowMs, seenToToldMs: toldMs - at('seen'), firedToToldMs: toldMs - at('fired') };
  } finally {
    await button.stop();
    await product.stop();
    await hook.close();
  }
}
