import { activations } from '../src/ops/activation-table.ts';
import { unaries } from '../src/ops/unary-table.ts';

/** Functions of one number have theirs in their tables. */
const numbersOf = <N extends string>(table: Readonly<Record<N, { readonly number: number }>>) =>
  Object.fromEntries(Object.entries<{ number: number }>(table).map(([name, { number }]) => [name, number])) as Record<N, number>;

/** What a kernel does with its elements, where a record leaves that open. The numbers are kept: frozen files hold them. */
export const kinds = {
  binary: {
    about: 'the function',
    values: {
      add: 0, sub: 1, mul: 2, div: 3, maximum: 4, minimum: 5, pow: 6, fmod: 7, atan2: 8,
      add_i32: 16, sub_i32: 17, mul_i32: 18, maximum_i32: 19, minimum_i32: 20,
    },
  },
  reduction: { about: 'what becomes of the terms', values: { sum: 0, max: 1, min: 2 } },
  fold: {
    about: 'what becomes of the terms',
    values: { prod: 0, sum_of_sizes: 1, euclidean: 2, largest_size: 3, p_norm: 4, logsumexp: 5 },
  },
  counting: { about: 'what is told of the terms that are not 0', values: { count: 0, any: 1, all: 2 } },
  comparison: { about: 'what is asked', values: { eq: 0, ne: 1, lt: 2, le: 3, and: 4, or: 5 } },
  activation: {
    about: 'the activation',
    values: { none: 0, ...numbersOf(activations), gelu_tanh: 4 },
  },
  unary: { about: 'the function', values: numbersOf(unaries) },
  loss: {
    about: 'the loss',
    values: {
      mse: 0, bce_with_logits: 1, huber: 2, l1: 3, bce: 4, kl_div: 5, kl_div_log: 6, poisson_nll: 7, poisson_nll_rate: 8,
      hinge_embedding: 9, soft_margin: 10, sigmoid_focal: 11,
    },
  },
  update: {
    about: 'the optimizer',
    values: {
      rmsprop: 0, adagrad: 1, adadelta: 2, nadam: 3, lion: 4, amsgrad: 5, lamb: 6, lamb_step: 7, average: 8, clip: 9,
    },
  },
  dtype: { about: 'the element type', values: { f32: 0, i32: 1, u8: 2, i8: 3 } },
} as const;
export type Kind = keyof typeof kinds;
