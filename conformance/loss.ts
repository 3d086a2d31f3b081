import type { AttrsOf } from '../src/ops/index.ts';
import type { CrossEntropyAttrs, loss as rows } from '../src/ops/loss.ts';
import { EPS, logits, magnitude, roundings, TINY, timesDy } from './kit/bound.ts';
import { type Case, type Family, noGradient, use } from './kit/case.ts';
import type { TensorText } from './kit/tensor.ts';
import { elementLosses } from './loss-elements.ts';

/** The rows' shape, and the number of classes. */
const CLASSES = [
  ['', 3],
  ['1', 1],
  ['5', 7],
  ['128', 10],
  ['2x3', 65],
  ['7', 1000],
  ['0', 4],
] as const;
/** Logits that are far apart, or not at all. */
const HARD: TensorText[] = [
  'f32 4x5 =1,-Infinity,2,0.5,3',
  'f32 4x5 =1e17,1e17,0,1e9,-1e17',
  'f32 4x30011 =0.25',
];
const SMOOTHINGS = [0, 0.1, 1];
const nll = { logChances: true };

/** With dy in front for the gradient. */
function crossEntropy(withDy: boolean): Case<AttrsOf<'cross_entropy'>>[] {
  const uses = (
    rows: string,
    x: TensorText,
    targets: string,
    labelSmoothing: number,
    more: Partial<CrossEntropyAttrs> = {},
  ) => {
    const dy: TensorText[] = withDy ? [`f32 ${rows}`] : [];
    return use(...dy, x, `i32 ${rows} ${targets}`, { labelSmoothing, ...more });
  };
  return [
    ...CLASSES.flatMap(([rows, n]) =>
      SMOOTHINGS.map((s) => uses(rows, `f32 ${rows ? `${rows}x` : ''}${n}`, `<${n}`, s)),
    ),
    // No class and a class that are left out, and logarithms of chances.
    uses('6', 'f32 6x5', '=0,-100,4,-100,-100,1', 0.1, { ignoreIndex: -100 }),
    uses('7', 'f32 7x13', '<5', 0, { ignoreIndex: 2 }),
    uses('6', 'f32 6x9', '=0,-7,8', 0, { ignoreIndex: -7, ...nll }),
    uses('65', 'f32 65x3', '<3', 0, nll),
    ...noGradient(
      uses('4', 'f32 4x5 wide', '=0,5,-1,4', 0),
      uses('4', 'f32 4x5 wide', '=0,5,-1,4', 0, nll),
      uses('8', 'f32 8x20 specials', '<20', 0),
      uses('8', 'f32 8x20 specials', '=3,-100,5', 0.1, { ignoreIndex: -100 }),
      uses('8', 'f32 8x20 specials', '<20', 0, nll),
      ...SMOOTHINGS.flatMap((s) => HARD.map((x) => uses('4', x, '=0,1,2,1', s))),
    ),
  ];
}

/** Sums of one sign keep their digits; the others are off by what went in. */
const quotient: Family<'mean_over'>['mean_over']['bound']['abs'] = ([x, w]) => {
  const total = Math.abs(Float64Array.from(w.data).reduce((a, b) => a + b, 0));
  return total > 0 ? (2 * roundings(x.data.length) * magnitude(x) * x.data.length) / total + TINY : TINY;
};

export const loss: Family<keyof typeof rows> = {
  ...elementLosses,
  cross_entropy: { bound: { abs: logits(0), rel: 8 * EPS }, cases: crossEntropy(false) },
  cross_entropy_backward: { bound: { abs: logits(1), rel: 1e-5 }, cases: crossEntropy(true) },
  target_weights: {
    bound: { abs: 0, rel: 0 },
    cases: [
      ...[0, 1, 5, 130].map((n) => use(`i32 ${n} <9`, { ignoreIndex: 3 })),
      use('i32 4x5 =1,-1,0,-1,2', 'f32 3 positive', { ignoreIndex: -1 }),
      use('i32 67 <4', 'f32 4 positive', { ignoreIndex: -100 }),
      use('i32 4 =0,7,-1,1', 'f32 3 positive', { ignoreIndex: -100 }),
    ].map((c) => ({ ...c, noGradient: true })),
  },
  mean_over: {
    bound: { abs: quotient, rel: 8 * EPS },
    cases: [
      ...[1, 2, 7, 128, 1000, 4099, 20000].map((n) => use(`f32 ${n}`, `f32 ${n} unit`)),
      use('f32 3x5', 'f32 3 positive'),
      ...noGradient(use('f32 5', 'f32 5 zeros'), use('f32 0', 'f32 0'), use('f32 5 zeros', 'f32 5 zeros')),
      ...noGradient(use('f32 20 infinities', 'f32 20 positive'), use('f32 20 specials', 'f32 20 positive')),
    ],
    withoutGradient: [1],
  },
  mean_over_backward: {
    bound: { abs: timesDy(TINY), rel: 2 * EPS },
    cases: [
      ...['0', '1', '3', '3x43', '1000'].map((shape) =>
        use('f32', 'f32 =3', { shape: shape.split('x').map(Number) }),
      ),
      use('f32', 'f32 =0', { shape: [7] }),
      use('f32 =Infinity', 'f32 =0', { shape: [7] }),
    ],
  },
};
