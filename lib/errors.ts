/** A broken world. Expected outcomes are return values; these are thrown, and translated once per edge. */
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

export class HopscopeError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HopscopeError';
    this.code = code;
  }
}
