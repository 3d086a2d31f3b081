import * as records from '../../../generated/records.ts';
import type { Operands, TensorRef } from '../../../graph/plan.ts';
import { type MatmulAttrs, matmulSizes, type matmul as rows, weightProduct } from '../../../ops/matmul.ts';
import { activationOf } from '../activation.ts';
import type { Place } from '../tape.ts';
import { backward } from './activation.ts';
import { addressesIn, type Kernels } from './kernel.ts';
import { sum } from './reduce.ts';

/**
 * An f32 product as one record: sizes, and the two strides of each operand, which is all that transposing is. A derivative
 * is the caller's to add.
 */
function product(
  { inputs: [a, b, third], outputs: [c], attrs }: Operands<MatmulAttrs>,
  place: Place,
): records.TapeRecord[] {
  const { transposeA, transposeB, activation, derivative } = attrs;
  const bias = derivative ? undefined : third;
  const sizes = matmulSizes(a, b, attrs);
  const { n, k, batchStrideA, batchStrideB } = sizes;
  // One weight for a batch of untransposed inputs is one product of more rows.
  const joined = batchStrideB === 0 && !transposeA && batchStrideA === sizes.m * k;
  const [batch, m] = joined ? [1, sizes.batch * sizes.m] : [sizes.batch, sizes.m];
  const [rowA, stepA] = transposeA ? [1, m] : [k, 1];
  const [stepB, columnB] = transposeB ? [1, k] : [n, 1];
  const { scratch, scratchPerThread, f32Tile } = place;
  const [tileRows, tileColumns] = f32Tile;
  // A single row reads a weight where it lies, in order; packing would only move it.
  const pack =
    b.constant && batchStrideB === 0 && m > 1 ? packOnce(b, { n, k, stepB, columnB }, place) : undefined;
  const record = records.matmul({
    ...addressesIn(place)({ a, b, bias, c }),
    ...{ batch, m, n, k, batchStrideA, batchStrideB, rowA, stepA, stepB, columnB, rowC: n },
    ...activationOf(activation),
    ...{ tileRows, tileColumns, scratch, scratchPerThread, packed: pack?.packed },
  });
  return pack ? [pack.record, record] : [record];
}

interface Columns {
  readonly n: number;
  readonly k: number;
  readonly stepB: number;
  readonly columnB: number;
}

/** A constant weight in panels as wide as the tile, made when the program is. */
function packOnce(b: TensorRef, { n, k, stepB, columnB }: Columns, { address, extra, f32Tile }: Place) {
  const [, tileColumns] = f32Tile;
  const packed = extra(Math.ceil(n / tileColumns) * tileColumns * k * 4);
  const strides = { step: stepB, column: columnB };
  const record = { ...records.pack({ b: address(b), packed, n, k, ...strides, tileColumns }), once: true };
  return { packed, record };
}

export const matmul: Kernels<typeof rows> = {
  matmul: {
    encode(step, place) {
      const { derivative } = step.attrs;
      const records = product(step, place);
      if (!derivative) return records;
      // Element by element, so it may write where it reads.
      const inputs = [step.outputs[0], step.inputs[2]];
      const { name, attrs } = derivative;
      return [...records, ...backward(name).encode({ ...step, inputs, attrs }, place)];
    },
  },
  linear_backward: {
    encode(step, place) {
      const { inputs, outputs } = step;
      const [weight, bias] = outputs.map((t) => [t]);
      const columns = { axes: [0], keepDims: false };
      return [
        ...product({ inputs, outputs: weight, attrs: weightProduct }, place),
        ...sum.encode({ inputs: [inputs[0]], outputs: bias, attrs: columns }, place),
      ];
    },
  },
};
