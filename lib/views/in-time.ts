import type { Millis } from '../domain/units.ts';

/** The answer, or after `withinMs` what `late` says: who asked does not wait for ever. */
export async function inTime<T>(answer: Promise<T>, withinMs: Millis, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), withinMs);
  });
  try {
    return await Promise.race([answer, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
