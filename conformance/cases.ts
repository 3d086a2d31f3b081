import type { ActivationName } from '../src/ops/activation.ts';
import type { AttrsOf, OpName } from '../src/ops/index.ts';
import {
  below,
  bytes,
  constantly,
  distinct,
  extremes,
  type Fill,
  f32,
  i8,
  i32,
  infinities,
  modestSpecials,
  normal,
  positive,
  specials,
  type TensorSpec,
  u8,
  uneven,
  unit,
  wide,
  zeros,
} from './fill.ts';

/** One use of an op: what goes in. What should come out is the reference's business. */
export interface Case<A = object> {
  readonly inputs: readonly TensorSpec[];
  readonly attrs: A;
  /** Inputs given as constants of the plan, which backends may repack. */
  readonly constants?: readonly number[];
  /** Values at which derivatives don't exist or overflow: left out of the gradient checks. */
  readonly noGradient?: boolean;
}

/** Around every vector width, tile and workgroup: none, one, tails, several blocks. */
const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 127, 255, 256, 257, 1000, 4099];

const elementwise = <A extends object>(arity: number, attrs: A, more: Case<A>[] = []): Case<A>[] => [
  ...LENGTHS.map((n) => ({ inputs: Array.from({ length: arity }, () => f32([n])), attrs })),
  { inputs: Array.from({ length: arity }, () => f32([3, 5, 7])), attrs },
  { inputs: Array.from({ length: arity }, () => f32([])), attrs },
  { inputs: Array.from({ length: arity }, () => f32([123], specials)), attrs, noGradient: true },
  { inputs: Array.from({ length: arity }, () => f32([500], wide)), attrs },
  {
    inputs: [f32([61], extremes), ...Array.from({ length: arity - 1 }, () => f32([61]))],
    attrs,
    noGradient: true,
  },
  // Steps of a central difference are larger than these.
  { inputs: Array.from({ length: arity }, () => f32([61], tiny)), attrs, noGradient: true },
  ...more,
];

/** Around 0, where functions are the difference of what is almost the same. */
const tiny: Fill = (i, random) => (random.uniform() + 0.5) * 10 ** -(1 + (i % 7)) * (i % 2 ? 1 : -1);

const BROADCASTS: [number[], number[]][] = [
  [[5, 7], [7]],
  [[7], [5, 7]],
  [
    [5, 7],
    [5, 1],
  ],
  [
    [5, 1],
    [1, 7],
  ],
  [[5, 7], []],
  [[], [3]],
  [
    [2, 3, 4, 5],
    [3, 1, 5],
  ],
  [
    [2, 1, 4, 1],
    [1, 3, 1, 5],
  ],
  [[0, 3], [3]],
  [
    [4, 1],
    [4, 0],
  ],
  [[128, 10], [10]],
  [
    [33, 130],
    [33, 1],
  ],
];
const binary = (fill = normal): Case[] => [
  ...elementwise(2, {}),
  ...BROADCASTS.map(([a, b]) => ({ inputs: [f32(a), f32(b, fill)], attrs: {} })),
  {
    inputs: [f32([441], specials), f32([441], (i) => specials(Math.floor(i / 21), undefined as never))],
    attrs: {},
    noGradient: true,
  },
  {
    inputs: [f32([64], uneven), f32([64], (i) => uneven(Math.floor(i / 8), undefined as never))],
    attrs: {},
    noGradient: true,
  },
];

