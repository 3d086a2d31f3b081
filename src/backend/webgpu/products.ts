import type { Product } from '../../ops/op.ts';

/** How a product is divided: into tiles of 4 qm wy rows and 4 qn wx columns, and K into parts. */
export interface ProductConfig {
  /** `direct`: registers only. `blocks`: through workgroup memory. `vector`: m is 1, invocations share K. */
  readonly kernel: 'direct' | 'blocks' | 'vector';
  /** Invocations of a workgroup along columns and rows (for `vector`: along columns and K). */
  readonly wx: number;
  readonly wy: number;
  /** Groups of four rows and of four columns that an invocation makes: 1 or 2. */
  readonly qm: number;
  readonly qn: number;
  /** Terms of K in workgroup memory at a time (`blocks`): a multiple of 4. */
  readonly depth: number;
  /** Parts of K that are summed apart and joined by a second pass (f32). */
  readonly parts: number;
  /** dot4I8Packed (int8). */
  readonly packedDot: boolean;
  /** Look out for edges even where tiles divide the sizes evenly: other runs of the same shader may have other sizes. */
  readonly edges?: boolean;
}

/** What is asked of a device's products: facts of it that are known before anything is timed. */
export interface DeviceTraits {
  readonly software: boolean;
  /** WGSL's packed_4x8_integer_dot_product is here. */
  readonly packedDot: boolean;
}

/** Products that one choice serves: the same op and form, sizes within a factor of two, and cut by edges or not. */
export function classOf({ kind, batch, m, n, k, form }: Product): string {
  const round = (v: number) => 2 ** Math.ceil(Math.log2(Math.max(1, v)));
  const whole = [m, n, k].every((v) => v % 4 === 0) ? 'whole' : 'cut';
  return `${kind} ${form} ${round(batch)}x${round(m)}x${round(n)}x${round(k)} ${whole}`;
}

const base = { qm: 1, qn: 1, depth: 16, parts: 1, packedDot: false } as const;
const direct: ProductConfig = { ...base, kernel: 'direct', wx: 8, wy: 8 };
/** 32 x 32 by 64 invocations; few tiles of a small product still fill a device. */
const small: ProductConfig = { ...base, kernel: 'blocks', wx: 8, wy: 8 };
/** 64 x 64, 8 x 8 each. */
const large: ProductConfig = { ...small, qm: 2, qn: 2 };
/** 64 x 64 by 256 invocations: more of them to hide the waiting. */
const crowded: ProductConfig = { ...base, kernel: 'blocks', wx: 16, wy: 16 };
/** 64 x 128. */
const wide: ProductConfig = { ...large, wx: 16, wy: 8, depth: 8 };
const vector = (wx: number, wy: number): ProductConfig => ({ ...base, kernel: 'vector', wx, wy });

/** Every configuration by name, for tests and for callers who force one. */
export const configs = {
  direct,
  direct8x4: { ...direct, qm: 2 },
  direct8x8: { ...direct, qm: 2, qn: 2 },
  small,
  large,
  crowded,
  wide,
  tall: { ...small, qm: 2 },
  parts3: { ...direct, parts: 3 },
  blocksInParts: { ...small, parts: 4 },
  vector16x4: vector(16, 4),
  vector4x16: vector(4, 16),
  vector1x64: vector(1, 64),
} satisfies Record<string, ProductConfig>;
export type ConfigName = keyof typeof configs;

/** A configuration that can serve this product: vectors only where m is 1 and no sums are wanted, no more parts than K has for. */
export function fitting(config: ProductConfig, { kind, m, k, sums }: Product): ProductConfig {
  const whole = config.kernel === 'vector' && (m !== 1 || sums) ? direct : config;
  const parts = kind === 'f32' ? Math.max(1, Math.min(config.parts, Math.ceil(k / whole.depth))) : 1;
  return { ...whole, parts, packedDot: config.packedDot };
}

/** Large, and divided evenly: more registers save loads, and the shader has no edges that would take long to compile. */
const roomy = ({ m, n, k }: Product): boolean =>
  m % 8 === 0 && n % 8 === 0 && k % 16 === 0 && m * n * k >= 2 ** 20;

/** Fewer workgroups than this leave most of a device idle, so a long K is divided among more. */
const FEW_TILES = 32;
const LONG_K = 1024;

/** The 1 to 5 configurations worth timing for a product, the likeliest first; that one is used where nothing is timed. */
export function candidatesFor(p: Product, { software, packedDot }: DeviceTraits): ProductConfig[] {
  if (p.kind === 'i8') return candidatesForI8(p, software, packedDot);
  if (p.m === 1 && !p.sums)
    return software ? [vector(16, 1)] : p.form[1] === 't' ? vectors.toReversed() : vectors;
  if (software) return [roomy(p) ? configs.direct8x8 : direct];
  const tiles = p.batch * Math.ceil(p.m / 32) * Math.ceil(p.n / 32);
  if (tiles < FEW_TILES && p.k >= LONG_K) {
    const parts = Math.min(16, Math.floor(p.k / 256));
    return [{ ...small, parts }, { ...direct, parts }, { ...small, parts: Math.max(2, parts >> 1) }, small];
  }
  return tiles < 16 * FEW_TILES ? [small, direct, large, crowded] : [large, small, crowded, wide, direct];
}

const vectors = [vector(16, 4), vector(4, 16), vector(1, 64)];

function candidatesForI8(p: Product, software: boolean, packedDot: boolean): ProductConfig[] {
  if (software) return [p.m === 1 ? vector(16, 1) : roomy(p) ? configs.direct8x8 : direct];
  const shapes = p.m === 1 ? [vector(4, 16), vector(16, 4)] : [small, large];
  const both = shapes.flatMap((c) => (packedDot ? [c, { ...c, packedDot }] : [c]));
  return p.m === 1 ? both : [...both, direct];
}
