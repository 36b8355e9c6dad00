export function traceIdHex(seed: number, index: number): string;
