import { whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { expectValue } from '../core/options.ts';
import type { Tensor } from '../graph/trace.ts';
import type { Operand } from './apply.ts';
import { reshape, transpose } from './layout.ts';
import { isLayout, type Layout } from './pixels.ts';
import { tensorOf } from './shape.ts';

/** The sizes of images in either layout, whatever leads them. */
function sizesOf(name: string, x: Operand, factor: number, layout: Layout) {
  expectValue(name, 'factor', factor, whole(1));
  expectValue(name, 'layout', layout, isLayout);
  const t = tensorOf(name, x);
  if (t.shape.length < 3) fail('shape_mismatch', `${name}: got [${t.shape}], expected images`);
  const lead = t.shape.slice(0, -3);
  const last = t.shape.slice(-3);
  const [channels, height, width] = layout === 'NCHW' ? last : [last[2], last[0], last[1]];
  return { t, lead, channels, height, width };
}

const behind = (lead: readonly number[], perm: readonly number[]) => [
  ...lead.keys(),
  ...perm.map((axis) => lead.length + axis),
];

/**
 * (..., channels factor^2, height, width) -> (..., channels, height factor, width factor): channels become pixels, as
 * torch.nn.PixelShuffle has it (Shi et al. 2016). Throws 'shape_mismatch' where the channels can't be divided.
 */
export function pixelShuffle(x: Operand, factor: number, layout: Layout = 'NCHW'): Tensor {
  const { t, lead, channels, height, width } = sizesOf('pixelShuffle', x, factor, layout);
  const left = channels / factor ** 2;
  if (!Number.isInteger(left))
    fail('shape_mismatch', `pixelShuffle: ${channels} channels can't be divided by ${factor} x ${factor}`);
  const [rows, columns] = [height * factor, width * factor];
  const apart =
    layout === 'NCHW' ? [left, factor, factor, height, width] : [height, width, left, factor, factor];
  const perm = [0, 3, 1, 4, 2];
  const moved = transpose(reshape(t, [...lead, ...apart]), behind(lead, perm));
  return reshape(moved, [...lead, ...(layout === 'NCHW' ? [left, rows, columns] : [rows, columns, left])]);
}

/** The inverse of pixelShuffle(): pixels become channels, as torch.nn.PixelUnshuffle has it. */
export function pixelUnshuffle(x: Operand, factor: number, layout: Layout = 'NCHW'): Tensor {
  const { t, lead, channels, height, width } = sizesOf('pixelUnshuffle', x, factor, layout);
  const [rows, columns] = [height / factor, width / factor];
  if (!Number.isInteger(rows) || !Number.isInteger(columns))
    fail('shape_mismatch', `pixelUnshuffle: ${height} x ${width} pixels can't be divided by ${factor}`);
  const apart =
    layout === 'NCHW' ? [channels, rows, factor, columns, factor] : [rows, factor, columns, factor, channels];
  const perm = [0, 2, 4, 1, 3];
  const moved = transpose(reshape(t, [...lead, ...apart]), behind(lead, perm));
  const all = channels * factor ** 2;
  return reshape(moved, [...lead, ...(layout === 'NCHW' ? [all, rows, columns] : [rows, columns, all])]);
}
