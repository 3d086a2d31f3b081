/** What a kernel does with its elements, where a record leaves that open. The numbers are kept: frozen files hold them. */
export const kinds = {
  binary: { about: 'the function', values: { add: 0, sub: 1, mul: 2, div: 3 } },
  activation: {
    about: 'the activation',
    values: {
      none: 0, relu: 1, leaky_relu: 2, gelu: 3, gelu_tanh: 4, silu: 5,
      sigmoid: 6, tanh: 7, softplus: 8, hardswish: 9, elu: 10, softsign: 11,
    },
  },
  reduction: { about: 'what becomes of the terms', values: { sum: 0, max: 1, min: 2 } },
  fold: {
    about: 'what becomes of the terms',
    values: { prod: 0, sum_of_sizes: 1, euclidean: 2, largest_size: 3, p_norm: 4, logsumexp: 5 },
  },
  counting: { about: 'what is told of the terms that are not 0', values: { count: 0, any: 1, all: 2 } },
  loss: { about: 'the loss', values: { mse: 0, bce_with_logits: 1, huber: 2 } },
  update: {
    about: 'the optimizer',
    values: {
      rmsprop: 0, adagrad: 1, adadelta: 2, nadam: 3, lion: 4, amsgrad: 5, lamb: 6, lamb_step: 7, average: 8, clip: 9,
    },
  },
  dtype: { about: 'the element type', values: { f32: 0, i32: 1, u8: 2, i8: 3 } },
} as const;
export type Kind = keyof typeof kinds;
