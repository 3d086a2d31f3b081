/** What records are made of (records.ts): the types of their words, and words that several records have. */

import type { Kind } from './kinds.ts';

/** Which modules carry a record: those of frozen integer models, of any frozen model, or of the engine. Each has all before it. */
export const tiers = ['int8', 'full', 'engine'] as const;
export type Tier = (typeof tiers)[number];

/**
 * A word of a record: `at` is the address of a tensor (`at?`: 0 where there is none), `flag` is 0 or 1, a kind one of its
 * numbers. `i32[rank]` are as many words as `rank` says; what stands after them has no fixed place.
 */
export type WordType = 'at' | 'at?' | 'i32' | 'u32' | 'f32' | 'flag' | `i32[${string}]` | Kind;

export interface RecordType {
  /** Kept for good: frozen files hold it. */
  readonly opcode: number;
  readonly tier: Tier;
  readonly words: Readonly<Record<string, WordType>>;
  /** What the names of the words leave open. */
  readonly note?: string;
}

export const tile = { tileRows: 'i32', tileColumns: 'i32' } as const;
export const scratch = { scratch: 'at', scratchPerThread: 'i32' } as const;
export const reduced = { outer: 'i32', count: 'i32', inner: 'i32' } as const;
export const gathered = { outer: 'i32', size: 'i32', inner: 'i32', count: 'i32' } as const;
export const pooled = {
  images: 'i32', channels: 'i32', height: 'i32', width: 'i32', rows: 'i32', columns: 'i32', kernelHeight: 'i32', kernelWidth: 'i32',
  strideDown: 'i32', strideAcross: 'i32', paddingDown: 'i32', paddingAcross: 'i32', dilationDown: 'i32', dilationAcross: 'i32',
} as const;
export const product = {
  a: 'at', b: 'at', bias: 'at?', c: 'at', batch: 'i32', m: 'i32', n: 'i32', k: 'i32',
  batchStrideA: 'i32', batchStrideB: 'i32', rowA: 'i32', stepA: 'i32', stepB: 'i32', columnB: 'i32', rowC: 'i32',
  activation: 'activation', parameter: 'f32', ...tile, ...scratch, packed: 'at?',
} as const;
/** Tap (i, j) of window (row, column) is pixel (row * strideDown + originDown + i * stepDown, likewise across); outside are zeros. */
export const taps = {
  height: 'i32', width: 'i32', channels: 'i32', rows: 'i32', columns: 'i32', tapsDown: 'i32', tapsAcross: 'i32',
  strideDown: 'i32', strideAcross: 'i32', originDown: 'i32', originAcross: 'i32', stepDown: 'i32', stepAcross: 'i32',
} as const;
export const pairs = {
  a: 'at', b: 'at', y: 'at', rank: 'i32', outer: 'i32',
  dims: 'i32[rank]', stridesA: 'i32[rank]', stridesB: 'i32[rank]',
} as const;
/** An int8 product. */
export const productI8 = {
  x: 'at', packed: 'at?', bias: 'at', multiplier: 'at', table: 'at?', y: 'at', m: 'i32', n: 'i32', k: 'i32',
  shift: 'i32', zeroPoint: 'i32', min: 'i32', max: 'i32', ...tile, kind: 'i32', ...scratch, weight: 'at',
} as const;
/** One of the taps of an image: `taken` channels of each; outside is `padding`. */
export const productOfTapsI8 = { ...productI8, taken: 'i32', groups: 'i32', padding: 'i32', ...taps } as const;
export const rows = { rows: 'i32', n: 'i32' } as const;
export const rowsForward = { x: 'at', y: 'at', ...rows } as const;
export const rowsBackward = { dy: 'at', y: 'at', dx: 'at', ...rows } as const;

/** By the file of assembly/ that has the kernels; a kernel is named as its record. */
export type Records = Readonly<Record<string, Readonly<Record<string, RecordType>>>>;
