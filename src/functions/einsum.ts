import { fail } from '../core/errors.ts';
import { normalizeAxis, showShape, sizeOf } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import { type Operand, resolve, tracerOf } from './apply.ts';
import { mul } from './binary.ts';
import { reshape, slice, transpose } from './layout.ts';
import { matmul } from './matmul.ts';
import { sum } from './reduce.ts';
import { movedim, tensorOf } from './shape.ts';

/** An axis by name: a letter, or '.0', '.1', ... for those of '...', counted from the last. */
type Label = string;

/** A tensor whose axes have names, each once. */
interface Named {
  readonly x: Tensor;
  readonly labels: readonly Label[];
}

const bad = (equation: string, what: string) => fail('invalid_argument', `einsum '${equation}': ${what}`);

/**
 * Elements from (0, offset), or (-offset, 0), along both of two axes at once, as a new last axis (torch.diagonal): every
 * (columns + 1)st of the two as one.
 */
export function diagonal(x: Operand, offset = 0, axis1 = 0, axis2 = 1): Tensor {
  const t = tensorOf('diagonal', x);
  const [a, b] = [axis1, axis2].map((axis) => normalizeAxis(axis, t.shape.length, 'diagonal'));
  if (a === b || !Number.isInteger(offset))
    fail(
      'invalid_argument',
      `diagonal: got axes ${axis1} and ${axis2}, offset ${offset}; expected two axes, a whole number`,
    );
  const [rows, columns] = [t.shape[a], t.shape[b]];
  const count = Math.max(0, Math.min(rows + Math.min(0, offset), columns - Math.max(0, offset)));
  const last = movedim(t, [a, b], [-2, -1]);
  const outer = last.shape.slice(0, -2);
  const flat = reshape(last, [sizeOf(outer), rows * columns]);
  const start = count === 0 ? 0 : Math.max(0, offset) + Math.max(0, -offset) * columns;
  const end = count === 0 ? 0 : start + (count - 1) * (columns + 1) + 1;
  return reshape(slice(flat, [0, start], [sizeOf(outer), end], { steps: [1, columns + 1] }), [
    ...outer,
    count,
  ]);
}

/** The labels of each operand, and of the result. */
function parse(equation: string, ranks: readonly number[]): { inputs: Label[][]; output: Label[] } {
  const [left, right, ...more] = equation.replaceAll(' ', '').split('->');
  const terms = left.split(',');
  if (more.length > 0 || !/^([a-zA-Z]|\.{3})*$/.test([...terms, right ?? ''].join('')))
    bad(equation, "expected terms of letters and '...', with ',' between them and one '->' at most");
  if (terms.length !== ranks.length)
    bad(equation, `has ${terms.length} terms, but there are ${ranks.length} tensors`);
  const dots = (n: number): Label[] => Array.from({ length: n }, (_, i) => `.${n - 1 - i}`);
  for (const term of [...terms, right ?? ''])
    if (term.split('...').length > 2) bad(equation, `'${term}' has '...' twice`);
  const labelsOf = (term: string, some: number): Label[] => {
    const [before, after] = term.split('...');
    return after === undefined ? [...before] : [...before, ...dots(some), ...after];
  };
  let most = 0;
  const inputs = terms.map((term, i) => {
    const letters = term.replace('...', '').length;
    const some = ranks[i] - letters;
    if (some < 0 || (some > 0 && !term.includes('...')))
      bad(equation, `'${term}' does not name the ${ranks[i]} axes of tensor ${i}`);
    most = Math.max(most, some);
    return labelsOf(term, some);
  });
  const all = inputs.flat();
  const once = [...new Set(all)].filter((l) => l[0] !== '.' && all.indexOf(l) === all.lastIndexOf(l));
  const output = right === undefined ? [...dots(most), ...once.sort()] : labelsOf(right, most);
  for (const label of output)
    if (output.indexOf(label) !== output.lastIndexOf(label) || !all.includes(label))
      bad(equation, `the result's '${label}' must be in it once, and in one of the terms`);
  return { inputs, output };
}

/** A label that a tensor has twice stands for the diagonal of the two axes. */
function diagonals({ x, labels }: Named): Named {
  const second = labels.findIndex((l, i) => labels.indexOf(l) < i);
  if (second < 0) return { x, labels };
  const label = labels[second];
  const first = labels.indexOf(label);
  return diagonals({
    x: diagonal(x, 0, first, second),
    labels: [...labels.filter((l) => l !== label), label],
  });
}

