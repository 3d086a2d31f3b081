import { inverseScale, MAX_K_I8, MOST_FACTOR, roundEven } from '../ops/quantized.ts';

/** real = (q - zeroPoint) * scale for u8 q. */
export interface QuantParams {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** The values a tensor took during calibration. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * Asymmetric u8 parameters that cover a range and represent 0 exactly (Jacob et al. 2018, section 2.1).
 */
export function activationParams({ min, max }: Range): QuantParams {
  const low = Math.min(0, min);
  const high = Math.max(0, max);
  // A tensor that was 0 throughout says nothing of its scale; a tiny one would take all room from what makes it.
  const scale = high === low ? 1 : Math.fround(Math.max((high - low) / 255, 2 ** -100));
  return { scale, zeroPoint: Math.min(255, Math.max(0, roundEven(-low / scale))) };
}

export const quantizeValue = (x: number, { scale, zeroPoint }: QuantParams): number =>
  Math.min(255, Math.max(0, roundEven(Math.fround(x * inverseScale(scale))) + zeroPoint));

/** A linear layer in integers; see ops/quantized.ts for what the numbers mean. */
export interface QuantizedLinear {
  /** (N, K), symmetric per row. */
  readonly weight: Int8Array;
  /** (N), at scale input.scale * weight scale, with the input's zero point taken out. */
  readonly bias: Int32Array;
  /** (N) */
  readonly multiplier: Int32Array;
  readonly shift: number;
}

/** Rows' bias must leave room in int32 for the products: |bias| <= 2^29 before the zero point is taken out. */
const BIAS_LIMIT = 2 ** 29;

/**
 * Weights and bias of one layer: per output channel n, scale_w[n] = max|w[n]| / 127, q = round(w / scale_w) and
 * bias = round(b / (s_x * scale_w[n])) - z_x * sum_k q[n][k].
 * The factors s_x * scale_w[n] / s_y become 31-bit multipliers under one shift for the layer.
 * Returns a reason in words where the layer can't be quantized.
 */
export function quantizeLinear(
  weight: { data: Float32Array; n: number; k: number; at: (n: number, k: number) => number },
  bias: Float32Array | undefined,
  input: QuantParams,
  output: QuantParams,
): QuantizedLinear | string {
  const { data, n, k, at } = weight;
  if (k > MAX_K_I8) return `its inner size ${k} may overflow int32; at most ${MAX_K_I8} products are exact`;
  const q = new Int8Array(n * k);
  const bq = new Int32Array(n);
  const factor = new Float64Array(n);
  for (let c = 0; c < n; c++) {
    let most = 0;
    for (let l = 0; l < k; l++) most = Math.max(most, Math.abs(data[at(c, l)]));
    const b = bias?.[c] ?? 0;
    if (!Number.isFinite(most) || !Number.isFinite(b))
      return `its weights hold NaN or infinity (output channel ${c})`;
    // A channel whose bias dwarfs its weights gets a coarser scale, so that the bias still fits.
    const scale = Math.max(most / 127, Math.abs(b) / (input.scale * BIAS_LIMIT)) || 1;
    let sum = 0;
    for (let l = 0; l < k; l++) {
      const v = Math.max(-127, Math.min(127, roundEven(data[at(c, l)] / scale)));
      q[c * k + l] = v;
      sum += v;
    }
    bq[c] = roundEven(b / (input.scale * scale)) - input.zeroPoint * sum;
    // A channel that is 0 for any input leaves the others' multipliers alone.
    factor[c] = most === 0 && b === 0 ? 0 : (input.scale * scale) / output.scale;
  }
  const fixed = fixedPoint(factor);
  return typeof fixed === 'string' ? fixed : { weight: q, bias: bq, ...fixed };
}

/** What was made last of each weight, and of what else. */
const made = new WeakMap<
  Float32Array,
  { key: string; bias: Float32Array | undefined; linear: QuantizedLinear | string }
>();

/**
 * quantizeLinear() of a matrix (N, K), or (K, N) where it is not `transposed`: made once for all plans that are made of the same
 * arrays and ranges.
 */
export function quantizedLinear(
  { data, n, k, transposed }: { data: Float32Array; n: number; k: number; transposed: boolean },
  bias: Float32Array | undefined,
  input: QuantParams,
  output: QuantParams,
): QuantizedLinear | string {
  const key = JSON.stringify([n, k, transposed, input, output]);
  const known = made.get(data);
  if (known?.key === key && known.bias === bias) return known.linear;
  const at = transposed ? (c: number, l: number) => c * k + l : (c: number, l: number) => l * n + c;
  const linear = quantizeLinear({ data, n, k, at }, bias, input, output);
  made.set(data, { key, bias, linear });
  return linear;
}

/** How add_i8 adds: a's and b's scales beside the result's as whole numbers over one power of two, or the reason why it can't. */
export function sumFactors(
  a: QuantParams,
  b: QuantParams,
  y: QuantParams,
): { factorA: number; factorB: number; shift: number } | string {
  const [scaleA, scaleB] = [a.scale / y.scale, b.scale / y.scale];
  const shift = Math.min(30, Math.floor(Math.log2(MOST_FACTOR / Math.max(scaleA, scaleB))));
  if (shift < 1)
    return `its output range is too small beside its operands' (factor ${Math.max(scaleA, scaleB)})`;
  return { factorA: Math.round(scaleA * 2 ** shift), factorB: Math.round(scaleB * 2 ** shift), shift };
}

/** multiplier[n] / 2^shift = factor[n], the largest multiplier using all 31 bits. */
export function fixedPoint(factor: Float64Array): { multiplier: Int32Array; shift: number } | string {
  const most = factor.reduce((a, b) => Math.max(a, b), 0);
  // 2^(exponent - 1) <= most < 2^exponent
  const exponent = Math.floor(Math.log2(most || 1)) + 1;
  if (exponent > 14)
    return `its output range is too small beside its weights (factor ${most}); calibrate on data that excites it`;
  const shift = Math.min(62, 31 - exponent);
  const multiplier = Int32Array.from(factor, (f) => Math.min(2 ** 31 - 1, Math.round(f * 2 ** shift)));
  return { multiplier, shift };
}

/** A function of one quantized number as a table: table[q] = quantize(f(dequantize(q))). */
export function activationTable(
  f: (x: number) => number,
  input: QuantParams,
  output: QuantParams,
): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, q) =>
    quantizeValue(f((q - input.zeroPoint) * input.scale), output),
  );
}
