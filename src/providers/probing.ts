import { BiphaseError } from '../core/errors.ts';
import type { Probe } from '../scheduler/choose.ts';

/** Turns 'unavailable' into a finding; other errors (a bad option, say) stay errors. */
export async function probing(look: () => Promise<Probe>): Promise<Probe> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof BiphaseError && error.code === 'unavailable')
      return { available: false, reason: error.message };
    throw error;
  }
}
