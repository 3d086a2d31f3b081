import type { AttrsOf } from '../src/ops/index.ts';
import type { loss as rows } from '../src/ops/loss.ts';
import { close, EPS, logits, timesDy } from './kit/bound.ts';
import { type Case, type Family, noGradient, use } from './kit/case.ts';
import type { TensorText } from './kit/tensor.ts';
import { elementwise } from './kit/uses.ts';

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

/** With dy in front for the gradient. */
function crossEntropy(withDy: boolean): Case<AttrsOf<'cross_entropy'>>[] {
  const uses = (rows: string, x: TensorText, targets: string, labelSmoothing: number) => {
    const dy: TensorText[] = withDy ? [`f32 ${rows}`] : [];
    return use(...dy, x, `i32 ${rows} ${targets}`, { labelSmoothing });
  };
  return [
    ...CLASSES.flatMap(([rows, n]) =>
      SMOOTHINGS.map((s) => uses(rows, `f32 ${rows ? `${rows}x` : ''}${n}`, `<${n}`, s)),
    ),
    ...noGradient(
      uses('4', 'f32 4x5 wide', '=0,5,-1,4', 0),
      uses('8', 'f32 8x20 specials', '<20', 0),
      ...SMOOTHINGS.flatMap((s) => HARD.map((x) => uses('4', x, '=0,1,2,1', s))),
    ),
  ];
}

export const loss: Family<keyof typeof rows> = {
  cross_entropy: { bound: { abs: logits(0), rel: 8 * EPS }, cases: crossEntropy(false) },
  cross_entropy_backward: { bound: { abs: logits(1), rel: 1e-5 }, cases: crossEntropy(true) },
  mse: { bound: close(4), cases: elementwise(2, {}) },
  mse_backward: { bound: close(4), cases: elementwise(3, {}) },
  bce_with_logits: {
    bound: close(4, 2e-6),
    cases: [...elementwise(2, {}), ...noGradient(use('f32 200 wide', 'f32 200 unit'))],
    withoutGradient: [1],
  },
  bce_with_logits_backward: { bound: { abs: timesDy(1e-6), rel: 16 * EPS }, cases: elementwise(3, {}) },
  huber: { bound: close(4, 1e-6), cases: [0.3, 1, 2].flatMap((delta) => elementwise(2, { delta })) },
  huber_backward: { bound: close(4), cases: [0.3, 1].flatMap((delta) => elementwise(3, { delta })) },
};
