import { fail } from './errors.ts';

/**
 * The promise's value; 'unavailable' when it takes longer than `ms`, for work that may never answer. What comes after that
 * goes to `late`, to be given back.
 */
export async function within<T>(
  ms: number,
  what: string,
  work: PromiseLike<T>,
  late: (value: T) => void = () => {},
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  const answered = Promise.resolve(work);
  answered.then(
    (value) => over && late(value),
    () => {},
  );
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      over = true;
      reject(new Error('too late'));
    }, ms);
  });
  try {
    return await Promise.race([answered, limit]);
  } catch (error) {
    if (over) fail('unavailable', `${what} did not answer within ${ms / 1000} s`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
