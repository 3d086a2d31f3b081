import type { Backend } from '../../src/backend/backend.ts';
import type { WasmBuild } from '../../src/backend/wasm/load.ts';
import { type Opened, openInstance } from '../../src/backend/wasm/open.ts';
import { encode } from '../../src/backend/wasm/tape.ts';
import { type Candidate, candidates, TileProbe } from '../../src/backend/wasm/tile-probe.ts';
import { stridedCopy } from '../../src/generated/records.ts';

/** What the machine can do at best: multiply and add f32, products of bytes and their sums, copying memory. */
export type LimitName = 'multiply_add' | 'dot' | 'copy';

export const limitUnits: Record<LimitName, string> = { multiply_add: 'GFLOP/s', dot: 'GOP/s', copy: 'GB/s' };

/** As large as the arrays of 1 Mi floats that the suites stream through. */
const COPIED_BYTES = 4 << 20;
const OPERATIONS = 5e6;

/**
 * The limits of this machine in a build's own instructions: bare loops over operands in the nearest cache, and a copy.
 * They are measured anew beside every case, since a processor's clock is not the same from second to second.
 */
export class Limits {
  private readonly tiles: TileProbe;
  private readonly best: { readonly multiply_add: Candidate; readonly dot: Candidate };
  private readonly copyOnce: () => void;
  private readonly threads: number;

  private constructor({ instance, heap, exact }: Opened, threads: number) {
    this.threads = threads;
    this.tiles = new TileProbe(instance, heap);
    const fastest = (type: Candidate['type']) =>
      candidates(exact)
        .filter((c) => c.type === type)
        // Engines optimize what runs often: the loops go round until they have been.
        .map((c) => ({
          c,
          rate: Math.max(...Array.from({ length: 20 }, () => this.tiles.rate(c, OPERATIONS))),
        }))
        .reduce((a, b) => (b.rate > a.rate ? b : a)).c;
    this.best = { multiply_add: fastest('f32'), dot: fastest('i8') };
    const [from, to] = [heap.allocate(COPIED_BYTES, 'limits'), heap.allocate(COPIED_BYTES, 'limits')];
    const copy = {
      x: from,
      y: to,
      size: 4,
      outer: 1,
      dims: [COPIED_BYTES / 4],
      stridesX: [1],
      stridesY: [1],
    };
    const tape = encode([stridedCopy(copy)]);
    const at = heap.allocate(tape.byteLength, 'limits');
    new Uint32Array(heap.memory.buffer, at, tape.length).set(tape);
    this.copyOnce = () => void instance.exports.run(at, at + tape.byteLength, 0, 1, 0, 0);
    for (let i = 0; i < 10; i++) this.copyOnce();
  }

  /**
   * For a backend on WebAssembly, with the same instructions and an instance and memory of their own. `threads`: the limits are
   * those of one, times this.
   */
  static async of({ build, wide }: Pick<Backend, 'build' | 'wide'>, threads: number): Promise<Limits> {
    return new Limits(await openInstance({ build: build as WasmBuild, wide, pages: 256 }), threads);
  }

  /**
   * Now, in units of limitUnits: the best of a few runs, as a processor takes its time to get going (it switches the upper halves
   * of its vectors off when idle), and a limit is what nothing exceeds.
   */
  measure(name: LimitName): number {
    const once = () => (name === 'copy' ? this.copyRate() : this.tiles.rate(this.best[name], OPERATIONS));
    return this.threads * Math.max(...Array.from({ length: 8 }, once));
  }

  private copyRate(): number {
    const begin = performance.now();
    for (let i = 0; i < 4; i++) this.copyOnce();
    return (4 * 2 * COPIED_BYTES) / (performance.now() - begin) / 1e6;
  }
}
