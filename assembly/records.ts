/**
 * The records of the tape, each declared here and nowhere else. Not AssemblyScript: the asset build reads it and makes the
 * classes that kernels read their operands from and each tier's dispatch (assembly/generated/), the encoders
 * (src/generated/records.ts) and the tables of docs/ABI.md.
 */

import { losses } from './records-loss.ts';
import { reductions } from './records-reduce.ts';
import {
  gathered, pairs, pooled, product, productI8, productOfTapsI8, type Records, rows, rowsBackward, rowsForward, taps, tile,
} from './words.ts';

export { type RecordType, type Tier, tiers, type WordType } from './words.ts';

export const records: Records = {
  'matmul/matmul': {
    matmul: {
      opcode: 1, tier: 'full',
      words: product,
      note: 'strides are in elements: from one product of the batch, row or column to the next, and (step) along k; packed: b as PACK left it, the same for the whole batch',
    },
    pack: {
      opcode: 33, tier: 'full',
      words: { b: 'at', packed: 'at', n: 'i32', k: 'i32', step: 'i32', column: 'i32', tileColumns: 'i32' },
      note: 'strides are in elements: step along k, column to the next column',
    },
  },
  'matmul/conv': {
    conv: {
      opcode: 110, tier: 'full',
      words: { ...product, taken: 'i32', ...taps, weights: 'flag' },
      note: 'A is made of an image, channels last, on the fly: a row for each window, its columns the taken channels of each tap; with weights transposed. batch: the groups, batchStrideA and batchStrideB from one to the next; channels: floats from pixel to pixel; rows, columns: of windows',
    },
  },
  'matmul/depthwise': {
    depthwise: {
      opcode: 111, tier: 'full',
      words: { x: 'at', w: 'at', bias: 'at?', y: 'at', images: 'i32', ...taps, activation: 'activation', parameter: 'f32' },
      note: 'w: a row of channels for each tap',
    },
    depthwiseWeights: {
      opcode: 112, tier: 'engine',
      words: { dy: 'at', x: 'at', dw: 'at', images: 'i32', ...taps },
    },
  },
  'matmul/matmul-i8': {
    matmulI8: {
      opcode: 2, tier: 'int8',
      words: productI8,
      note: 'packed: weight as PACK_I8 left it; a single row needs none',
    },
    convI8: {
      opcode: 117, tier: 'int8',
      words: productOfTapsI8,
      note: 'm: windows; n: filters of a group, k: taps times channels of a group; weights of a group behind those of the one before',
    },
    packI8: {
      opcode: 3, tier: 'int8',
      words: { weight: 'at', packed: 'at', n: 'i32', k: 'i32', tileColumns: 'i32', kind: 'i32' },
    },
    probeDot: {
      opcode: 31, tier: 'engine',
      words: { w: 'at', x: 'at', sum: 'at' },
      note: '16 bytes each; the result goes where the sum was',
    },
  },
  'matmul/depthwise-i8': {
    depthwiseI8: {
      opcode: 118, tier: 'int8',
      words: productOfTapsI8,
      note: 'packed: weight as PACK_I8 left it for panels of 16 columns and dot_i16x8; k: taps',
    },
  },
  binary: {
    binary: {
      opcode: 4, tier: 'full',
      words: { kind: 'binary', ...pairs },
      note: 'outer: the product of all dims but the last; strides are in elements',
    },
  },
  'binary-math': {
    binaryMath: { opcode: 41, tier: 'full', words: { kind: 'binary', ...pairs } },
  },
  compare: {
    compare: {
      opcode: 42, tier: 'full',
      words: { kind: 'comparison', type: 'dtype', ...pairs },
      note: 'y: a byte for each answer',
    },
    where: {
      opcode: 43, tier: 'full',
      words: {
        c: 'at', a: 'at', b: 'at', y: 'at', rank: 'i32', outer: 'i32',
        dims: 'i32[rank]', stridesC: 'i32[rank]', stridesA: 'i32[rank]', stridesB: 'i32[rank]',
      },
      note: 'c: bytes; a, b, y: words of four bytes',
    },
  },
  unary: {
    unary: {
      opcode: 40, tier: 'full',
      words: { unary: 'unary', x: 'at', y: 'at', count: 'i32', parameter: 'f32', second: 'f32' },
      note: 'parameter, second: the bounds of clip',
    },
  },
  elementwise: {
    fill: {
      opcode: 6, tier: 'full',
      words: { y: 'at', bytes: 'i32', word: 'u32' },
      note: 'a byte is repeated in all four of the word',
    },
    cast: {
      opcode: 7, tier: 'full',
      words: { from: 'dtype', to: 'dtype', x: 'at', y: 'at', count: 'i32' },
    },
    scale: { opcode: 8, tier: 'full', words: { x: 'at', y: 'at', count: 'i32', factor: 'f32' } },
  },
  activation: {
    activation: {
      opcode: 9, tier: 'full',
      words: { activation: 'activation', x: 'at', y: 'at', count: 'i32', parameter: 'f32' },
    },
    activationBackward: {
      opcode: 10, tier: 'engine',
      words: { activation: 'activation', dy: 'at', saved: 'at', dx: 'at', count: 'i32', parameter: 'f32' },
      note: "saved: the activation's input or its output, whichever its derivative is computed from",
    },
  },
  layout: {
    stridedCopy: {
      opcode: 5, tier: 'int8',
      words: {
        x: 'at', y: 'at', size: 'i32', rank: 'i32', outer: 'i32',
        dims: 'i32[rank]', stridesX: 'i32[rank]', stridesY: 'i32[rank]',
      },
      note: 'size: bytes of an element; x and y: the first element; outer: the product of all dims but the last; strides are in elements',
    },
  },
  ...reductions,
  gather: {
    gather: {
      opcode: 15, tier: 'full',
      words: { x: 'at', indices: 'at', y: 'at', ...gathered, width: 'i32', outside: 'u32', each: 'flag' },
      note: 'width: bytes of an element; outside: the element where an index is; each: an index for every element, not for every run of inner',
    },
    scatterAdd: {
      opcode: 16, tier: 'engine',
      words: { source: 'at', indices: 'at', y: 'at', ...gathered, skipped: 'i32', each: 'flag' },
      note: 'skipped: an index of which nothing is added, or -1; each: as for gather',
    },
  },
  norm: {
    batchNorm: {
      opcode: 36, tier: 'engine',
      words: { x: 'at', weight: 'at', bias: 'at', y: 'at', mean: 'at', variance: 'at', ...rows, eps: 'f32' },
    },
    batchNormBackward: {
      opcode: 37, tier: 'engine',
      words: {
        dy: 'at', x: 'at', weight: 'at', mean: 'at', variance: 'at', dx: 'at', dWeight: 'at', dBias: 'at', ...rows, eps: 'f32',
      },
    },
    batchNormAffine: {
      opcode: 38, tier: 'engine',
      words: {
        weight: 'at', bias: 'at', mean: 'at', variance: 'at', scale: 'at', shift: 'at', n: 'i32', eps: 'f32',
      },
    },
  },
  'norm-rows': {
    rowNorm: {
      opcode: 60, tier: 'full',
      words: { x: 'at', weight: 'at?', bias: 'at?', y: 'at', mean: 'at?', rstd: 'at', ...rows, eps: 'f32' },
      note: 'rstd: 1 / sqrt(variance + eps); no mean: nothing is subtracted, as by RMS norm',
    },
    rowNormBackward: {
      opcode: 61, tier: 'engine',
      words: { dy: 'at', x: 'at', weight: 'at?', mean: 'at?', rstd: 'at', dx: 'at', ...rows },
    },
    rowNormWeights: {
      opcode: 62, tier: 'engine',
      words: { dy: 'at', x: 'at', mean: 'at?', rstd: 'at', dWeight: 'at', dBias: 'at?', ...rows },
    },
  },
  pool: {
    maxPool: {
      opcode: 113, tier: 'int8',
      words: { type: 'dtype', x: 'at', y: 'at', ...pooled },
      note: 'type: f32 or u8; channels last; rows and columns: of the output',
    },
    maxPoolBackward: {
      opcode: 114, tier: 'engine',
      words: { dy: 'at', x: 'at', dx: 'at', ...pooled },
    },
    avgPool: {
      opcode: 115, tier: 'full',
      words: { x: 'at', y: 'at', ...pooled, padded: 'flag', divisor: 'i32' },
      note: 'padded: zeros of the padding count; divisor: instead of what counts, 0 for none',
    },
    avgPoolBackward: {
      opcode: 116, tier: 'engine',
      words: { dy: 'at', dx: 'at', ...pooled, padded: 'flag', divisor: 'i32' },
    },
  },
  'pool-i8': {
    avgPoolI8: {
      opcode: 119, tier: 'int8',
      words: {
        x: 'at', y: 'at', ...pooled, padded: 'flag', divisor: 'i32', inputZero: 'i32', zeroPoint: 'i32', multiplier: 'i32', shift: 'i32',
      },
    },
  },
  softmax: {
    softmax: { opcode: 17, tier: 'full', words: rowsForward },
    softmaxBackward: { opcode: 18, tier: 'engine', words: rowsBackward },
    logSoftmax: { opcode: 19, tier: 'full', words: rowsForward },
    logSoftmaxBackward: { opcode: 20, tier: 'engine', words: rowsBackward },
  },
  ...losses,
  dropout: {
    dropout: {
      opcode: 25, tier: 'engine',
      words: { x: 'at', seed: 'at', y: 'at', count: 'i32', salt: 'i32', threshold: 'u32', scale: 'f32' },
      note: 'seed: two i32',
    },
  },
  optimizer: {
    sgd: {
      opcode: 26, tier: 'engine',
      words: {
        p: 'at', g: 'at', buffer: 'at?', hyper: 'at', norm: 'at?', count: 'i32',
        maxNorm: 'f32', momentum: 'f32', weightDecay: 'f32', nesterov: 'flag',
      },
    },
    adam: {
      opcode: 27, tier: 'engine',
      words: {
        p: 'at', g: 'at', m: 'at', v: 'at', hyper: 'at', norm: 'at?', count: 'i32', maxNorm: 'f32',
        beta1: 'f32', rest1: 'f32', beta2: 'f32', rest2: 'f32', eps: 'f32', weightDecay: 'f32', decoupled: 'flag',
      },
      note: 'rest1 is 1 - beta1, rest2 is 1 - beta2',
    },
  },
  update: {
    update: {
      opcode: 95, tier: 'engine',
      words: {
        kind: 'update', p: 'at', g: 'at', a: 'at?', b: 'at?', c: 'at?', hyper: 'at', norm: 'at?', count: 'i32', maxNorm: 'f32',
        beta1: 'f32', rest1: 'f32', beta2: 'f32', rest2: 'f32', eps: 'f32', weightDecay: 'f32', decoupled: 'flag',
      },
      note: 'a, b, c: moments, in their order; of rmsprop mean squares, means, momentum; lamb writes its direction to c; a and b of lamb_step are two norms; clip holds p within maxNorm of 0',
    },
  },
  quantized: {
    quantize: {
      opcode: 28, tier: 'int8',
      words: { x: 'at', y: 'at', count: 'i32', inverse: 'f32', zeroPoint: 'i32', low: 'i32', high: 'i32' },
    },
    dequantize: {
      opcode: 29, tier: 'int8',
      words: { x: 'at', y: 'at', count: 'i32', signed: 'flag', zeroPoint: 'i32', scale: 'f32' },
    },
    addI8: {
      opcode: 120, tier: 'int8',
      words: {
        a: 'at', b: 'at', y: 'at', count: 'i32', zeroA: 'i32', zeroB: 'i32', factorA: 'i32', factorB: 'i32',
        shift: 'i32', zeroPoint: 'i32', min: 'i32', max: 'i32',
      },
    },
    activationI8: { opcode: 30, tier: 'int8', words: { x: 'at', table: 'at', y: 'at', count: 'i32' } },
  },
  probe: {
    probeTile: {
      opcode: 32, tier: 'engine',
      words: { kind: 'i32', ...tile, length: 'i32', repeats: 'i32', memory: 'at' },
      note: 'kind: 0 f32, 1 dot_i16x8, 2 relaxed dot; length: of k, or groups of it; memory: (rows + columns) * (length + rows) words',
    },
  },
};
