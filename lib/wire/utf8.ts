const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Text of bytes; what is no UTF-8 becomes U+FFFD. */
export const textOf = (bytes: Uint8Array, start = 0, end = bytes.length): string =>
  decoder.decode(bytes.subarray(start, end));
export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);

/** The end of at most maxBytes from start, not inside a character. */
export function cutEnd(bytes: Uint8Array, start: number, end: number, maxBytes: number): number {
  if (end - start <= maxBytes) return end;
  let cut = start + maxBytes;
  // at most three continuation bytes belong to one character; more of them is no UTF-8, cut anywhere
  for (let back = 0; back < 3 && cut > start && (bytes[cut]! & 0xc0) === 0x80; back++) cut--;
  return cut;
}

/** Text of at most maxBytes in UTF-8, cut between characters. */
export function cutText(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  if (text.length <= maxBytes && Buffer.byteLength(text) <= maxBytes) return text;
  const bytes = encoder.encode(text.slice(0, maxBytes + 1));
  return textOf(bytes, 0, cutEnd(bytes, 0, bytes.length, maxBytes));
}

export const isLongerThan = (text: string, maxBytes: number): boolean =>
  text.length * 3 > maxBytes && (text.length > maxBytes || Buffer.byteLength(text) > maxBytes);
