import { sizeOf } from '../core/shape.ts';
import type { Slot } from '../graph/plan.ts';
import { Tensor, type Tracer } from '../graph/trace.ts';
import { trainSlots } from './train.ts';

/** A part of a loss, and how it adds up over batches: the loss of all samples is what they would have as one batch. */
export interface LossTerm {
  /** The slot that it is read from. */
  readonly value: string;
  /** A sum is added up; a mean is weighted by the batch's samples, or by what `weight` holds. */
  readonly isSum: boolean;
  /** The slot of the sum of weights that it was divided by. */
  readonly weight: string | undefined;
}

const [VALUE, SUM, WEIGHT] = ['part', 'sum', 'weight'].map((of) => `${trainSlots.loss} ${of} `);

/** What reductions leave of a batch has no samples any more. */
const REDUCED = ['sum', 'mean', 'mean_over', 'max', 'min', 'prod'];

/** Makes parts of a loss outputs, where it is more than a mean over samples: weighted means, sums, and what adds them up. */
export function traceLossTerms(tracer: Tracer, loss: Tensor): void {
  const made = new Map(tracer.nodes.flatMap((node) => node.outputs.map((id) => [id, node] as const)));
  /** What depends on the batch. */
  const fed = new Set(tracer.tensors.filter(({ kind }) => kind === 'input').map(({ id }) => id));
  for (const { inputs, outputs } of tracer.nodes)
    if (inputs.some((id) => fed.has(id))) for (const id of outputs) fed.add(id);
  const parts: {
    readonly id: number;
    readonly factor: number;
    readonly isSum: boolean;
    readonly weight?: number;
  }[] = [];
  const take = (id: number, factor: number): void => {
    const { op, inputs = [], outputs = [], attrs } = made.get(id) ?? {};
    const single = inputs.every((input) => sizeOf(tracer.tensors[input].shape) === 1);
    if (single && (op === 'add' || op === 'sub')) {
      take(inputs[0], factor);
      take(inputs[1], op === 'add' ? factor : -factor);
    } else if (single && op === 'scale') take(inputs[0], factor * (attrs as { factor: number }).factor);
    else if (single && op === 'reshape') take(inputs[0], factor);
    else if (op === 'mean_over') parts.push({ id, factor, isSum: false, weight: outputs[1] });
    else {
      const isSum = op === 'sum' && fed.has(id) && !REDUCED.includes(made.get(inputs[0])?.op ?? '');
      parts.push({ id, factor, isSum });
    }
  };
  take(loss.id, 1);
  if (!parts.some(({ isSum, weight }) => isSum || weight !== undefined)) return;
  for (const [i, { id, factor, isSum, weight }] of parts.entries()) {
    const tensor = new Tensor(tracer, tracer.tensors[id]);
    const part = factor === 1 ? tensor : tracer.apply('scale', [tensor], { factor });
    tracer.output((isSum ? SUM : VALUE) + i, part);
    if (weight !== undefined) tracer.output(WEIGHT + i, new Tensor(tracer, tracer.tensors[weight]));
  }
}

/** The parts of a loss among a plan's outputs; one, where it is a mean over samples. */
export function lossTerms(slots: Readonly<Record<string, Slot>>): LossTerm[] {
  const parts = Object.keys(slots).flatMap((value): LossTerm[] => {
    const before = [VALUE, SUM].find((name) => value.startsWith(name));
    if (!before) return [];
    const weight = WEIGHT + value.slice(before.length);
    return [{ value, isSum: before === SUM, weight: slots[weight] && weight }];
  });
  return parts.length > 0 ? parts : [{ value: trainSlots.loss, isSum: false, weight: undefined }];
}
