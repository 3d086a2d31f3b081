import { fail } from '../core/errors.ts';
import { type Shape, sameShape, showShape, sizeOf } from '../core/shape.ts';
import { type ActivationRef, activationFunction } from './activation.ts';
import { expectInputs, expectRank } from './check.ts';
import { type GradientContext, op, type Sym, type TensorType } from './op.ts';
import { reduceAxes, reshaped } from './symbolic.ts';

export interface MatmulAttrs {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Applied to the finished element, after the bias. Set by fusion, after differentiation. */
  readonly activation?: ActivationRef;
}

/** The product's sizes: `batch` products of (m x k) and (k x n). Stride 0 repeats one operand for every product. */
export interface MatmulSizes {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Elements from one product's operand to the next one's. */
  readonly batchStrideA: number;
  readonly batchStrideB: number;
  readonly batchShape: Shape;
}

/** Checks the operands and gives the sizes. */
export function matmulSizes(
  a: TensorType,
  b: TensorType,
  { transposeA, transposeB }: MatmulAttrs,
): MatmulSizes {
  expectRank('matmul', a, 2, 'the first operand');
  expectRank('matmul', b, 2, 'the second operand');
  const [am, ak] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const [bk, bn] = transposeB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!];
  if (ak !== bk)
    fail(
      'shape_mismatch',
      `matmul: ${showShape(a.shape)}${transposeA ? ' transposed' : ''} times ` +
        `${showShape(b.shape)}${transposeB ? ' transposed' : ''}: inner sizes ${ak} and ${bk} differ`,
    );
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const one = (batch: Shape) => sizeOf(batch) === 1;
  if (!sameShape(batchA, batchB) && !one(batchA) && !one(batchB))
    fail(
      'shape_mismatch',
      `matmul: batch sizes ${showShape(batchA)} and ${showShape(batchB)} differ; expected the same, ` +
        'or one operand without a batch (broadcast() repeats one)',
    );
  const batchShape = one(batchA) && (!one(batchB) || batchB.length > batchA.length) ? batchB : batchA;
  return {
    batch: sizeOf(batchShape),
    m: am,
    n: bn,
    k: ak,
    batchStrideA: one(batchA) ? 0 : am * ak,
    batchStrideB: one(batchB) ? 0 : bk * bn,
    batchShape,
  };
}

/** Sums the gradient of an operand that was repeated for every product of the batch. */
function ofOperand(c: GradientContext<MatmulAttrs>, i: number, gradient: Sym): Sym {
  const { shape } = c.inputs[i];
  const extra = gradient.shape.length - 2;
  const repeated = sizeOf(gradient.shape) !== sizeOf(shape);
  const axes = Array.from({ length: extra }, (_, d) => d);
  return reshaped(c.emit, repeated ? reduceAxes(c.emit, 'sum', gradient, axes, false) : gradient, shape);
}

/** matmul(a, b, bias?): (..., m, k) x (..., k, n) [+ (n)] -> (..., m, n), then the activation. */
export const matmul = {
  matmul: op<MatmulAttrs>({
    infer(inputs, attrs) {
      expectInputs('matmul', inputs, ['f32', 'f32', 'f32?']);
      const [a, b, bias] = inputs;
      const { batchShape, m, n } = matmulSizes(a, b, attrs);
      if (bias && !sameShape(bias.shape, [n]))
        fail('shape_mismatch', `matmul: the bias has shape ${showShape(bias.shape)}, expected [${n}]`);
      if (attrs.activation) activationFunction(attrs.activation);
      return { dtype: 'f32', shape: [...batchShape, m, n] };
    },

    reference([a, b, bias], y, attrs) {
      const { batch, m, n, k, batchStrideA, batchStrideB } = matmulSizes(a, b, attrs);
      const [aRow, aStep] = attrs.transposeA ? [1, m] : [k, 1];
      const [bStep, bCol] = attrs.transposeB ? [1, k] : [n, 1];
      const activate = attrs.activation ? activationFunction(attrs.activation) : (x: number) => x;
      for (let p = 0; p < batch; p++)
        for (let i = 0; i < m; i++)
          for (let j = 0; j < n; j++) {
            const a0 = p * batchStrideA + i * aRow;
            const b0 = p * batchStrideB + j * bCol;
            let sum = 0;
            for (let l = 0; l < k; l++) sum += a.data[a0 + l * aStep] * b.data[b0 + l * bStep];
            y.data[(p * m + i) * n + j] = activate(bias ? sum + bias.data[j] : sum);
          }
    },

    flops([a, b, bias], y, attrs) {
      const { batch, m, n, k } = matmulSizes(a, b, attrs);
      return (
        2 * batch * m * n * k + (bias ? sizeOf(y!.shape) : 0) + (attrs.activation ? sizeOf(y!.shape) : 0)
      );
    },

    gradient(c) {
      const { inputs, dy, attrs, emit, wanted } = c;
      const { transposeA: ta, transposeB: tb } = attrs;
      if (attrs.activation)
        fail(
          'unsupported',
          'matmul: differentiate before fusing; the activation is already part of the product',
        );
      const [a, b, bias] = inputs;
      const product = (x: Sym, y: Sym, transposeA: boolean, transposeB: boolean) =>
        emit('matmul', [x, y], { transposeA, transposeB });
      // One weight for a batch of inputs: its gradient is one long product instead of a sum of many.
      const rows = (x: Sym) => reshaped(emit, x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
      const shared = !ta && a.shape.length > 2 && sizeOf(b.shape.slice(0, -2)) === 1;
      const [a1, dy1] = shared ? [rows(a), rows(dy)] : [a, dy];
      return [
        wanted(0) ? ofOperand(c, 0, ta ? product(b, dy, tb, true) : product(dy, b, false, !tb)) : undefined,
        wanted(1)
          ? ofOperand(c, 1, tb ? product(dy1, a1, true, ta) : product(a1, dy1, !ta, false))
          : undefined,
        bias &&
          (wanted(2)
            ? reduceAxes(
                emit,
                'sum',
                dy,
                Array.from({ length: dy.shape.length - 1 }, (_, d) => d),
                false,
              )
            : undefined),
      ];
    },
  }),
};
