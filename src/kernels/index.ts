import { activationNames, activationOf } from '../backend/wasm/activation.ts';
import { PAGE } from '../backend/wasm/claim.ts';
import type { WasmBuild, WasmInstance } from '../backend/wasm/load.ts';
import type { WasmHeap } from '../backend/wasm/memory.ts';
import { type Opened, openInstance } from '../backend/wasm/open.ts';
import { encode } from '../backend/wasm/tape.ts';
import { namedTiles, packedBytes, type Tiles, type TileWish, usualTiles } from '../backend/wasm/tiles.ts';
import { tuneTiles } from '../backend/wasm/tune.ts';
import { allocate, bytesPerElement, type DType, dtypeOf, type TypedArray, viewOf } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import * as records from '../generated/records.ts';
import type { ActivationName } from '../ops/activation.ts';
import { expectNumber } from '../ops/check.ts';
import { check } from './checks.ts';
import { Operands, type Use } from './operands.ts';
import type {
  ActivationOptions,
  KernelOptions,
  MatmulInt8Options,
  MatmulOptions,
  PackedWeights,
  QuantOptions,
  RowOptions,
} from './options.ts';
import { apart, type Extent, needed } from './sizes.ts';

export type { WasmBuild, WasmModules } from '../backend/wasm/load.ts';
export type { TileWish } from '../backend/wasm/tiles.ts';
export type { DType, TypedArray } from '../core/dtype.ts';
export { BiphaseError, type ErrorCode } from '../core/errors.ts';
export type * from './options.ts';
export type { ActivationName };

/** From 64 MiB on, V8 looks for garbage first: that took 2 to 5 ms of a start. */
const USUAL_BYTES = 48 * 2 ** 20;

/** Loads the kernels. Throws BiphaseError 'unavailable' without WebAssembly SIMD. */
export async function loadKernels(options?: KernelOptions): Promise<Kernels> {
  const { memoryBytes = USUAL_BYTES, build, modules, wide, tiles = 'usual' } = check.loadKernels(options);
  if (!(memoryBytes >= 2 ** 20 && memoryBytes <= 2 ** 32))
    fail('out_of_range', `memoryBytes is ${memoryBytes}, expected 1 MiB to 4 GiB`);
  const pages = Math.ceil(memoryBytes / PAGE);
  return new Kernels(await openInstance({ build, modules, wide, pages, mostPages: pages }), tiles);
}

/** Bytes for the record of a call. */
const TAPE_BYTES = 512;

/**
 * Synchronous kernels on typed arrays, one thread, for people with a framework of their own. Arrays from `alloc` lie in
 * the kernels' memory and are used in place; any other array is copied in, and results are copied out. The memory has a
 * fixed size, so views of it never go stale.
 */
export class Kernels {
  /** Which build was loaded. */
  readonly build: WasmBuild;
  /** Whether vectors are wide. */
  readonly wide: boolean;
  /** Why they are not, where they were asked for. */
  readonly whyNotWide: string | undefined;
  private readonly instance: WasmInstance;
  private readonly heap: WasmHeap;
  private readonly operands: Operands;
  private readonly tape: number;
  private readonly scratch: { readonly scratch: number; readonly scratchPerThread: number };
  private readonly tiles: Tiles;
  /** Bytes handed out, by address. */
  private readonly blocks = new Map<number, number>();
  /** What was made of int8 weights for products of more than one row, by the weights' address. */
  private readonly panels = new Map<number, { readonly address: number; readonly bytes: number }>();

  constructor({ instance, heap, exact, vectors }: Opened, wish: TileWish) {
    this.instance = instance;
    this.build = instance.build;
    this.wide = vectors.wide;
    this.whyNotWide = vectors.wide ? undefined : vectors.reason;
    this.heap = heap;
    const usual = usualTiles(this.build, exact, vectors.wide);
    if (typeof wish === 'object') this.tiles = namedTiles(wish, usual);
    else if (vectors.wide) this.tiles = vectors.tuned;
    else this.tiles = (wish === 'timed' && tuneTiles(instance, heap, exact)) || usual;
    const scratchPerThread = instance.exports.scratchBytes();
    this.scratch = { scratch: heap.allocate(scratchPerThread, 'scratch memory'), scratchPerThread };
    this.tape = heap.allocate(TAPE_BYTES, 'the tape');
    this.operands = new Operands(heap);
  }

  /** An array of zeros in the kernels' memory. Throws 'out_of_memory' when that is full. */
  alloc(dtype: 'f32', length: number): Float32Array;
  alloc(dtype: 'i32', length: number): Int32Array;
  alloc(dtype: 'u8', length: number): Uint8Array;
  alloc(dtype: 'i8', length: number): Int8Array;
  alloc(dtype: DType, length: number): TypedArray {
    if (!Number.isInteger(length) || length < 0) fail('invalid_argument', `alloc: length is ${length}`);
    if (!(dtype in bytesPerElement)) fail('invalid_argument', `alloc: unknown dtype '${dtype}'`);
    if (length === 0) return allocate(dtype, 0);
    const bytes = length * bytesPerElement[dtype];
    const address = this.heap.allocate(bytes, `an array of ${length} ${dtype}`);
    this.blocks.set(address, bytes);
    return viewOf(dtype, this.heap.memory.buffer, address, length);
  }

