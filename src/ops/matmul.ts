import { fail } from '../core/errors.ts';
import { broadcastShapes, type Shape, sameShape, showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectRank } from './check.ts';
import { type Epilogue, epilogueFlops, finisher } from './epilogue.ts';
import { type GradientContext, op, type Product, type Sym, severalOutputs, type TensorType } from './op.ts';
import { reduceSizes, sumOver } from './reduce.ts';
import { reshaped, sumAxes } from './symbolic.ts';

export interface MatmulAttrs extends Epilogue {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** The product within linear_backward. */
export const weightProduct: MatmulAttrs = { transposeA: true, transposeB: false };

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
  // Leading ones broadcast without moving anything: [1, 3] and [3] are one batch.
  const bare = (batch: Shape) => batch.slice(batch.findIndex((size) => size !== 1));
  if (!one(batchA) && !one(batchB) && !sameShape(bare(batchA), bare(batchB)))
    fail(
      'shape_mismatch',
      `matmul: batch sizes ${showShape(batchA)} and ${showShape(batchB)} differ; expected the same, ` +
        'or one operand without a batch (broadcast() repeats one)',
    );
  const batchShape = broadcastShapes(batchA, batchB, 'matmul: the batch');
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

/** The sizes, and which operands are transposed. */
function productOf(a: TensorType, b: TensorType, attrs: MatmulAttrs): Product {
  const { batch, m, n, k } = matmulSizes(a, b, attrs);
  return {
    kind: 'f32',
    batch,
    m,
    n,
    k,
    form: `${attrs.transposeA ? 't' : 'n'}${attrs.transposeB ? 't' : 'n'}`,
  };
}

/** Sums the gradient of an operand that was repeated for every product of the batch. */
function ofOperand(c: GradientContext<MatmulAttrs>, i: number, gradient: Sym): Sym {
  const { shape } = c.inputs[i];
  const extra = gradient.shape.length - 2;
  const repeated = sizeOf(gradient.shape) !== sizeOf(shape);
  const axes = Array.from({ length: extra }, (_, d) => d);
  return reshaped(c.emit, repeated ? sumAxes(c.emit, gradient, axes, false) : gradient, shape);
}

/**
 * matmul(a, b, bias?): (..., m, k) x (..., k, n) [+ (n)] -> (..., m, n), then the activation; or
 * matmul(a, b, saved): the product times an activation's derivative, computed from `saved`, of the product's shape.
 */
export const matmul = {
  matmul: op<MatmulAttrs>({
    fuses: 'product',
    product: ([a, b], attrs) => productOf(a, b, attrs),
    columns: ([, b], { transposeB }) => (b.shape.length === 2 ? (transposeB ? 0 : 1) : undefined),
    infer(inputs, attrs) {
      expectInputs('matmul', inputs, ['f32', 'f32', 'f32?']);
      const [a, b, third] = inputs;
      const { batchShape, m, n } = matmulSizes(a, b, attrs);
      const shape = [...batchShape, m, n];
      finisher('matmul', third, { dtype: 'f32', shape }, attrs);
      return { dtype: 'f32', shape };
    },

    reference([a, b, third], y, attrs) {
      const { batch, m, n, k, batchStrideA, batchStrideB } = matmulSizes(a, b, attrs);
      const [aRow, aStep] = attrs.transposeA ? [1, m] : [k, 1];
      const [bStep, bCol] = attrs.transposeB ? [1, k] : [n, 1];
      const finish = finisher('matmul', third, y, attrs);
      for (let p = 0; p < batch; p++)
        for (let i = 0; i < m; i++)
          for (let j = 0; j < n; j++) {
            const a0 = p * batchStrideA + i * aRow;
            const b0 = p * batchStrideB + j * bCol;
            let sum = 0;
            for (let l = 0; l < k; l++) sum += a.data[a0 + l * aStep] * b.data[b0 + l * bStep];
            const at = (p * m + i) * n + j;
            y.data[at] = finish(sum, at, third?.data);
          }
    },

    flops([a, b, third], y, attrs) {
      const { batch, m, n, k } = matmulSizes(a, b, attrs);
      return 2 * batch * m * n * k + epilogueFlops(third, attrs) * sizeOf(y.shape);
    },

    gradient(c) {
      const { inputs, dy, attrs, emit, wanted } = c;
      const { transposeA: ta, transposeB: tb } = attrs;
      if (attrs.activation || attrs.derivative)
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
            ? sumAxes(
                emit,
                dy,
                Array.from({ length: dy.shape.length - 1 }, (_, d) => d),
                false,
              )
            : undefined),
      ];
    },
  }),

  /**
   * linear_backward(dy, x) -> the gradients of a weight and a bias: for k samples, dy^T x of (k, m) and (k, n) as (m, n), and
   * the sum of dy's rows as (m), in one pass over dy. Made by fusion of a matmul and a sum.
   */
  linear_backward: severalOutputs({
    product: ([dy, x]) => ({ ...productOf(dy, x, weightProduct), sums: true }),
    infer(inputs) {
      expectInputs('linear_backward', inputs, ['f32', 'f32']);
      const [dy, x] = inputs;
      const { batch, m, n } = matmulSizes(dy, x, weightProduct);
      if (dy.shape.length !== 2 || x.shape.length !== 2 || batch !== 1 || n === 0)
        fail(
          'shape_mismatch',
          `linear_backward: got ${showShape(dy.shape)} and ${showShape(x.shape)}, expected two matrices, ` +
            'the second of at least one feature',
        );
      return [
        { dtype: 'f32', shape: [m, n] },
        { dtype: 'f32', shape: [m] },
      ];
    },
    reference([dy, x], [weight, bias]) {
      matmul.matmul.reference([dy, x], [weight], weightProduct);
      sumOver(dy.data, reduceSizes(dy.shape, [0]), bias.data, 1);
    },
    flops: ([dy, x]) => sizeOf(dy.shape) * (2 * x.shape[1] + 1),
  }),
};
