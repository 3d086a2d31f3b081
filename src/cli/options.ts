import { InvalidArgumentError, Option } from 'commander';
import type { EngineOptions } from '../node.ts';

/** A whole number from `least` to `most`. */
export const whole = (least: number, most: number) => (text: string) => {
  const n = numberOf(text);
  if (!Number.isInteger(n) || n < least || n > most)
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
  return n;
};

/** A number from `least` to `most`. */
export const real = (least: number, most: number) => (text: string) => {
  const n = numberOf(text);
  if (!(n >= least && n <= most))
    throw new InvalidArgumentError(`Expected a number from ${least} to ${most}.`);
  return n;
};

/** Number('') is 0: an empty variable in a script would pass for a choice. */
const numberOf = (text: string) => (text.trim() === '' ? Number.NaN : Number(text));

/** Whole numbers from 1, with commas between. */
export const sizes = (text: string): number[] => text.split(',').map(whole(1, 2 ** 20));

export const backendOption = () =>
  new Option('--backend <name>', 'what computes')
    .choices(['auto', 'wasm', 'webgpu', 'reference'])
    .default('auto');
export const threadsOption = () =>
  new Option('--threads <n>', 'threads of the wasm backend (one for each processor)').argParser(
    whole(1, 256),
  );
export const wideOption = () =>
  new Option(
    '--no-wide',
    'leave vectors at 128 bits (else 256, where this V8 and processor can and give the same bits)',
  );
export const jsonOption = () => new Option('--json', 'print one JSON document').default(false);

export interface Common extends Pick<EngineOptions, 'backend' | 'threads' | 'wide'> {
  readonly json: boolean;
}
