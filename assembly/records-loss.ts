import { rows, type Records } from './words.ts';

const ignoring = { ignores: 'flag', ignored: 'i32' } as const;
const targeted = { ...ignoring, logChances: 'flag' } as const;

/** Of losses and their derivatives. */
export const losses: Records = {
  loss: {
    crossEntropy: {
      opcode: 21, tier: 'engine',
      words: { x: 'at', targets: 'at', y: 'at', ...rows, smoothing: 'f32', ...targeted },
    },
    crossEntropyBackward: {
      opcode: 22, tier: 'engine',
      words: { dy: 'at', x: 'at', targets: 'at', dx: 'at', ...rows, smoothing: 'f32', ...targeted },
    },
    targetWeights: {
      opcode: 85, tier: 'engine',
      words: { targets: 'at', weights: 'at?', y: 'at', count: 'i32', classes: 'i32', ...ignoring },
      note: '0 for the ignored target, else the weight of its class, or 1',
    },
    meanOver: {
      opcode: 86, tier: 'engine',
      words: { x: 'at', w: 'at', y: 'at', total: 'at', count: 'i32', weights: 'i32' },
      note: 'y: the sum of x divided by that of w; total: that of w',
    },
    meanOverBackward: {
      opcode: 87, tier: 'engine',
      words: { dy: 'at', total: 'at', dx: 'at', count: 'i32' },
    },
  },
  'loss-elements': {
    loss: {
      opcode: 23, tier: 'engine',
      words: { kind: 'loss', x: 'at', t: 'at', y: 'at', count: 'i32', delta: 'f32' },
      note: 'delta: whatever number the loss has: also a margin, gamma, what is added to a rate',
    },
    lossBackward: {
      opcode: 24, tier: 'engine',
      words: { kind: 'loss', dy: 'at', x: 'at', t: 'at', dx: 'at', count: 'i32', delta: 'f32' },
    },
  },
};
