import { activationCheck, activationNames, activationOf } from '../backend/wasm/activation.ts';
import { PAGE } from '../backend/wasm/claim.ts';
import { loadChecks, type WasmBuild, type WasmInstance, type WasmModules } from '../backend/wasm/load.ts';
import type { WasmHeap } from '../backend/wasm/memory.ts';
import { type Opened, openInstance } from '../backend/wasm/open.ts';
import { encode } from '../backend/wasm/tape.ts';
import {
  namedTiles,
  packedBytes,
  type TileShape,
  type Tiles,
  type TileWish,
  tileChecks,
  usualTiles,
} from '../backend/wasm/tiles.ts';
import { tuneTiles } from '../backend/wasm/tune.ts';
import { flag, object, oneOf, real, required, whole } from '../core/checks.ts';
import { allocate, bytesPerElement, type DType, dtypeOf, type TypedArray, viewOf } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { type Checks, optionsOf } from '../core/options.ts';
import * as records from '../generated/records.ts';
import type { ActivationName } from '../ops/activation.ts';
import { expectNumber } from '../ops/check.ts';
import { Operands } from './operands.ts';
import { apart, type Extent, needed } from './sizes.ts';

export type { WasmBuild, WasmModules } from '../backend/wasm/load.ts';
export type { TileWish } from '../backend/wasm/tiles.ts';
export type { DType, TypedArray } from '../core/dtype.ts';
export { BiphaseError, type ErrorCode } from '../core/errors.ts';
export type { ActivationName };

/** How the kernels are to be loaded. */
export interface KernelOptions {
  /** Bytes of memory for all that `alloc` hands out and for copies of other arrays; 48 MiB if not given. Never grows. */
  readonly memoryBytes?: number;
  /** Instructions; the best the engine has if not given. */
  readonly build?: WasmBuild;
  /** Tiles of the products: 'usual' if not given; 'timed' takes some milliseconds. Results are the same bits. */
  readonly tiles?: TileWish;
  /**
   * Vectors of 256 bits where V8 can join them (Node from 24, x64 with AVX2), checked before they are used; `wide` and
   * `whyNotWide` of the kernels say what became of it. The results are the same bits. The flag that this sets holds for the whole process, and for
   * all WebAssembly in it that is optimized afterwards: not only this library's. Not set if not asked for.
   */
  readonly wide?: boolean;
  /** The library's modules, already compiled, for hosts that forbid compiling from bytes. */
  readonly modules?: WasmModules;
}

/** Activation after a product, or on its own. `slope` is leaky_relu's, `alpha` elu's, `approximate` gelu's. */
export interface ActivationOptions {
  /** leaky_relu's slope below 0; 0.01 if not given. */
  readonly slope?: number;
  /** elu's value at minus infinity, negated; 1 if not given. */
  readonly alpha?: number;
  /** gelu: 'none' (the default) by erf, 'tanh' by the usual approximation. */
  readonly approximate?: 'none' | 'tanh';
}

/** Sizes and operands of a product. */
export interface MatmulOptions extends ActivationOptions {
  /** The product's sizes: (m x k) times (k x n). */
  readonly m: number;
  /** Columns of b and of out. */
  readonly n: number;
  /** Columns of a, rows of b: the terms of each sum. */
  readonly k: number;
  /** a holds (k x m), b holds (n x k). */
  readonly transposeA?: boolean;
  /** b holds (n x k). */
  readonly transposeB?: boolean;
  /** Elements from one stored row to the next, where they don't follow directly. */
  readonly lda?: number;
  /** As lda, for b; in elements. */
  readonly ldb?: number;
  /** As lda, for out; in elements. */
  readonly ldc?: number;
  /** (n), added to every row. */
  readonly bias?: Float32Array;
  /** Applied last. */
  readonly activation?: ActivationName;
}

/** Sizes of softmax's operands. */
export interface RowOptions {
  /** Rows. */
  readonly rows: number;
  /** Elements of a row. */
  readonly n: number;
}

/** int8 weights as the kernels read them; made by packWeights, given back by free. */
export interface PackedWeights {
  /** Output channels. */
  readonly n: number;
  /** Terms of each sum. */
  readonly k: number;
  /** Where they lie in the kernels' memory. */
  readonly address: number;
  /** Bytes they take there, besides what products of more than one row add. */
  readonly bytes: number;
}

/** Sizes, bias and scaling of an int8 product. */
export interface MatmulInt8Options {
  /** Rows of x. */
  readonly m: number;
  /** (n): int32 start of each sum, with the input's zero point taken out. */
  readonly bias: Int32Array;
  /** (n): 0 to 2^31 - 1; y = round(sum * multiplier / 2^shift), halves away from zero. */
  readonly multiplier: Int32Array;
  /** 17 to 62. */
  readonly shift: number;
  /** Added after scaling; then y is clamped to min..max (0 to 255 if not given). */
  readonly zeroPoint?: number;
  /** Least result, 0 to max; 0 if not given. */
  readonly min?: number;
  /** Greatest result, min to 255; 255 if not given. */
  readonly max?: number;
  /** 256 entries, applied last: any activation. */
  readonly table?: Uint8Array;
}

/** What the numbers of a quantized array stand for: real = (q - zeroPoint) * scale. */
export interface QuantOptions {
  /** Real units of one step; positive and finite. */
  readonly scale: number;
  /** The number that stands for 0. */
  readonly zeroPoint: number;
}

const activationChecks: Checks<ActivationOptions> = {
  ...{ slope: real(), alpha: real(), approximate: oneOf('none', 'tanh') },
};
const quantChecks: Checks<QuantOptions> = { scale: required(real()), zeroPoint: required(whole(-128, 255)) };
const size = required(whole(0));
const stride = whole(0);

