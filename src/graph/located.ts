import { BiphaseError } from '../core/errors.ts';

/** Errors that name a layer already. */
const known = new WeakSet<object>();

/** An error that says in which layer it came up. */
export function located(error: unknown, path: string): unknown {
  if (!(error instanceof BiphaseError) || known.has(error)) return error;
  const named = new BiphaseError(error.code, `layer '${path}': ${error.message}`, { cause: error });
  known.add(named);
  return named;
}
