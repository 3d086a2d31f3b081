import type { WasmBuild, WasmModules } from '../backend/wasm/load.ts';
import type { TileWish } from '../backend/wasm/tiles.ts';
import type { ActivationName } from '../ops/activation.ts';

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
