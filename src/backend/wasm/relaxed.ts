/**
 * () -> v128: i8x16.relaxed_swizzle of a vector and itself, as a whole module: an engine that takes it has relaxed SIMD. Asked
 * before a build is fetched, so that none is fetched in vain.
 */
const PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0], // "\\0asm", version 1
  ...[1, 5, 1, 96, 0, 1, 123], // types: one, () -> v128
  ...[3, 2, 1, 0], // functions: one, of type 0
  ...[10, 15, 1, 13, 0, 65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2, 11], // two splats of 0, relaxed_swizzle (0xfd 0x100)
);

/** Whether an engine has relaxed SIMD. */
export const hasRelaxed = (validate: (bytes: Uint8Array<ArrayBuffer>) => boolean): boolean => validate(PROBE);