const MATMULS: [m: number, k: number, n: number][] = [
  [1, 1, 1],
  [1, 5, 1],
  [5, 1, 7],
  [2, 3, 4],
  [4, 8, 8],
  [5, 7, 9],
  [6, 16, 8],
  [7, 33, 17],
  [8, 64, 16],
  [1, 300, 10],
  [1, 64, 129],
  [13, 257, 1],
  [33, 31, 65],
  [64, 64, 64],
  [65, 130, 67],
  [128, 10, 128],
  [3, 600, 40],
  [40, 3, 130],
  [0, 4, 5],
  [4, 0, 5],
  [4, 5, 0],
];
const swap = (rows: number, cols: number, swapped: boolean) => (swapped ? [cols, rows] : [rows, cols]);
const matmulActivations: [ActivationName, object][] = [
  ['relu', {}],
  ['leaky_relu', { slope: 0.1 }],
  ['elu', { alpha: 0.7 }],
  ['gelu', { approximate: 'none' }],
  ['gelu', { approximate: 'tanh' }],
  ['silu', {}],
  ['sigmoid', {}],
  ['tanh', {}],
  ['softplus', {}],
  ['hardswish', {}],
];
/** An activation's output or input, where its derivative is at most 1.2. */
const tame: Fill = (_, random) => random.uniform() * 1.6 - 0.7;
const matmul: Case<AttrsOf<'matmul'>>[] = [
  ...[false, true].flatMap((transposeA) =>
    [false, true].flatMap((transposeB) =>
      MATMULS.flatMap(([m, k, n]) => {
        const inputs = [f32(swap(m, k, transposeA)), f32(swap(k, n, transposeB))];
        const attrs = { transposeA, transposeB };
        return [
          { inputs, attrs },
          { inputs: [...inputs, f32([n])], attrs, constants: [1, 2] },
        ];
      }),
    ),
  ),
  ...matmulActivations.flatMap(([name, attrs]) =>
    [
      [5, 7, 9],
      [64, 30, 50],
      [1, 20, 33],
    ].map(([m, k, n]) => ({
      inputs: [f32([m, k]), f32([k, n]), f32([n])],
      attrs: { transposeA: false, transposeB: false, activation: { name, attrs } },
      noGradient: true,
    })),
  ),
  ...matmulActivations.flatMap(([name, attrs]) =>
    [
      [5, 7, 9],
      [64, 32, 48],
      [1, 20, 33],
    ].map(([m, k, n]) => ({
      inputs: [f32([m, k]), f32([n, k]), f32([m, n], tame)],
      attrs: { transposeA: false, transposeB: true, derivative: { name, attrs } },
      noGradient: true,
    })),
  ),
  ...(['relu', 'leaky_relu'] as const).map((name) => ({
    inputs: [f32([5, 7]), f32([9, 7]), f32([5, 9], modestSpecials)],
    attrs: { transposeA: false, transposeB: true, derivative: { name, attrs: { slope: 0.1 } } },
    noGradient: true,
  })),
  {
    inputs: [f32([2, 5, 7]), f32([4, 7]), f32([2, 5, 4], tame)],
    attrs: { transposeA: false, transposeB: true, derivative: { name: 'tanh', attrs: {} } },
    noGradient: true,
  },
  ...(
    [
      [
        [3, 5, 7],
        [3, 7, 4],
      ],
      [
        [3, 5, 7],
        [7, 4],
      ],
      [
        [5, 7],
        [3, 7, 4],
      ],
      [
        [2, 3, 5, 7],
        [2, 3, 7, 4],
      ],
      [
        [2, 3, 5, 7],
        [1, 1, 7, 4],
      ],
      [
        [0, 5, 7],
        [0, 7, 4],
      ],
      [
        [1, 1, 2, 3],
        [3, 3, 2],
      ],
      [
        [3, 2, 3],
        [1, 1, 3, 2],
      ],
      [
        [1, 3, 2, 3],
        [3, 3, 2],
      ],
    ] as [number[], number[]][]
  ).flatMap(([a, b]) =>
    [false, true].flatMap((transposeA) =>
      [false, true].map((transposeB) => ({
        inputs: [
          f32([...a.slice(0, -2), ...swap(a.at(-2)!, a.at(-1)!, transposeA)]),
          f32([...b.slice(0, -2), ...swap(b.at(-2)!, b.at(-1)!, transposeB)]),
        ],
        attrs: { transposeA, transposeB },
      })),
    ),
  ),
  {
    inputs: [f32([5, 21], modestSpecials), f32([21, 6])],
    attrs: { transposeA: false, transposeB: false },
    noGradient: true,
  },
  {
    inputs: [f32([30, 3]), f32([3, 21], modestSpecials), f32([21])],
    attrs: { transposeA: false, transposeB: false, activation: { name: 'relu', attrs: {} } },
    noGradient: true,
  },
];

