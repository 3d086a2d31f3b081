import { fail } from '../../core/errors.ts';
import type { Plan, Step } from '../../graph/plan.ts';
import type { Backend, Program, Source, Unsupported } from '../backend.ts';
import { type LaidOutEntry, Layout } from '../entries.ts';
import { ENGINE_DISPOSED } from '../program.ts';
import { isShared } from './claim.ts';
import { differing } from './families.ts';
import { kernelOf } from './kernels/index.ts';
import type { WasmBuild, WasmModules } from './load.ts';
import { inWords, judge, type Opened, openInstance, type Vectors } from './open.ts';
import { ThreadPool } from './pool.ts';
import { type Host, WasmProgram } from './program.ts';
import { namedTiles, type Tiles, type TileWish, usualTiles } from './tiles.ts';
import { rateTiles, type TunedTiles, tuneTiles } from './tune.ts';
import { noThreads, processors } from './workers.ts';

export interface WasmOptions {
  /** Instructions; the best the engine has if not given. */
  readonly build?: WasmBuild;
  /** Threads, the caller's included; if not given, one for each processor, up to 8. Small programs run on one. */
  readonly threads?: number;
  /** Tiles of the products: timed at start-up if not given. Results are the same bits for all of them. */
  readonly tiles?: TileWish;
  /**
   * Vectors of 256 bits where V8 can join them (Node from 24, x64 with AVX2), checked before they are used; `describe()` says
   * whether they are, or why not. The results are the same bits. The flag that this sets holds for the whole process, and for
   * all WebAssembly in it that is optimized afterwards: not only this library's. Not set if not asked for.
   */
  readonly wide?: boolean;
  /** The library's modules, already compiled, for hosts that forbid compiling from bytes. One thread. */
  readonly modules?: WasmModules;
}

export const MOST_THREADS = 64;
/** More seldom pays for networks of this size. */
const USUAL_THREADS = 8;

/** Makes the WebAssembly backend. Throws 'unavailable' without SIMD, 'invalid_argument' for nonsense options. */
export async function createWasmBackend(options: WasmOptions = {}): Promise<WasmBackend> {
  const { build, modules } = options;
  const threads = options.threads ?? Math.min(processors(), USUAL_THREADS);
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS)
    fail('invalid_argument', `threads is ${threads}, expected a whole number from 1 to ${MOST_THREADS}`);
  if (build !== undefined && build !== 'simd128' && build !== 'relaxed')
    fail('invalid_argument', `unknown build '${build}'; expected 'simd128' or 'relaxed'`);
  const given = modules && 'modules that come compiled import a memory that threads cannot share';
  const never = threads > 1 ? (given ?? noThreads()) : undefined;
  const wanted = threads > 1 && !never;
  const opened = await openInstance({ build, modules, wide: options.wide, shared: wanted }, (checked) =>
    judge(checked, differing),
  );
  const refused = wanted && !isShared(opened.instance.memory);
  const whyOne = never ?? (refused ? 'the system gave no memory that threads can share' : undefined);
  return new WasmBackend(opened, whyOne ? 1 : threads, whyOne, options.tiles ?? 'timed');
}