  /** Gives back what alloc or packWeights handed out, whole and once. */
  free(item: TypedArray | PackedWeights): void {
    const [address, bytes] = ArrayBuffer.isView(item)
      ? [item.buffer === this.heap.memory.buffer ? item.byteOffset : -1, item.byteLength]
      : [item.address, item.bytes];
    if (ArrayBuffer.isView(item) && bytes === 0) return;
    if (this.blocks.get(address) !== bytes)
      fail('invalid_argument', 'free: that did not come from alloc or packWeights, or was freed before');
    this.blocks.delete(address);
    this.heap.release(address, bytes);
    const panels = this.panels.get(address);
    if (!panels) return;
    this.panels.delete(address);
    this.heap.release(panels.address, panels.bytes);
  }

  /** out (m x n) = activation(a b + bias); f32. Returns out. */
  matmul(a: Float32Array, b: Float32Array, out: Float32Array, given: MatmulOptions): Float32Array {
    const options = check.matmul(given);
    const { m, n, k, transposeA = false, transposeB = false, bias, activation } = options;
    const lda = options.lda ?? (transposeA ? m : k);
    const ldb = options.ldb ?? (transposeB ? k : n);
    const ldc = options.ldc ?? n;
    const extentA: Extent = transposeA ? [k, m, lda] : [m, k, lda];
    const extentB: Extent = transposeB ? [n, k, ldb] : [k, n, ldb];
    needed('matmul: a', a, 'f32', extentA);
    needed('matmul: b', b, 'f32', extentB);
    needed('matmul: out', out, 'f32', [m, n, ldc]);
    if (bias) needed('matmul: bias', bias, 'f32', [1, n, n]);
    apart('matmul', out, a, b, bias);
    const [tileRows, tileColumns] = this.tiles.f32Tile;
    const ref = activation && { name: activation, attrs: options };
    return this.run(out, (use) =>
      records.matmul({
        ...{ c: use.out(out), a: use.in(a), b: use.in(b), bias: bias && use.in(bias) },
        ...{ batch: 1, m, n, k, batchStrideA: 0, batchStrideB: 0 },
        ...{ rowA: transposeA ? 1 : lda, stepA: transposeA ? lda : 1 },
        ...{ stepB: transposeB ? 1 : ldb, columnB: transposeB ? ldb : 1, rowC: ldc },
        ...{ ...activationOf(ref), ...this.scratch, tileRows, tileColumns },
      }),
    );
  }

  /**
   * Keeps int8 weights (n x k) for any number of products: a byte for each, which is all that products of one row need. The first
   * product of more rows adds a copy for its tiles, of one byte for each weight by the relaxed dot and two by dot_i16x8.
   */
  packWeights(weight: Int8Array, options: Pick<PackedWeights, 'n' | 'k'>): PackedWeights {
    const { n, k } = check.packWeights(options);
    needed('packWeights: weight', weight, 'i8', [n, k, k]);
    const address = this.heap.allocate(n * k, 'int8 weights');
    this.blocks.set(address, n * k);
    new Int8Array(this.heap.memory.buffer, address, n * k).set(weight.subarray(0, n * k));
    return { n, k, address, bytes: n * k };
  }

  /** The same weights as the tiles read them: made by the first product that has more than one row. */
  private panelsOf({ n, k, address }: PackedWeights): number {
    const known = this.panels.get(address);
    if (known) return known.address;
    const bytes = packedBytes(n, k, this.tiles);
    const panels = { address: this.heap.allocate(bytes, 'weights packed for more than one row'), bytes };
    this.panels.set(address, panels);
    const { i8Tile, i8Kind } = this.tiles;
    const tile = { tileColumns: i8Tile[1], kind: i8Kind };
    return this.run(panels.address, () =>
      records.packI8({ weight: address, packed: panels.address, n, k, ...tile }),
    );
  }

