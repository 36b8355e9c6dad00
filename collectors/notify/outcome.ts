/** Why a message was not taken, in our own words: what the target answered is never repeated. */
export class NotSent extends Error {
  /** the same message will not be taken at another time, either */
  readonly isFinal: boolean;
  /** as the target asked for */
  readonly retryAfterMs: number | null;
  constructor(sentence: string, { isFinal = false, retryAfterMs = null as number | null } = {}) {
    super(sentence);
    this.name = 'NotSent';
    this.isFinal = isFinal;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Whatever was thrown on the way, as a sentence without a secret. */
export function notSent(error: unknown, deadlineMs: number): NotSent {
  if (error instanceof NotSent) return error;
  const { name, code } = error as { name?: string; code?: string };
  if (name === 'TimeoutError') return new NotSent(`no answer within ${deadlineMs / 1_000} s`);
  return new NotSent(
    sentences[code ?? ''] ?? (code ? `the connection failed (${code})` : 'it could not be made or sent'),
  );
}

const sentences: Record<string, string> = {
  ECONNREFUSED: 'nobody listens there (connection refused)',
  ENOTFOUND: 'found no address of that name',
  EAI_AGAIN: 'the name could not be looked up',
  ECONNRESET: 'the connection was cut off',
  EHOSTUNREACH: 'found no way there',
  ENETUNREACH: 'found no way there',
  ETIMEDOUT: 'nobody answered',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not from an authority this machine knows',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not from an authority this machine knows',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not from an authority this machine knows',
};
