/** Bytes that are not what they claim to be: answered with 400, never sent again. The message says what was found and what was wanted. */
export class MalformedError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MalformedError';
  }
}