export class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly build: WasmBuild;
  private readonly host: Host;
  private readonly pool: ThreadPool | undefined;
  private readonly tiles: string;
  private readonly vectors: Vectors;
  private rates: TunedTiles['rates'];
  private readonly overhead: number;
  /** Why there is one thread although more were wanted. */
  private whyOne: string | undefined;

  constructor(opened: Opened, threads: number, whyOne: string | undefined, wish: TileWish) {
    const { instance, heap, vectors } = opened;
    this.build = instance.build;
    this.whyOne = whyOne;
    this.vectors = vectors;
    const { tiles, how, rates } = pickTiles(opened, wish);
    this.rates = rates ?? { f32: 0, i8: 0 };
    this.tiles = `f32 tile ${tiles.f32Tile.join('x')}, int8 tile ${tiles.i8Tile.join('x')} by ${tiles.i8Kind ? 'relaxed dot' : 'dot_i16x8'} (${how})`;
    const scratchPerThread = instance.exports.scratchBytes();
    const scratch = heap.allocate(scratchPerThread * (threads > 1 ? threads + 1 : 1), 'scratch memory');
    this.host = { instance, heap, place: { scratch, scratchPerThread, ...tiles } };
    this.pool = threads > 1 ? new ThreadPool(instance, heap, threads) : undefined;
    this.overhead = heap.allocatedBytes;
  }

  get threads(): number {
    return this.pool && !this.whyOne ? this.pool.threads : 1;
  }

  get wide(): boolean {
    return this.vectors.wide;
  }

  get description(): string {
    const threads = this.threads === 1 ? '1 thread' : `${this.threads} threads`;
    const why = this.whyOne ? `: ${this.whyOne}` : '';
    return `WebAssembly ${this.build}${inWords(this.vectors)}, ${this.tiles}, ${threads}${why}`;
  }

  /** The most that its tiles have reached, now included: takes less than a millisecond. */
  get peak() {
    const { instance, heap, place } = this.host;
    const now = heap.closed ? undefined : rateTiles(instance, heap, place);
    const { f32, i8 } = this.rates;
    if (now) this.rates = { f32: Math.max(f32, now.f32), i8: Math.max(i8, now.i8) };
    if (!this.rates.f32 || !this.rates.i8) return undefined;
    return { f32: 1e9 * this.threads * this.rates.f32, i8: 1e9 * this.threads * this.rates.i8 };
  }

  get allocatedBytes(): number {
    return this.host.heap.allocatedBytes - this.overhead;
  }

  supports(step: Step): true | Unsupported {
    const kernel = kernelOf(step.op);
    return 'reason' in kernel ? kernel : true;
  }

  async compile(source: Source): Promise<Program> {
    if (this.host.heap.closed) fail('disposed', ENGINE_DISPOSED);
    const layout = new Layout(source);
    const shares = layout.entries.some((entry) => sharedFrom(entry) <= entry.most);
    const pool = shares ? await this.startPool() : undefined;
    if (this.host.heap.closed) fail('disposed', ENGINE_DISPOSED);
    return new WasmProgram(layout, this.host, { pool, sharedFrom });
  }

  dispose(): void {
    const { heap } = this.host;
    if (heap.closed) return;
    heap.closed = true;
    void this.pool?.dispose().then((gone) => gone && heap.leave());
  }

  /** The pool with its threads running; undefined, with the reason noted, where they can't be had. */
  private async startPool(): Promise<ThreadPool | undefined> {
    if (!this.pool || this.whyOne) return undefined;
    try {
      await this.pool.start();
      return this.pool;
    } catch (error) {
      if (this.host.heap.closed) return undefined;
      this.whyOne = `threads could not be started: ${(error as Error).message}`;
      return undefined;
    }
  }
}

/** Timing takes some milliseconds, so it is done once for each build. */
const tuned = new Map<string, TunedTiles | undefined>();

function pickTiles(
  { instance, heap, exact, vectors }: Opened,
  wish: TileWish,
): { tiles: Tiles; how: string; rates?: TunedTiles['rates'] } {
  const usual = usualTiles(instance.build, exact, vectors.wide);
  if (typeof wish === 'object') return { tiles: namedTiles(wish, usual), how: 'as asked for' };
  if (wish !== 'timed' && wish !== 'usual')
    fail('invalid_argument', `tiles is '${wish}'; expected 'timed', 'usual' or { f32, i8 }`);
  if (wish === 'usual') return { tiles: usual, how: 'the usual ones' };
  const key = `${instance.build} ${exact}`;
  if (!vectors.wide && !tuned.has(key)) tuned.set(key, tuneTiles(instance, heap, exact));
  const tiles = vectors.wide ? vectors.tuned : tuned.get(key);
  if (!tiles) return { tiles: usual, how: "the usual ones: this runtime's clock is too coarse to time them" };
  const { f32, i8 } = tiles.rates;
  // A rate of 0: the engine was still compiling the tile when time was up.
  if (!f32 || !i8) return { tiles, how: 'not all timed' };
  return { tiles, how: `timed: ${f32.toFixed(0)} GFLOP/s, ${i8.toFixed(0)} GOP/s`, rates: tiles.rates };
}

/** In ms, on one thread: below this, waking and waiting for other threads costs more than they bring. */
const WORTH_SHARING = 0.15;
/** Rough speeds of one thread, per ms. */
const [OPERATIONS, BYTES] = [3e7, 8e6];

/** The fewest rows of an entry that are worth more than the caller's thread; Infinity where no number of them is. */
function sharedFrom(entry: LaidOutEntry): number {
  const { least, most } = entry;
  if (msOf(entry.plan) < WORTH_SHARING) return Number.POSITIVE_INFINITY;
  const ms = msOf(entry.at(least));
  if (ms >= WORTH_SHARING) return least;
  // What a row takes is about the same for each.
  const perRow = (msOf(entry.plan) - ms) / (most - least);
  return least + Math.ceil((WORTH_SHARING - ms) / perRow);
}

/** What a plan takes on one thread, roughly. */
const msOf = (plan: Plan): number =>
  plan.steps.reduce((sum, { cost }) => sum + Math.max(cost.flops / OPERATIONS, cost.bytes / BYTES), 0);
