type Change = { arrivalMs: number };

/** Tells open pages that something changed. */
export function changeFeed() {
  const listeners = new Set<(change: Change) => void>();
  let arrivalMs = Date.now();
  const tellAgain = (): void => {
    for (const listener of listeners) listener({ arrivalMs });
  };
  return {
    tell: (): void => {
      arrivalMs = Date.now();
      tellAgain();
    },
    /** What people did is news, too, but makes no data younger than it is. */
    tellAgain,
    subscribe: (listener: (change: Change) => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
