/** The only file that asks which instructions this build has. */

/** a * b + c: fused in the relaxed build (as the hardware does it), rounded twice in the simd128 build. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** a where the mask's lane is all ones, b where it is all zeros: one instruction in the relaxed build, else three. */
@inline
export function select(a: v128, b: v128, mask: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_laneselect(a, b, mask);
  return v128.bitselect(a, b, mask);
}

/**
 * Whether this build is written so that V8 can make wide vectors of its products: sums in pairs, and a tile that adds its bias
 * before it stores. Engines without relaxed SIMD make none, and the older V8s among them run out of registers over it.
 */
export const PAIRS: bool = ASC_FEATURE_RELAXED_SIMD;

/** Whether `dotBytes` is there at all; kernels that need it are left out of builds without. */
export const HAS_RELAXED_DOT: bool = ASC_FEATURE_RELAXED_SIMD;

/** sum + four products of signed w and unsigned x bytes in each lane, where the engine's relaxed dot does that. */
@inline
export function dotBytes(w: v128, x: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum);
  return sum;
}
