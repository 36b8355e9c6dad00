/** For sort(): numbers too wide to be subtracted, and words by their code units, as the engine orders them. */
export const ascending = <T extends bigint | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
