/** Work of a service takes this long. Timers are coarse, so the last millisecond is waited out turn by turn. */
export async function pause(ms: number): Promise<void> {
  const dueMs = performance.now() + ms;
  if (ms > 1.5) await new Promise((resolve) => setTimeout(resolve, Math.floor(ms - 0.5)));
  while (performance.now() < dueMs) await new Promise((resolve) => setImmediate(resolve));
}

export function withDeadline(work: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    work.then(
      () => {
        clearTimeout(timer);
        resolve();
      },
      () => {
        clearTimeout(timer);
        resolve();
      },
    );
  });
}