  /** out u8 (m x n) from x u8 (m x k) and int8 weights: exact int32 sums, integer-only scaling. Returns out. */
  matmulInt8(x: Uint8Array, weights: PackedWeights, out: Uint8Array, options: MatmulInt8Options): Uint8Array {
    const { m, bias, multiplier, shift, table, ...clamp } = check.matmulInt8(options);
    const { zeroPoint = 0, min = 0, max = 255 } = clamp;
    const { n, k } = weights;
    needed('matmulInt8: x', x, 'u8', [m, k, k]);
    needed('matmulInt8: out', out, 'u8', [m, n, n]);
    needed('matmulInt8: bias', bias, 'i32', [1, n, n]);
    needed('matmulInt8: multiplier', multiplier, 'i32', [1, n, n]);
    if (table) needed('matmulInt8: table', table, 'u8', [1, 256, 256]);
    apart('matmulInt8', out, x, bias, multiplier, table);
    if (!Number.isInteger(shift) || shift < 17 || shift > 62)
      fail('out_of_range', `matmulInt8: shift is ${shift}, expected a whole number from 17 to 62`);
    expectNumber('matmulInt8', 'zeroPoint', zeroPoint, 0, 255);
    expectNumber('matmulInt8', 'max', max, 0, 255);
    expectNumber('matmulInt8', 'min', min, 0, max);
    if (this.blocks.get(weights.address) !== weights.bytes)
      fail('invalid_argument', 'matmulInt8: these weights were freed, or are not of these kernels');
    const { i8Tile, i8Kind: kind } = this.tiles;
    const [tileRows, tileColumns] = i8Tile;
    const packed = m === 1 ? undefined : this.panelsOf(weights);
    return this.run(out, (use) =>
      records.matmulI8({
        ...{ y: use.out(out), x: use.in(x), bias: use.in(bias), multiplier: use.in(multiplier) },
        ...{ table: table && use.in(table), weight: weights.address, packed },
        ...{ m, n, k, shift, zeroPoint, min, max, kind, ...this.scratch, tileRows, tileColumns },
      }),
    );
  }

  /** out = activation(x), element by element; x and out may be the same array. Returns out. */
  activation(
    name: ActivationName,
    x: Float32Array,
    out: Float32Array,
    given?: ActivationOptions,
  ): Float32Array {
    const options = check.activation(given);
    needed('activation: x', x, 'f32', [1, x.length, x.length]);
    needed('activation: out', out, 'f32', [1, x.length, x.length]);
    if (!activationNames.includes(name))
      fail('invalid_argument', `activation: there is none named '${name}'`);
    const kind = activationOf({ name, attrs: options });
    return this.run(out, (use) =>
      records.activation({ x: use.in(x), y: use.out(out), count: x.length, ...kind }),
    );
  }

  /** Softmax of each of `rows` rows. Returns out. */
  softmax(x: Float32Array, out: Float32Array, options: RowOptions): Float32Array {
    const { rows, n } = check.softmax(options);
    needed('softmax: x', x, 'f32', [rows, n, n]);
    needed('softmax: out', out, 'f32', [rows, n, n]);
    return this.run(out, (use) => records.softmax({ x: use.in(x), y: use.out(out), rows, n }));
  }

  /** out = clamp(round(x * f32(1 / scale)) + zeroPoint), halves to even; u8 or i8 by out's type. Returns out. */
  quantize<T extends Uint8Array | Int8Array>(x: Float32Array, out: T, options: QuantOptions): T {
    const { scale, zeroPoint } = check.quantize(options);
    const dtype = dtypeOf(out) === 'i8' ? 'i8' : 'u8';
    needed('quantize: x', x, 'f32', [1, x.length, x.length]);
    needed('quantize: out', out, dtype, [1, x.length, x.length]);
    apart('quantize', out, x);
    if (!(scale > 0 && scale < Infinity))
      fail('out_of_range', `quantize: scale is ${scale}, expected a positive number`);
    const inverse = Math.fround(1 / Math.fround(scale));
    const [low, high] = dtype === 'u8' ? [0, 255] : [-128, 127];
    const how = { inverse, zeroPoint, low, high };
    return this.run(out, (use) =>
      records.quantize({ x: use.in(x), y: use.out(out), count: x.length, ...how }),
    );
  }

  /** out = (x - zeroPoint) * scale. Returns out. */
  dequantize(x: Uint8Array | Int8Array, out: Float32Array, options: QuantOptions): Float32Array {
    const { scale, zeroPoint } = check.dequantize(options);
    const signed = dtypeOf(x) === 'i8';
    needed('dequantize: x', x, signed ? 'i8' : 'u8', [1, x.length, x.length]);
    needed('dequantize: out', out, 'f32', [1, x.length, x.length]);
    apart('dequantize', out, x);
    return this.run(out, (use) =>
      records.dequantize({ x: use.in(x), y: use.out(out), count: x.length, signed, zeroPoint, scale }),
    );
  }

  /** Bytes now handed out by alloc and packWeights. */
  get allocatedBytes(): number {
    return this.heap.allocatedBytes - this.scratch.scratchPerThread - TAPE_BYTES;
  }

  /** Runs one record, made from where a call's arrays lie: the same tape that whole programs are. Returns the result. */
  private run<T>(result: T, record: (use: Use) => records.TapeRecord): T {
    return this.operands.use((use) => {
      const tape = encode([record(use)]);
      new Uint32Array(this.heap.memory.buffer, this.tape, tape.length).set(tape);
      this.instance.exports.run(this.tape, this.tape + tape.byteLength, 0, 1, 0, 0);
      return result;
    });
  }
}
