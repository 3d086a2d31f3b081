import { BiphaseError, type ErrorCode, fail } from '../../core/errors.ts';
import { within } from '../../core/within.ts';
import type { Probe, Provider } from './provider.ts';

/** What the caller got wrong stays an error; everything else is about the backend, and another may do. */
const MISTAKES: readonly ErrorCode[] = [
  'invalid_argument',
  'out_of_range',
  'dtype_mismatch',
  'shape_mismatch',
];

/** In ms: a GPU's driver may take seconds to start, and some (blocked by an extension, a hung process) never answer. */
const PATIENCE = 20_000;

export const isMistake = (error: unknown): boolean =>
  error instanceof BiphaseError && MISTAKES.includes(error.code);

/**
 * A provider that answers, whatever the runtime does: an error that is not the caller's mistake becomes a reason of the
 * probe, or a typed error of create(); and so does silence.
 */
export function guarded(provider: Provider): Provider {
  const { name } = provider;
  return {
    name,
    async probe(): Promise<Probe> {
      try {
        return await within(PATIENCE, name, provider.probe());
      } catch (error) {
        if (isMistake(error)) throw error;
        return { available: false, reason: reasonOf(error) };
      }
    },
    async create() {
      try {
        return await within(PATIENCE, name, provider.create(), (backend) => backend.dispose());
      } catch (error) {
        if (error instanceof BiphaseError) throw error;
        return fail('unavailable', reasonOf(error), { cause: error });
      }
    },
  };
}

/** Runtimes throw what they like: a kind of error says more than some messages do. */
function reasonOf(error: unknown): string {
  if (error instanceof BiphaseError) return error.message;
  const { name, message } = (error ?? {}) as { name?: unknown; message?: unknown };
  if (typeof message !== 'string') return String(error);
  return typeof name === 'string' && name !== 'Error' ? `${name}: ${message}` : message;
}