/** Products beside a bias of another size, and of rows and columns of very different sizes. */
const unevenMatmul: Case<AttrsOf<'matmul'>>[] = [
  ...[10, -1e4, 1e-6].flatMap((bias) =>
    [1, 2, 33].map((m) => ({
      inputs: [f32([m, 784], constantly(1)), f32([784, 17], constantly(1e-3)), f32([17], constantly(bias))],
      attrs: { transposeA: false, transposeB: false },
      noGradient: true,
    })),
  ),
  ...[1, 7].map((m) => ({
    inputs: [
      f32([m, 100], uneven),
      f32([40, 100], (i) => uneven(i * 3, undefined as never)),
      f32([40], uneven),
    ],
    attrs: { transposeA: false, transposeB: true },
    noGradient: true,
  })),
];

const linearBackward: Case<AttrsOf<'linear_backward'>>[] = [
  ...MATMULS.filter(([, , n]) => n > 0).map(([m, k, n]) => ({
    inputs: [f32([k, m]), f32([k, n])],
    attrs: {},
  })),
  { inputs: [f32([9, 21], modestSpecials), f32([9, 6])], attrs: {} },
  { inputs: [f32([3001, 9], constantly(0.1)), f32([3001, 4])], attrs: {} },
];

const REDUCTIONS: [shape: number[], axes: number[]][] = [
  [[1], [0]],
  [[7], [0]],
  [[1000], [0]],
  [[100003], [0]],
  [[5, 7], [0]],
  [[5, 7], [1]],
  [
    [5, 7],
    [0, 1],
  ],
  [[128, 10], [0]],
  [[128, 300], [0]],
  [
    [3, 4, 5, 6],
    [1, 2],
  ],
  [[3, 4, 5, 6], [0]],
  [[3, 4, 5, 6], [3]],
  [
    [3, 4, 5, 6],
    [2, 3],
  ],
  [[3, 300, 5], [1]],
  [[0, 3], [1]],
  [[2, 1, 3], [1]],
  [[257, 33], [1]],
];
/** Long runs of one value, whose roundings all go one way; in every direction, over one pass and several. */
const LONG: [shape: number[], axes: number[]][] = [
  [[1000003], [0]],
  [[300007, 4], [0]],
  [[70001, 3], [0]],
  [[9000, 37], [0]],
  [[3, 40001], [1]],
  [[2, 5000, 20], [1]],
  [
    [3, 700, 41],
    [1, 2],
  ],
];
const reduce = (fill = normal, empty = true): Case<AttrsOf<'sum'>>[] => [
  ...REDUCTIONS.flatMap(([shape, axes]) =>
    [true, false].map((keepDims) => ({ inputs: [f32(shape, fill)], attrs: { axes, keepDims } })),
  ),
  ...(empty ? [{ inputs: [f32([3, 0])], attrs: { axes: [1], keepDims: false } }] : []),
  ...LONG.map(([shape, axes]) => ({
    inputs: [f32(shape, fill === normal ? constantly(0.1) : fill)],
    attrs: { axes, keepDims: false },
    noGradient: true,
  })),
  { inputs: [f32([6, 64], uneven)], attrs: { axes: [1], keepDims: false }, noGradient: true },
  { inputs: [f32([64, 20], uneven)], attrs: { axes: [0], keepDims: false }, noGradient: true },
  { inputs: [f32([2, 2], constantly(3e38))], attrs: { axes: [0], keepDims: false }, noGradient: true },
  { inputs: [f32([8, 7], infinities)], attrs: { axes: [1], keepDims: false }, noGradient: true },
  { inputs: [f32([8, 21], modestSpecials)], attrs: { axes: [1], keepDims: false }, noGradient: true },
  { inputs: [f32([8, 21], modestSpecials)], attrs: { axes: [0], keepDims: false }, noGradient: true },
];

