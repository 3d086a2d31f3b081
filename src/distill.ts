import { callback, check, positive, real, required } from './core/checks.ts';
import { fail } from './core/errors.ts';
import { optionsOf } from './core/options.ts';
import { sameShape, showShape } from './core/shape.ts';
import { add, logSoftmax, scale, softmax } from './functions/index.ts';
import type { Graph } from './graph/graph.ts';
import { include } from './graph/include.ts';
import { outside, type Tensor } from './graph/trace.ts';
import { type AnyFrozen, FrozenModel } from './model/frozen.ts';
import { crossEntropy, klDivLoss, type Loss, type Target } from './nn/losses.ts';
import { inferGraph, inferSlots } from './plans/infer.ts';
import { type AnyQuantized, type QuantizedModel, quantizedGraph } from './quantize/quantize.ts';

/** Options of distill(). */
export interface DistillOptions {
  /** A frozen or quantized model that takes what the student takes, and gives logits (batch, ..., classes). */
  readonly teacher: FrozenModel | QuantizedModel;
  /** What logits of both are divided by before their softmax: the higher, the more is told of unlikely classes. 4 if not given. */
  readonly temperature?: number;
  /** Share of the teacher in the loss, from 0 to 1; 0.7 if not given. With 1 the targets of the data have no say. */
  readonly alpha?: number;
  /** Loss of the student's logits and the targets; nn.crossEntropy if not given. */
  readonly loss?: Loss;
}

const isModel = check(
  'a frozen or a quantized model',
  (x) => x instanceof FrozenModel || (x as Partial<AnyQuantized> | null)?.frozen instanceof FrozenModel,
);
const checkDistill = optionsOf<DistillOptions>('distill', {
  teacher: required(isModel),
  temperature: positive,
  alpha: real(0, 1),
  loss: callback,
});

/**
 * The loss of a student that learns from a teacher's logits too (Hinton, Vinyals, Dean 2015):
 *
 *     alpha T^2 KL(softmax(teacher / T) || softmax(student / T)) + (1 - alpha) loss(student, target)
 *
 * with the divergence summed over a sample and averaged over the batch, and T^2 so that gradients are of one size whatever T is.
 * The teacher runs inside the training step, on its batch, as it serves: its weights are constants, which have no gradient, no moments and
 * no place in checkpoints; these know which teacher it was. Throws 'shape_mismatch' for a teacher that takes or gives something else than
 * the student, 'invalid_argument' for one with several outputs.
 */
export function distill(given: DistillOptions): Loss {
  const { teacher, temperature = 4, alpha = 0.7, loss = crossEntropy } = checkDistill(given);
  const distilled: Loss = (output, target) =>
    distillation(output, alpha > 0 ? logitsOf(teacher, output) : output, target, {
      temperature,
      alpha,
      loss,
    });
  return Object.assign(distilled, { target: loss.target });
}

/** The formula, of the logits of both. */
export function distillation(
  student: Tensor,
  teacher: Tensor,
  target: Target,
  { temperature, alpha, loss }: Required<Omit<DistillOptions, 'teacher'>>,
): Tensor {
  if (alpha === 0) return loss(student, target);
  const [at, wanted] = [student, teacher].map((logits) => scale(logits, 1 / temperature));
  const chances = softmax(wanted);
  const divergence = klDivLoss({ reduction: 'batchmean' })(
    logSoftmax(at),
    'weight' in target ? { target: chances, weight: target.weight } : chances,
  );
  const soft = scale(divergence, alpha * temperature ** 2);
  return alpha === 1 ? soft : add(soft, scale(loss(student, target), 1 - alpha));
}

/** What the teacher gives for the batch that the student got. */
function logitsOf(teacher: AnyFrozen | AnyQuantized, student: Tensor): Tensor {
  const { tracer } = student;
  const inputs = new Map(tracer.tensors.flatMap((t) => (t.kind === 'input' ? [[t.name, t]] : [])));
  const slots = Object.values(graphOf(teacher, 1).tensors).filter(({ kind }) => kind === 'input');
  for (const {
    name,
    dtype,
    shape: [, ...sample],
  } of slots) {
    const own = inputs.get(name);
    const [, ...given] = own?.shape ?? [];
    if (!own || own.dtype !== dtype || !sameShape(given, sample))
      fail(
        'shape_mismatch',
        `distill: the teacher takes '${name}', ${dtype} ${showShape(sample)} of each sample, the student ` +
          (own ? `${own.dtype} ${showShape(given)}` : 'has no such input'),
      );
  }
  const [batch] = inputs.get(slots[0].name)!.shape;
  const outputs = tracer.scope('teacher', () =>
    include(tracer, graphOf(teacher, batch), (name, type) => tracer.input(name, type)),
  );
  const logits = outputs[inferSlots.output];
  if (!logits)
    fail(
      'invalid_argument',
      `distill: the teacher gives ${Object.keys(outputs).join(', ')}; expected one output without a name`,
    );
  if (!sameShape(logits.shape, student.shape))
    fail(
      'shape_mismatch',
      `distill: the teacher gives ${showShape(logits.shape)}, the student ${showShape(student.shape)}; they need the same classes`,
    );
  return logits;
}

const graphs = new WeakMap<AnyFrozen | AnyQuantized, Map<number, Graph>>();

/** The teacher's graph for a batch size. */
function graphOf(teacher: AnyFrozen | AnyQuantized, batch: number): Graph {
  const known = graphs.get(teacher) ?? new Map<number, Graph>();
  graphs.set(teacher, known);
  const graph =
    known.get(batch) ??
    outside(() =>
      teacher instanceof FrozenModel ? inferGraph(teacher, batch) : quantizedGraph(teacher, batch),
    );
  known.set(batch, graph);
  return graph;
}
