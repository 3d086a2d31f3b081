import { type InstanceOptions, instantiate, type WasmInstance } from './load.ts';
import { WasmHeap } from './memory.ts';
import { probeDot } from './probe.ts';
import { type TunedTiles, tuneTiles } from './tune.ts';
import { provenOn, setWide, v8Version, whyFixed } from './wide.ts';

/** An instance with its heap, what its relaxed dot does, and how wide its vectors are. */
export interface Opened {
  readonly instance: WasmInstance;
  readonly heap: WasmHeap;
  /** The relaxed dot is exact for unsigned bytes. */
  readonly exact: boolean;
  readonly vectors: Vectors;
}

/** Whether wide vectors were asked for, and what became of it. */
export type Vectors =
  | { readonly wide: true; readonly tuned: TunedTiles }
  | { readonly wide: false; readonly reason: string | undefined };

type Checked = Omit<Opened, 'vectors'>;

/** What is wrong with any kernel's optimized code, in words (families.ts); undefined if nothing is. */
type OtherKernels = (instance: WasmInstance, heap: WasmHeap, exact: boolean) => string | undefined;

interface OpenOptions extends InstanceOptions {
  /** The heap never grows beyond this. */
  readonly mostPages?: number;
}

/** For describe(): nothing where nobody asked. */
export const inWords = (vectors: Vectors): string => {
  if (vectors.wide) return ', vectors of 256 bits';
  return vectors.reason === undefined ? '' : `, vectors not made wide (${vectors.reason})`;
};

/** What checking came to: once for each build in a process (and thread of JavaScript), whose V8 is one. */
const verdicts = new Map<string, Vectors>();

/**
 * Instantiates the module. With `wide`, vectors are made wide and checked: every tile, once V8 has optimized it, on known numbers;
 * and where this version of V8 is not one that the kernel tests run on, every family of kernels as well. If a bit differs, or
 * nothing can be checked, the flag is taken back, and the module compiled as it would have been.
 */
export async function openInstance(
  { wide, mostPages, ...options }: OpenOptions,
  check: (opened: Checked) => Vectors = judge,
): Promise<Opened> {
  const narrow = async (reason?: string): Promise<Opened> => ({
    ...ready(await instantiate(options), mostPages),
    vectors: { wide: false, reason },
  });
  if (!wide) return narrow();
  if (options.modules) return narrow('modules that come compiled stay as they are');
  const fixed = whyFixed();
  if (fixed) return narrow(fixed);
  const known = verdicts.get(options.build ?? 'best');
  if (known && !known.wide) return narrow(known.reason);
  setWide(true);
  const opened = ready(await instantiate({ ...options, wide: true }), mostPages);
  const vectors = known ?? check(opened);
  verdicts.set(options.build ?? 'best', vectors);
  if (vectors.wide) return { ...opened, vectors };
  setWide(false);
  opened.heap.leave();
  return narrow(vectors.reason);
}

const ready = (instance: WasmInstance, mostPages?: number) => {
  const heap = new WasmHeap(instance.memory, mostPages);
  return { instance, heap, exact: instance.build === 'relaxed' && probeDot(instance.exports, heap) };
};

/**
 * Looks at every tile; at `others`, all kernels, where this version of V8 is not one that is tested. Undefined there: nobody here
 * could look at them, so such a V8 is refused.
 */
export function judge({ instance, heap, exact }: Checked, others?: OtherKernels): Vectors {
  const refused = (reason: string): Vectors => ({ wide: false, reason });
  const tuned = tuneTiles(instance, heap, exact, true);
  if (!tuned) return refused('V8 did not optimize all tiles in time, so they could not be checked');
  if (tuned.wrong)
    return refused(`the ${tuned.wrong.type} tile ${tuned.wrong.tile.join('x')} gave a wrong sum`);
  // Tiles of 16 columns are too large for vectors of 128 bits: they reach 0.6 to 0.75 of the others, and 1.1 to 1.6 where two are one.
  if (tuned.gain < 0.8)
    return refused('tiles of 16 columns are no faster, so V8 joined nothing (it needs AVX2)');
  const version = v8Version();
  if (provenOn(version)) return { wide: true, tuned };
  const wrong = others ? others(instance, heap, exact) : 'only createEngine() checks all kernels';
  return wrong ? refused(`V8 ${version} is not one that is tested: ${wrong}`) : { wide: true, tuned };
}