const ROWS = [
  [1],
  [2],
  [3],
  [10],
  [1, 1],
  [5, 7],
  [128, 10],
  [3, 64],
  [4, 65],
  [2, 3, 1000],
  [3, 4099],
  [0, 5],
  [5, 0],
];
const rows = (arity: number): Case[] => [
  ...ROWS.map((shape) => ({ inputs: Array.from({ length: arity }, () => f32(shape)), attrs: {} })),
  { inputs: Array.from({ length: arity }, () => f32([6, 40], (i, r) => normal(i, r) * 20)), attrs: {} },
  { inputs: Array.from({ length: arity }, () => f32([9, 7], infinities)), attrs: {}, noGradient: true },
  { inputs: Array.from({ length: arity }, () => f32([8, 20], specials)), attrs: {}, noGradient: true },
];
/** Rows of one value: as many roundings as there are terms, all one way. */
const longRows = (arity: number): Case => ({
  inputs: Array.from({ length: arity }, (_, i) =>
    f32([2, 30011], (e) => (e % 30011 === 7 ? 1 : i === arity - 1 ? -0.3 : 0.1)),
  ),
  attrs: {},
  noGradient: true,
});
/** Logits whose differences are all that counts. */
const largeRows: Case = {
  inputs: [f32([4, 6], constantly(1e9, 1e9 + 64, 1e9 - 64, -1e9, 0, 1e9))],
  attrs: {},
  noGradient: true,
};
const minusInfinity: Case = { inputs: [f32([2, 3], constantly(-Infinity))], attrs: {}, noGradient: true };

const CLASSES: [rows: number[], n: number][] = [
  [[], 3],
  [[1], 1],
  [[5], 7],
  [[128], 10],
  [[2, 3], 65],
  [[7], 1000],
  [[0], 4],
];
const crossEntropy = (withDy: boolean): Case<AttrsOf<'cross_entropy'>>[] => [
  ...CLASSES.flatMap(([r, n]) =>
    [0, 0.1, 1].map((labelSmoothing) => ({
      inputs: [...(withDy ? [f32(r)] : []), f32([...r, n]), i32(r, below(n))],
      attrs: { labelSmoothing },
    })),
  ),
  {
    inputs: [...(withDy ? [f32([4])] : []), f32([4, 5], wide), i32([4], constantly(0, 5, -1, 4))],
    attrs: { labelSmoothing: 0 },
    noGradient: true,
  },
  {
    inputs: [...(withDy ? [f32([8])] : []), f32([8, 20], specials), i32([8], below(20))],
    attrs: { labelSmoothing: 0 },
    noGradient: true,
  },
  ...[0, 0.1, 1].flatMap((labelSmoothing) =>
    [
      { row: constantly(1, -Infinity, 2, 0.5, 3), shape: [4, 5] },
      { row: constantly(1e17, 1e17, 0, 1e9, -1e17), shape: [4, 5] },
      { row: constantly(0.25), shape: [4, 30011] },
    ].map(({ row, shape }) => ({
      inputs: [...(withDy ? [f32([4])] : []), f32(shape, row), i32([4], constantly(0, 1, 2, 1))],
      attrs: { labelSmoothing },
      noGradient: true,
    })),
  ),
];

