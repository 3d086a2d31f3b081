import { fail } from './errors.ts';

/** Whether a callback of the caller's is still at work. */
export const isPromise = (x: unknown): x is PromiseLike<unknown> =>
  typeof x === 'object' && x !== null && typeof (x as { then?: unknown }).then === 'function';

/**
 * For callbacks whose result is needed at once: passes it on. Throws 'invalid_argument' where one is asynchronous; should its
 * promise be rejected later, nothing comes of that.
 */
export function atOnce<T>(what: string, result: T): T {
  if (!isPromise(result)) return result;
  result.then(undefined, () => undefined);
  return fail(
    'invalid_argument',
    `${what} returned a promise; expected a function that is not async: its result is needed at once`,
  );
}
