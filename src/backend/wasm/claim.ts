import { typeName } from '../../core/arrays.ts';
import { fail } from '../../core/errors.ts';
import { takeSpare } from './spare.ts';

/** Bytes of a page of WebAssembly memory. */
export const PAGE = 65536;
/** 4 GiB, all that 32-bit addresses reach; the modules declare this maximum. */
export const MOST_PAGES = 65536;

/**
 * Maxima that are asked for one after the other. A maximum is an address range that many systems reserve whole, and some
 * refuse what is large: iOS for shared memories, a limit of addresses (ulimit -v), many engines in one process.
 */
const MAXIMA = [MOST_PAGES, MOST_PAGES / 4, MOST_PAGES / 16];

/** Maxima of memories that got another one than MOST_PAGES; a memory does not tell its own everywhere. */
const maxima = new WeakMap<WebAssembly.Memory, number>();

/** How many pages a memory may grow to. */
export const maximumOf = (memory: WebAssembly.Memory): number => maxima.get(memory) ?? MOST_PAGES;

/** Whether threads can share it. */
export const isShared = ({ buffer }: WebAssembly.Memory): boolean => typeName(buffer) === 'SharedArrayBuffer';

/**
 * A memory of at least `pages` pages that may grow as far as the system allows; one that threads can't share where it
 * allows no other. Throws 'out_of_memory' with the figures where it gives none.
 */
export function claimMemory(pages: number, shared: boolean): WebAssembly.Memory {
  const spare = shared ? takeSpare(pages * PAGE) : undefined;
  if (spare) return spare;
  let reason = '';
  for (const share of shared ? [true, false] : [false])
    for (const maximum of MAXIMA.filter((most) => most >= pages))
      try {
        const memory = new WebAssembly.Memory({ initial: pages, maximum, shared: share });
        if (maximum < MOST_PAGES) maxima.set(memory, maximum);
        return memory;
      } catch (error) {
        reason = (error as Error).message;
      }
  const mib = (n: number) => `${((n * PAGE) / 2 ** 20).toFixed(1)} MiB`;
  return fail(
    'out_of_memory',
    `the system gives no WebAssembly memory, not even ${mib(pages)} that may grow to ${mib(MAXIMA.at(-1)!)} (${reason}). ` +
      'V8 reserves 10 GiB of addresses for each memory: where addresses are limited (ulimit -v), raise the limit or start ' +
      'Node with --disable-wasm-trap-handler; dispose of engines that are no longer needed',
  );
}
