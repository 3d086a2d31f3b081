/**
 * Shared memories of engines that are gone, for engines to come. Runtimes free a shared memory late, because they don't
 * count its bytes as garbage: a process that makes one engine after the other would hold hundreds. The references are
 * weak, so nothing is kept alive for this.
 */
let spares: WeakRef<WebAssembly.Memory>[] = [];

/** How far each of them was written, in bytes; everything after that is zero. */
const written = new WeakMap<WebAssembly.Memory, number>();

/** The first bytes belong to the module, which takes them to be zero where it writes no constants. */
const MODULE_BYTES = 2048;

/** The smallest memory of at least so many bytes that nobody uses any more, if there is one. */
export function takeSpare(bytes: number): WebAssembly.Memory | undefined {
  const size = (memory: WebAssembly.Memory) => memory.buffer.byteLength;
  const [found] = spares
    .flatMap((ref) => ref.deref() ?? [])
    .filter((memory) => size(memory) >= bytes)
    .sort((a, b) => size(a) - size(b));
  if (!found) return undefined;
  spares = spares.filter((ref) => ref.deref() !== found);
  new Uint8Array(found.buffer, 0, MODULE_BYTES).fill(0);
  return found;
}

/** Offers a shared memory that no thread and no program will touch again, written up to `bytes`. */
export function offerSpare(memory: WebAssembly.Memory, bytes: number): void {
  written.set(memory, bytes);
  spares = [...spares.filter((ref) => ref.deref()), new WeakRef(memory)];
}

/** How far a memory may hold what an earlier engine wrote, in bytes; 0 for a new one. */
export const writtenBytes = (memory: WebAssembly.Memory): number => written.get(memory) ?? 0;