const FLAT = [1, 3, 16, 100, 1027, 5000];
const hyper = constantly(0.01, 0.05, 3, 0);
const sgdAttrs: AttrsOf<'sgd'>[] = [
  { momentum: 0, nesterov: false, weightDecay: 0 },
  { momentum: 0.9, nesterov: false, weightDecay: 0.01 },
  { momentum: 0.9, nesterov: true, weightDecay: 0 },
];
const adamAttrs: AttrsOf<'adam'>[] = [
  { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0 },
  { beta1: 0.8, beta2: 0.9, eps: 1e-3, weightDecay: 0.1 },
];
const optimizer = <A extends object>(
  attrs: A[],
  moments: (a: A) => number,
): Case<A & { maxNorm?: number }>[] =>
  attrs.flatMap((a) =>
    FLAT.flatMap((n) => {
      const inputs = [
        f32([n]),
        f32([n]),
        ...Array.from({ length: moments(a) }, () => f32([n], positive)),
        f32([4], hyper),
      ];
      const large = inputs.map((spec, i) => (i === 1 ? f32([n], constantly(1, 2e19, -1e20, 1e-22)) : spec));
      const still = inputs.map((spec, i) => (i === 0 ? f32([n], constantly(1, Infinity, -Infinity)) : spec));
      return [
        { inputs, attrs: a },
        { inputs: large, attrs: a },
        { inputs: still, attrs: a },
        ...[0.5, 100, Number.NaN].map((norm) => ({
          inputs: [...inputs, f32([], constantly(norm))],
          attrs: { ...a, maxNorm: 1 },
        })),
      ];
    }),
  );

const INT8: [m: number, k: number, n: number][] = [
  [1, 1, 1],
  [1, 3, 5],
  [2, 4, 8],
  [5, 7, 9],
  [1, 784, 10],
  [1, 64, 130],
  [7, 33, 17],
  [64, 64, 64],
  [3, 255, 66],
  [65, 130, 67],
  [0, 4, 4],
  [4, 4, 0],
  [3, 0, 5],
];
const i8Attrs: AttrsOf<'matmul_i8'>[] = [
  { shift: 40, zeroPoint: 0, min: 0, max: 255 },
  { shift: 38, zeroPoint: 120, min: 120, max: 255 },
  { shift: 31, zeroPoint: 255, min: 0, max: 255 },
  { shift: 17, zeroPoint: 3, min: 10, max: 20 },
  { shift: 62, zeroPoint: 128, min: 0, max: 255 },
];
const scales = [1, 0.0123, 3.7e-5, 250].map(Math.fround);

const activation = <A extends object>(attrs: A[]) => ({
  forward: attrs.flatMap((a) => elementwise(1, a)),
  backward: attrs.flatMap((a) => elementwise(2, a)),
});
const plain = activation([{}]);
const leaky = activation([{ slope: 0.1 }, { slope: 0 }]);
const elu = activation([{ alpha: 1 }, { alpha: 0.3 }]);
const gelu = activation<AttrsOf<'gelu'>>([{ approximate: 'none' }, { approximate: 'tanh' }]);

