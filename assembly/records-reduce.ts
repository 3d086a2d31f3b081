import { scratch, reduced, rows, type Records } from './words.ts';

/** Of what makes few numbers of many, and of what puts them in order. */
export const reductions: Records = {
  reduce: {
    reduce: {
      opcode: 11, tier: 'full',
      words: { kind: 'reduction', x: 'at', y: 'at', ...reduced, divisor: 'i32' },
      note: 'divisor: of a sum',
    },
    maxBackward: {
      opcode: 12, tier: 'engine',
      words: { dy: 'at', x: 'at', y: 'at', dx: 'at', ...reduced },
    },
    argmax: {
      opcode: 13, tier: 'full',
      words: { type: 'dtype', x: 'at', y: 'at', ...rows, least: 'flag' },
      note: 'least: of the smallest instead',
    },
    globalNorm: { opcode: 14, tier: 'engine', words: { x: 'at', y: 'at', count: 'i32' } },
  },
  extremes: {
    extreme: {
      opcode: 56, tier: 'int8',
      words: { kind: 'reduction', type: 'dtype', x: 'at', y: 'at', ...reduced },
      note: 'kind: max or min; type: i32 or u8',
    },
  },
  fold: {
    fold: {
      opcode: 50, tier: 'full',
      words: { kind: 'fold', x: 'at', y: 'at', ...reduced, p: 'f32' },
      note: 'p: the power of p_norm',
    },
  },
  'fold-backward': {
    foldBackward: {
      opcode: 51, tier: 'engine',
      words: { kind: 'fold', dy: 'at', x: 'at', y: 'at', dx: 'at', ...reduced, p: 'f32' },
    },
  },
  moments: {
    variance: {
      opcode: 52, tier: 'full',
      words: { x: 'at', y: 'at', ...reduced, divisor: 'f32', root: 'flag', ...scratch },
      note: 'divisor: of the sum of squares; root: the square root of that',
    },
  },
  count: {
    countNonzero: {
      opcode: 53, tier: 'full',
      words: { kind: 'counting', type: 'dtype', x: 'at', y: 'at', ...reduced },
      note: 'type: f32, i32 or u8; y: i32 of count, else u8',
    },
  },
  scan: {
    cumsum: {
      opcode: 54, tier: 'full',
      words: { type: 'dtype', x: 'at', y: 'at', ...reduced, exclusive: 'flag', reverse: 'flag' },
      note: 'type: f32 or i32',
    },
  },
  sort: {
    sort: {
      opcode: 55, tier: 'full',
      words: { type: 'dtype', x: 'at', values: 'at', indices: 'at', ...rows, k: 'i32', descending: 'flag', ...scratch, pairs: 'at?' },
      note: 'type: f32 or i32; k: how many of each row are kept; pairs: 16 n bytes for each row, where k is above 32',
    },
  },
};