/** The options of each call. */
const check = {
  loadKernels: optionsOf<KernelOptions>('loadKernels', {
    ...{ ...loadChecks, memoryBytes: real(), tiles: tileChecks, wide: flag },
  }),
  matmul: optionsOf<MatmulOptions>('matmul', {
    ...{
      m: size,
      n: size,
      k: size,
      transposeA: flag,
      transposeB: flag,
      lda: stride,
      ldb: stride,
      ldc: stride,
    },
    ...{ bias: object, activation: activationCheck, ...activationChecks },
  }),
  packWeights: optionsOf<Pick<PackedWeights, 'n' | 'k'>>('packWeights', { n: size, k: size }),
  matmulInt8: optionsOf<MatmulInt8Options>('matmulInt8', {
    ...{ m: size, bias: required(object), multiplier: required(object), shift: required(real()) },
    ...{ zeroPoint: real(), min: real(), max: real(), table: object },
  }),
  activation: optionsOf<ActivationOptions>('activation', activationChecks),
  softmax: optionsOf<RowOptions>('softmax', { rows: size, n: size }),
  quantize: optionsOf<QuantOptions>('quantize', quantChecks),
  dequantize: optionsOf<QuantOptions>('dequantize', quantChecks),
};

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
  private readonly scratch: number;
  private readonly scratchBytes: number;
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
    this.scratchBytes = instance.exports.scratchBytes();
    this.scratch = this.heap.allocate(this.scratchBytes, 'scratch memory');
    this.tape = this.heap.allocate(TAPE_BYTES, 'the tape');
    this.operands = new Operands(this.heap);
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
    const ref = activation && { name: activation, attrs: options };
    return this.operands.use((use) => {
      const record = records.matmul({
        ...{ c: use.out(out), a: use.in(a), b: use.in(b), bias: bias && use.in(bias) },
        ...{ batch: 1, m, n, k, batchStrideA: 0, batchStrideB: 0 },
        ...{ rowA: transposeA ? 1 : lda, stepA: transposeA ? lda : 1 },
        ...{ stepB: transposeB ? 1 : ldb, columnB: transposeB ? ldb : 1, rowC: ldc },
        ...{ ...activationOf(ref), ...this.place(this.tiles.f32Tile) },
      });
      this.run(record);
      return out;
    });
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
    this.run(records.packI8({ weight: address, packed: panels.address, n, k, ...tile }));
    return panels.address;
  }

  /** out u8 (m x n) from x u8 (m x k) and int8 weights: exact int32 sums, integer-only scaling. Returns out. */
  matmulInt8(x: Uint8Array, weights: PackedWeights, out: Uint8Array, options: MatmulInt8Options): Uint8Array {
    const {
      m,
      bias,
      multiplier,
      shift,
      zeroPoint = 0,
      min = 0,
      max = 255,
      table,
    } = check.matmulInt8(options);
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
    const packed = m === 1 ? undefined : this.panelsOf(weights);
    return this.operands.use((use) => {
      const record = records.matmulI8({
        ...{ y: use.out(out), x: use.in(x), bias: use.in(bias), multiplier: use.in(multiplier) },
        ...{ table: table && use.in(table), weight: weights.address, packed },
        ...{ m, n, k, shift, zeroPoint, min, max, kind: this.tiles.i8Kind, ...this.place(this.tiles.i8Tile) },
      });
      this.run(record);
      return out;
    });
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
    return this.operands.use((use) => {
      this.run(records.activation({ x: use.in(x), y: use.out(out), count: x.length, ...kind }));
      return out;
    });
  }

  /** Softmax of each of `rows` rows. Returns out. */
  softmax(x: Float32Array, out: Float32Array, options: RowOptions): Float32Array {
    const { rows, n } = check.softmax(options);
    needed('softmax: x', x, 'f32', [rows, n, n]);
    needed('softmax: out', out, 'f32', [rows, n, n]);
    return this.operands.use((use) => {
      this.run(records.softmax({ x: use.in(x), y: use.out(out), rows, n }));
      return out;
    });
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
    return this.operands.use((use) => {
      const places = { x: use.in(x), y: use.out(out), count: x.length };
      this.run(records.quantize({ ...places, inverse, zeroPoint, low, high }));
      return out;
    });
  }

  /** out = (x - zeroPoint) * scale. Returns out. */
  dequantize(x: Uint8Array | Int8Array, out: Float32Array, options: QuantOptions): Float32Array {
    const { scale, zeroPoint } = check.dequantize(options);
    const signed = dtypeOf(x) === 'i8';
    needed('dequantize: x', x, signed ? 'i8' : 'u8', [1, x.length, x.length]);
    needed('dequantize: out', out, 'f32', [1, x.length, x.length]);
    apart('dequantize', out, x);
    return this.operands.use((use) => {
      const places = { x: use.in(x), y: use.out(out), count: x.length };
      this.run(records.dequantize({ ...places, signed, zeroPoint, scale }));
      return out;
    });
  }

  /** Bytes now handed out by alloc and packWeights. */
  get allocatedBytes(): number {
    return this.heap.allocatedBytes - this.scratchBytes - TAPE_BYTES;
  }

  /** What a product runs on, as its record takes it. */
  private place([tileRows, tileColumns]: TileShape) {
    return { tileRows, tileColumns, scratch: this.scratch, scratchPerThread: this.scratchBytes };
  }

  /** Runs one record: the same tape that whole programs are. */
  private run(record: records.TapeRecord): void {
    const tape = encode([record]);
    new Uint32Array(this.heap.memory.buffer, this.tape, tape.length).set(tape);
    this.instance.exports.run(this.tape, this.tape + tape.byteLength, 0, 1, 0, 0);
  }
}
