import { sizeOf } from '../../../core/shape.ts';
import * as records from '../../../generated/records.ts';
import type { Operands, TensorRef } from '../../../graph/plan.ts';
import { inverseScale, type MatmulI8Attrs, type quantized as rows } from '../../../ops/quantized.ts';
import type { Place } from '../tape.ts';
import { packedBytes } from '../tiles.ts';
import { addressesIn, count, type Kernels, one } from './kernel.ts';

/**
 * An int8 product: weights packed for the tile (once, where they are constant), then the product itself. A single row reads
 * them where they lie.
 */
function product(
  { inputs, outputs: [y], attrs }: Operands<MatmulI8Attrs>,
  place: Place,
): records.TapeRecord[] {
  const [x, weight, bias, multiplier, table] = inputs;
  const { shift, zeroPoint, min, max } = attrs;
  const [n, k] = weight.shape;
  const m = sizeOf(x.shape.slice(0, -1));
  const { i8Tile, i8Kind: kind, scratch, scratchPerThread } = place;
  const [tileRows, tileColumns] = i8Tile;
  const packed = m === 1 ? undefined : place.extra(packedBytes(n, k, place));
  const record = records.matmulI8({
    ...addressesIn(place)({ x, weight, bias, multiplier, table, y }),
    ...{ packed, m, n, k, shift, zeroPoint, min, max },
    ...{ tileRows, tileColumns, kind, scratch, scratchPerThread },
  });
  return packed === undefined ? [record] : [pack(weight, packed, place), record];
}

function pack(
  weight: TensorRef,
  packed: number,
  { address, i8Tile, i8Kind: kind }: Place,
): records.TapeRecord {
  const [n, k] = weight.shape;
  const record = records.packI8({ weight: address(weight), packed, n, k, tileColumns: i8Tile[1], kind });
  return { ...record, once: weight.constant };
}

const limits = { u8: { low: 0, high: 255 }, i8: { low: -128, high: 127 } };

export const quantized: Kernels<typeof rows> = {
  matmul_i8: { encode: product },
  quantize: one(({ inputs: [x], outputs: [y], attrs: { scale, zeroPoint } }, at) =>
    records.quantize({
      ...at({ x, y }),
      ...{
        count: count(x),
        inverse: inverseScale(scale),
        zeroPoint,
        ...limits[y.dtype === 'i8' ? 'i8' : 'u8'],
      },
    }),
  ),
  dequantize: one(({ inputs: [x], outputs: [y], attrs: { scale, zeroPoint } }, at) =>
    records.dequantize({ ...at({ x, y }), count: count(x), signed: x.dtype === 'i8', zeroPoint, scale }),
  ),
  add_i8: one(({ inputs: [a, b], outputs: [y], attrs: { stands: _, ...attrs } }, at) =>
    records.addI8({ ...at({ a, b, y }), count: count(y), ...attrs }),
  ),
  activation_i8: one(({ inputs: [x, table], outputs: [y] }, at) =>
    records.activationI8({ ...at({ x, table, y }), count: count(x) }),
  ),
};
