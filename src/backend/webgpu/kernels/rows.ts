import { rowsOf } from '../../../ops/softmax.ts';
import { type Word, wordOf } from '../record.ts';
import { type Kernel, one } from './kernel.ts';
import { lanesFor } from './reduce.ts';

interface Rowwise<A> {
  /** Which operand's rows are walked, the first if not given. */
  readonly operand?: number;
  /** Arguments behind the sizes. */
  readonly more?: (attrs: A) => Word[];
  /** Rows without elements have a result. */
  readonly empty?: boolean;
}

/** A workgroup for each row of an operand. */
export const rowwise = <A extends object = object>(
  file: string,
  { operand = 0, more = () => [], empty = false }: Rowwise<A> = {},
): Kernel<A> =>
  one<A>(({ inputs, outputs: [output], attrs }) => {
    const { rows, n } = rowsOf(inputs[operand].shape);
    return {
      shader: { files: [file, 'rows', 'sums', 'workgroup', 'math'], constants: { LANES: lanesFor(n) } },
      args: [...inputs.map(wordOf), wordOf(output), rows, n, ...more(attrs)],
      workgroups: n === 0 && !empty ? 0 : rows,
    };
  });