/** Cases for every op: forgetting one is a type error. Conformance, gradients and benchmarks are made from them. */
export const cases: { readonly [N in OpName]: readonly Case<AttrsOf<N>>[] } = {
  matmul: [...matmul, ...unevenMatmul],
  linear_backward: linearBackward,
  add: binary(),
  sub: binary(),
  mul: binary(),
  div: binary(positive),
  scale: elementwise(1, { factor: -2.5 }),
  cast: [
    ...LENGTHS.map((n) => ({ inputs: [f32([n], wide)], attrs: { dtype: 'i32' as const } })),
    ...(['i32', 'u8', 'i8', 'f32'] as const).map((dtype) => ({
      inputs: [f32([123], specials)],
      attrs: { dtype },
      noGradient: true,
    })),
    ...(['i32', 'u8', 'i8', 'f32'] as const).flatMap((dtype) => [
      {
        inputs: [i32([37], constantly(0, -1, 300, -300, 127, 128, 255, 256, 2 ** 31 - 1, -(2 ** 31)))],
        attrs: { dtype },
      },
      { inputs: [u8([37])], attrs: { dtype } },
      { inputs: [i8([37])], attrs: { dtype } },
    ]),
  ],
  copy: [
    ...elementwise(1, {}),
    ...LENGTHS.flatMap((n) => [
      { inputs: [i32([n], below(1000))], attrs: {} },
      { inputs: [u8([n])], attrs: {} },
      { inputs: [i8([n])], attrs: {} },
    ]),
  ],
  fill: LENGTHS.flatMap((n) => [
    { inputs: [], attrs: { value: 2.5, shape: [n], dtype: 'f32' as const } },
    { inputs: [], attrs: { value: -7, shape: [n], dtype: 'i32' as const } },
    { inputs: [], attrs: { value: 200, shape: [n], dtype: 'u8' as const } },
    { inputs: [], attrs: { value: -100, shape: [n], dtype: 'i8' as const } },
  ]),
  relu: plain.forward,
  relu_backward: plain.backward,
  leaky_relu: leaky.forward,
  leaky_relu_backward: leaky.backward,
  elu: elu.forward,
  elu_backward: elu.backward,
  gelu: gelu.forward,
  gelu_backward: gelu.backward,
  silu: plain.forward,
  silu_backward: plain.backward,
  sigmoid: plain.forward,
  sigmoid_backward: plain.backward,
  tanh: plain.forward,
  tanh_backward: plain.backward,
  softplus: plain.forward,
  softplus_backward: plain.backward,
  hardswish: plain.forward,
  hardswish_backward: plain.backward,
  sum: reduce(),
  mean: reduce(),
  max: reduce(distinct, false),
  max_backward: [
    ...(
      [
        [[5, 7], [1], [5]],
        [[5, 7], [0], [7]],
        [[3, 4, 5], [1, 2], [3]],
        [[1000], [0], []],
      ] as const
    ).map(([shape, axes, out]) => ({
      inputs: [f32(out), f32(shape, constantly(1, 3, 2, 3)), f32(out, constantly(3))],
      attrs: { axes, keepDims: false },
    })),
    {
      inputs: [
        f32([3]),
        f32([3, 5], constantly(1, Number.NaN, 2, 3, 3)),
        f32([3], constantly(Number.NaN, Number.NaN, 3)),
      ],
      attrs: { axes: [1], keepDims: false },
    },
  ],
  argmax: [
    ...ROWS.filter((s) => s.at(-1) !== 0).flatMap((shape) => [
      { inputs: [f32(shape)], attrs: {} },
      { inputs: [u8(shape)], attrs: {} },
    ]),
    { inputs: [f32([3, 100], constantly(1, 2, 2, 0))], attrs: {} },
    { inputs: [f32([8, 20], specials)], attrs: {} },
    { inputs: [f32([9, 7], infinities)], attrs: {} },
    minusInfinity,
  ],
  global_norm: [...LENGTHS, 100003]
    .map((n) => ({ inputs: [f32([n])], attrs: {} }))
    .concat(
      [specials, uneven, extremes, constantly(1e-30), constantly(2e19)].map((fill) => ({
        inputs: [f32([50], fill)],
        attrs: {},
      })),
      [{ inputs: [f32([1000003], constantly(0.1))], attrs: {} }],
    ),
  reshape: [
    { inputs: [f32([3, 4])], attrs: { shape: [2, 6] } },
    { inputs: [f32([0, 4])], attrs: { shape: [8, 0] } },
  ],
  transpose: [
    ...(
      [
        [
          [5, 7],
          [1, 0],
        ],
        [
          [3, 4, 5],
          [2, 0, 1],
        ],
        [
          [3, 4, 5],
          [0, 2, 1],
        ],
        [
          [2, 3, 4, 5],
          [3, 1, 2, 0],
        ],
        [[7], [0]],
        [
          [0, 3],
          [1, 0],
        ],
        [
          [130, 67],
          [1, 0],
        ],
      ] as const
    ).flatMap(([shape, perm]) => [
      { inputs: [f32(shape)], attrs: { perm } },
      { inputs: [u8(shape)], attrs: { perm } },
      { inputs: [i32(shape, below(99))], attrs: { perm } },
    ]),
  ],
  slice: [
    { inputs: [f32([10])], attrs: { starts: [2], ends: [9], steps: [1] } },
    { inputs: [f32([10])], attrs: { starts: [1], ends: [10], steps: [3] } },
    { inputs: [f32([5, 7, 9])], attrs: { starts: [1, 0, 2], ends: [4, 7, 9], steps: [1, 2, 3] } },
    { inputs: [f32([5, 7])], attrs: { starts: [2, 3], ends: [2, 7], steps: [1, 1] } },
    { inputs: [u8([5, 7])], attrs: { starts: [1, 1], ends: [4, 7], steps: [1, 2] } },
  ],
  slice_backward: [
    { inputs: [f32([7])], attrs: { shape: [10], starts: [2], ends: [9], steps: [1] } },
    {
      inputs: [f32([3, 4, 3])],
      attrs: { shape: [5, 7, 9], starts: [1, 0, 2], ends: [4, 7, 9], steps: [1, 2, 3] },
    },
    { inputs: [f32([0, 4])], attrs: { shape: [5, 7], starts: [2, 3], ends: [2, 7], steps: [1, 1] } },
    { inputs: [u8([3, 3])], attrs: { shape: [5, 7], starts: [1, 1], ends: [4, 7], steps: [1, 2] } },
  ],
  concat: [
    { inputs: [f32([3]), f32([5])], attrs: { axis: 0 } },
    { inputs: [f32([2, 3]), f32([2, 1]), f32([2, 0]), f32([2, 7])], attrs: { axis: 1 } },
    { inputs: [f32([2, 3, 4]), f32([5, 3, 4])], attrs: { axis: 0 } },
    { inputs: [u8([2, 3]), u8([2, 2])], attrs: { axis: 1 } },
    { inputs: [f32([4])], attrs: { axis: 0 } },
  ],
  broadcast: [
    { inputs: [f32([])], attrs: { shape: [5, 3] } },
    { inputs: [f32([1, 3])], attrs: { shape: [5, 3] } },
    { inputs: [f32([5, 1])], attrs: { shape: [2, 5, 130] } },
    { inputs: [f32([1])], attrs: { shape: [0] } },
    { inputs: [u8([3, 1])], attrs: { shape: [3, 5] } },
  ],
  gather: [
    { inputs: [f32([7, 5]), i32([9], below(7))], attrs: { axis: 0 } },
    { inputs: [f32([3, 7, 5]), i32([2, 4], below(7))], attrs: { axis: 1 } },
    { inputs: [f32([6, 4]), i32([], below(4))], attrs: { axis: 1 } },
    { inputs: [f32([6, 4]), i32([0], zeros)], attrs: { axis: 0 } },
    { inputs: [f32([4, 3]), i32([4], constantly(0, 4, -1, 3))], attrs: { axis: 0 }, noGradient: true },
  ],
  gather_backward: [
    { inputs: [f32([9, 5]), i32([9], below(7))], attrs: { axis: 0, size: 7 } },
    { inputs: [f32([3, 2, 4, 5]), i32([2, 4], below(7))], attrs: { axis: 1, size: 7 } },
    { inputs: [f32([6]), i32([], below(4))], attrs: { axis: 1, size: 4 } },
    {
      inputs: [f32([4, 3]), i32([4], constantly(0, 4, -1, 3))],
      attrs: { axis: 0, size: 4 },
      noGradient: true,
    },
    { inputs: [f32([0, 3]), i32([0], zeros)], attrs: { axis: 0, size: 4 } },
  ],
  softmax: [...rows(1), minusInfinity, longRows(1), largeRows],
  softmax_backward: [...rows(2), longRows(2)],
  log_softmax: [...rows(1), minusInfinity, longRows(1), largeRows],
  log_softmax_backward: [...rows(2), longRows(2)],
  cross_entropy: crossEntropy(false),
  cross_entropy_backward: crossEntropy(true),
  mse: elementwise(2, {}),
  mse_backward: elementwise(3, {}),
  bce_with_logits: [
    ...elementwise(2, {}),
    { inputs: [f32([200], wide), f32([200], unit)], attrs: {}, noGradient: true },
  ],
  bce_with_logits_backward: elementwise(3, {}),
  huber: [0.3, 1, 2].flatMap((delta) => elementwise(2, { delta })),
  huber_backward: [0.3, 1].flatMap((delta) => elementwise(3, { delta })),
  dropout: [0, 0.2, 0.5, 0.99].flatMap((p) =>
    [1, 2, 3, 8, 17, 1001].map((n, salt) => ({
      inputs: [f32([n]), i32([2], constantly(12345, -7))],
      attrs: { p, salt },
    })),
  ),
  sgd: optimizer(sgdAttrs, (a) => (a.momentum > 0 ? 1 : 0)),
  adam: optimizer(adamAttrs, () => 2),
  adamw: optimizer(adamAttrs, () => 2),
  quantize: scales.flatMap((scale) =>
    (['u8', 'i8'] as const).flatMap((dtype) => [
      ...LENGTHS.map((n) => ({
        inputs: [f32([n], (i, r) => normal(i, r) * scale * 60)],
        attrs: { scale, zeroPoint: dtype === 'u8' ? 131 : -5, dtype },
      })),
      { inputs: [f32([123], specials)], attrs: { scale, zeroPoint: 7, dtype } },
      { inputs: [f32([64], (i) => (i - 32) * 0.5 * scale)], attrs: { scale, zeroPoint: 0, dtype } },
    ]),
  ),
  dequantize: scales.flatMap((scale) =>
    LENGTHS.flatMap((n) => [
      { inputs: [u8([n])], attrs: { scale, zeroPoint: 131 } },
      { inputs: [i8([n])], attrs: { scale, zeroPoint: -5 } },
    ]),
  ),
  matmul_i8: INT8.flatMap(([m, k, n]) =>
    i8Attrs.flatMap((attrs) => {
      const inputs = [
        u8([m, k]),
        i8([n, k]),
        i32([n], (_, r) => r.int(2 ** 20) - 2 ** 19),
        i32([n], (_, r) => 2 ** 30 + r.int(2 ** 30)),
      ];
      return [
        { inputs, attrs, constants: [1, 2, 3] },
        { inputs, attrs },
        { inputs: [...inputs, u8([256])], attrs, constants: [1, 2, 3, 4] },
      ];
    }),
  ).concat([
    {
      // The largest sums there can be, of either sign, with the full multiplier.
      inputs: [
        u8([2, 1024], constantly(255)),
        i8([4, 1024], (i) => (i < 2048 ? 127 : -127)),
        i32([4], constantly(2 ** 29, -(2 ** 29))),
        i32([4], constantly(2 ** 31 - 1, 1, 0)),
      ],
      attrs: { shift: 62, zeroPoint: 10, min: 0, max: 255 },
      constants: [1, 2, 3],
    },
    {
      inputs: [u8([2, 3, 20]), i8([5, 20]), i32([5], zeros), i32([5], constantly(2 ** 30))],
      attrs: i8Attrs[0],
    },
  ]),
  activation_i8: [
    ...LENGTHS.map((n) => ({ inputs: [u8([n]), u8([256])], attrs: {}, constants: [1] })),
    { inputs: [u8([3, 5], bytes), u8([256])], attrs: {} },
  ],
};
