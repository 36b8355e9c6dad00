/** What becomes of the work, or of the signal when that is first, whatever the work makes of the signal. */
export const beforeAbort = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((done, failed) => {
    if (signal.aborted) return failed(signal.reason);
    signal.addEventListener('abort', () => failed(signal.reason), { once: true });
    work.then(done, failed);
  });
