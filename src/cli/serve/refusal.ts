import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { BiphaseError, type ErrorCode } from '../../node.ts';

/** Why a request is not answered as it wishes: becomes `{"error", "code"}` with a status. */
export class Refusal extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export const malformed = (message: string) => new Refusal(400, 'invalid_data', message);
export const tooLarge = (message: string) => new Refusal(413, 'too_large', message);

/** The caller left before the answer: nobody reads it, and nothing is wrong. */
export class Cancelled extends Error {}

/** HTTP statuses of the library's errors that are not the server's fault, or not for long. */
const statusOf: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  invalid_argument: 400,
  invalid_data: 400,
  shape_mismatch: 400,
  dtype_mismatch: 400,
  out_of_range: 400,
  overloaded: 503,
  disposed: 503,
};

export function answerTo(error: unknown, c: Context) {
  if (error instanceof Refusal)
    return c.json({ error: error.message, code: error.code }, error.status, error.headers);
  const code = error instanceof BiphaseError ? error.code : 'internal';
  const status = statusOf[code as ErrorCode] ?? 500;
  if (status === 503) c.header('retry-after', '1');
  // What broke inside is for the log, not for strangers.
  if (status === 500) console.error(error);
  return c.json({ error: status === 500 ? 'internal error' : (error as Error).message, code }, status);
}
