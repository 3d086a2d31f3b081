import { sizeOf } from '../../core/shape.ts';
import * as opcode from '../../generated/opcodes.ts';
import type { Operands, TensorRef } from '../../graph/plan.ts';
import { type MatmulAttrs, matmulSizes } from '../../ops/matmul.ts';
import type { MatmulI8Attrs } from '../../ops/quantized.ts';
import { activationWords } from './activation.ts';
import type { Place, TapeRecord } from './tape.ts';
import { packedBytes } from './tiles.ts';

/**
 * An f32 product as one record: sizes, and the two strides of each operand, which is all that transposing is. A derivative
 * is the caller's to add.
 */
export function encodeMatmul(
  { inputs: [a, b, third], outputs: [y], attrs }: Operands<MatmulAttrs>,
  place: Place,
): TapeRecord[] {
  const { transposeA, transposeB, activation, derivative } = attrs;
  const bias = derivative ? undefined : third;
  const sizes = matmulSizes(a, b, attrs);
  const { n, k, batchStrideA, batchStrideB } = sizes;
  // One weight for a batch of untransposed inputs is one product of more rows.
  const joined = batchStrideB === 0 && !transposeA && batchStrideA === sizes.m * k;
  const [batch, m] = joined ? [1, sizes.batch * sizes.m] : [sizes.batch, sizes.m];
  const [rowA, stepA] = transposeA ? [1, m] : [k, 1];
  const [stepB, columnB] = transposeB ? [1, k] : [n, 1];
  const { address, scratch, scratchPerThread, f32Tile } = place;
  // A single row reads a weight where it lies, in order; packing would only move it.
  const packed =
    b.constant && batchStrideB === 0 && m > 1 ? packOnce(b, { n, k, stepB, columnB }, place) : undefined;
  return [
    ...(packed ? [packed.record] : []),
    {
      opcode: opcode.MATMUL,
      words: [
        ...[address(a), address(b), bias ? address(bias) : 0, address(y)],
        ...[batch, m, n, k, batchStrideA, batchStrideB],
        ...[rowA, stepA, stepB, columnB, n],
        ...activationWords(activation),
        ...[...f32Tile, scratch, scratchPerThread, packed?.address ?? 0],
      ],
    },
  ];
}

interface Columns {
  readonly n: number;
  readonly k: number;
  readonly stepB: number;
  readonly columnB: number;
}

/** A constant weight in panels as wide as the tile, made when the program is. */
function packOnce(b: TensorRef, { n, k, stepB, columnB }: Columns, { address, extra, f32Tile }: Place) {
  const [, columns] = f32Tile;
  const packed = extra(Math.ceil(n / columns) * columns * k * 4);
  const words = [address(b), packed, n, k, stepB, columnB, columns];
  return { address: packed, record: { opcode: opcode.PACK, once: true, words } };
}

function packI8(weight: TensorRef, packed: number, { address, i8Tile, i8Kind }: Place): TapeRecord {
  const words = [address(weight), packed, ...weight.shape, i8Tile[1], i8Kind];
  return { opcode: opcode.PACK_I8, once: weight.constant, words };
}

/**
 * An int8 product: weights packed for the tile (once, where they are constant), then the product itself. A single row reads
 * them where they lie.
 */
export function encodeMatmulI8(step: Operands<MatmulI8Attrs>, place: Place): TapeRecord[] {
  const [x, weight, bias, multiplier, table] = step.inputs;
  const { shift, zeroPoint, min, max } = step.attrs;
  const [n, k] = weight.shape;
  const m = sizeOf(x.shape.slice(0, -1));
  const { address, i8Tile, i8Kind, scratch, scratchPerThread } = place;
  const packed = m === 1 ? undefined : place.extra(packedBytes(n, k, place));
  return [
    ...(packed === undefined ? [] : [packI8(weight, packed, place)]),
    {
      opcode: opcode.MATMUL_I8,
      words: [
        ...[
          address(x),
          packed ?? 0,
          address(bias),
          address(multiplier),
          table ? address(table) : 0,
          address(step.outputs[0]),
        ],
        ...[m, n, k, shift, zeroPoint, min, max],
        ...[...i8Tile, i8Kind, scratch, scratchPerThread, address(weight)],
      ],
    },
  ];
}
