export type ErrorCode =
  | 'config'
  | 'listen'
  | 'data-dir'
  | 'store'
  | 'spool'
  | 'state'
  | 'busy'
  | 'bad-request'
  | 'not-found'
  | 'forbidden'
  | 'too-large'
  | 'too-many'
  | 'internal';

const mark = Symbol.for('hopscope.error');

/** A broken world. Expected outcomes are return values; these are thrown, and translated once per edge. */
export class HopscopeError extends Error {
  /** The pages are bundled with a copy of this class, and the store they were handed throws the other: both are the same to whoever catches. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && mark in value;
  }
  readonly [mark] = true;
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HopscopeError';
    this.code = code;
  }
}