/** Sums over the axes that nothing asks for any more. */
function summed({ x, labels }: Named, wanted: ReadonlySet<Label>): Named {
  const axes = labels.flatMap((l, i) => (wanted.has(l) ? [] : [i]));
  return axes.length === 0
    ? { x, labels }
    : { x: sum(x, { axes }), labels: labels.filter((l) => wanted.has(l)) };
}

function ordered({ x, labels }: Named, order: readonly Label[]): Tensor {
  const perm = order.map((l) => labels.indexOf(l));
  return perm.every((p, i) => p === i) ? x : transpose(x, perm);
}

/** Two tensors as one: a product of matrices over the labels that end here, for each of those that both have and go on. */
function contract(a: Named, b: Named, goesOn: ReadonlySet<Label>, size: ReadonlyMap<Label, number>): Named {
  const left = summed(a, new Set([...goesOn, ...b.labels]));
  const right = summed(b, new Set([...goesOn, ...a.labels]));
  const both = left.labels.filter((l) => right.labels.includes(l));
  const batch = both.filter((l) => goesOn.has(l));
  const inner = both.filter((l) => !goesOn.has(l));
  const rows = left.labels.filter((l) => !both.includes(l));
  const columns = right.labels.filter((l) => !both.includes(l));
  const count = (labels: readonly Label[]) => labels.reduce((product, l) => product * size.get(l)!, 1);
  // A matrix that lies transposed is multiplied as it lies.
  const lies = (t: Named, order: readonly Label[]) => order.every((l, i) => t.labels[i] === l);
  const transposeA = inner.length > 0 && lies(left, [...batch, ...inner, ...rows]);
  const transposeB = inner.length === 0 || lies(right, [...batch, ...columns, ...inner]);
  const matrices = (t: Named, first: readonly Label[], second: readonly Label[]) =>
    reshape(ordered(t, [...batch, ...first, ...second]), [
      ...(batch.length > 0 ? [count(batch)] : []),
      ...[count(first), count(second)],
    ]);
  const x = transposeA ? matrices(left, inner, rows) : matrices(left, rows, inner);
  if (inner.length === 0) {
    const made = mul(x, matrices(right, [], columns));
    return shaped(made);
  }
  const y = transposeB ? matrices(right, columns, inner) : matrices(right, inner, columns);
  return shaped(matmul(x, y, { transposeA, transposeB }));

  function shaped(made: Tensor): Named {
    const labels = [...batch, ...rows, ...columns];
    return {
      x: reshape(
        made,
        labels.map((l) => size.get(l)!),
      ),
      labels,
    };
  }
}

/**
 * Sums of products, written as NumPy's and PyTorch's einsum: 'bij,jk->bik'. Each letter names an axis; what is not in the
 * result is summed over. Without '->' the result has '...' and then, in the alphabet's order, the letters that occur once.
 * A letter twice in one term takes a diagonal; axes of size 1 broadcast. Tensors are contracted in pairs, from left to
 * right, each a product of matrices. f32. Throws 'invalid_argument' or 'shape_mismatch' where equation and tensors differ.
 */
export function einsum(equation: string, ...operands: Operand[]): Tensor {
  if (typeof equation !== 'string' || operands.length === 0)
    fail('invalid_argument', 'einsum: expected an equation, and a tensor for each of its terms');
  const tracer = tracerOf('einsum', operands);
  const tensors = operands.map((x) => resolve(tracer, x));
  const { inputs, output } = parse(
    equation,
    tensors.map(({ shape }) => shape.length),
  );
  const size = new Map<Label, number>();
  inputs.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const [known, n] = [size.get(label) ?? 1, tensors[i].shape[axis]];
      if (known !== 1 && n !== 1 && known !== n)
        fail(
          'shape_mismatch',
          `einsum '${equation}': '${label}' is ${known} and, in ${showShape(tensors[i].shape)}, ${n}`,
        );
      if (known === 1) size.set(label, n);
    });
  });
  // An axis of size 1 that others have longer is the same for all of it: as if it had no such axis.
  const named = inputs.map((labels, i): Named => {
    const kept = labels.flatMap((l, axis) => (tensors[i].shape[axis] === size.get(l) ? [axis] : []));
    const x =
      kept.length === labels.length
        ? tensors[i]
        : reshape(
            tensors[i],
            kept.map((axis) => tensors[i].shape[axis]),
          );
    return diagonals({ x, labels: kept.map((axis) => labels[axis]) });
  });
  const all = named.reduce((a, b, i) => {
    const later = named.slice(i + 1).flatMap(({ labels }) => labels);
    return contract(a, b, new Set([...output, ...later]), size);
  });
  return ordered(summed(all, new Set(output)), output);
}
