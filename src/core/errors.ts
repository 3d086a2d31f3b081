/** What went wrong, for programs; the message says it for people. */
export type ErrorCode =
  | 'invalid_argument'
  | 'shape_mismatch'
  | 'dtype_mismatch'
  | 'out_of_range'
  | 'not_finite'
  | 'invalid_data'
  | 'unsupported'
  | 'unavailable'
  | 'out_of_memory'
  | 'disposed'
  | 'busy'
  | 'overloaded'
  | 'aborted'
  | 'device_lost'
  | 'worker_lost'
  | 'io_failed'
  | 'internal';

/** Every error this library throws on purpose. The message says what was given, what was expected, what to do. */
export class BiphaseError extends Error {
  /** What kind of thing went wrong, for programs. */
  readonly code: ErrorCode;
  /** Always 'BiphaseError'. */
  override readonly name = 'BiphaseError';

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Throws a BiphaseError; an expression, so that it can stand after `??` and in ternaries. */
export function fail(code: ErrorCode, message: string, options?: ErrorOptions): never {
  throw new BiphaseError(code, message, options);
}
