import { atOnce } from '../core/callbacks.ts';
import { callback, check, object, real, required } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import type { Checks } from '../core/options.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import { gradientsOf } from '../graph/autodiff.ts';
import { buildPlan } from '../graph/build-plan.ts';
import type { Plan, Section } from '../graph/plan.ts';
import { Tensor, Tracer } from '../graph/trace.ts';
import {
  feed,
  isLone,
  isSignature,
  outputsOf,
  type Signature,
  signatureOf,
  slotName,
  unnamed,
} from '../model/signature.ts';
import type { Loss } from '../nn/losses.ts';
import { type AnyModel, type Tensors, type Values, variableNames } from '../nn/module.ts';
import { type OpName, opOf } from '../ops/index.ts';
import type { TensorType } from '../ops/op.ts';
import { expectMatches } from '../optim/groups.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { type AccumulateOptions, accumulateCheck, type Part, partsOf, Sums } from './accumulate.ts';
import { type AverageOptions, averageCheck } from './average.ts';
import type { Bind } from './bind.ts';
import { traceUpdate, type Update } from './update.ts';
import { type PlacedVariable, placeGradients, TrainedVariables } from './variables.ts';

export interface TrainOptions<O extends Values = Tensor, T extends Values = Tensor> {
  /** What is to become small. */
  readonly loss: Loss<O, T>;
  /** How parameters are updated. */
  readonly optimizer: Optimizer;
  /** Scale gradients down so that their global norm is at most this; with Infinity, as if not given, they stay. */
  readonly clipNorm?: number;
  /** Hold each element of a gradient within this of 0, before `clipNorm` looks at them; with Infinity, as if not given, they stay. */
  readonly clipValue?: number;
  /**
   * In how many parts each batch goes through the model, one after the other; their gradients are added up before they are clipped and
   * the step is made. The step is that of the whole batch up to rounding, and memory that of a part; batch norm sees a part at a time.
   * Losses must be means over samples, or say `{ batches, reduction: 'sum' }`. 1 if not given.
   */
  readonly accumulate?: number | AccumulateOptions;
  /** Keep a mean of the weights of all steps beside them, for `freeze({ average: true })`; none if not given. */
  readonly average?: AverageOptions;
  /**
   * Type of each target of one sample, by name; taken from the first data set if not given. The type of a target without a
   * name follows from the loss.
   */
  readonly targets?: Signature;
  /**
   * What the model sees of each parameter, by its name in the state dict, in training and when it is frozen: the parameter, trained
   * or frozen, or what ops make of it. `bind: (path, w) => (path.startsWith('head.') ? w.trained() : w.frozen())` trains the
   * head alone. Parameters that a binding uses of its own (adapters) are trained; they need names.
   */
  readonly bind?: Bind;
}

/** Of models and losses whatever they take and give. */
export type AnyTrainOptions = TrainOptions<never, never>;

const optimizer = check(
  'an optimizer, such as optim.adamw()',
  (x) => object(x) && callback((x as Partial<Optimizer>).hyper),
);

export const trainChecks: Checks<AnyTrainOptions> = {
  loss: required(check('a loss, such as nn.crossEntropy', callback)),
  optimizer: required(optimizer),
  clipNorm: real(0, Infinity),
  clipValue: real(1e-30, Infinity),
  accumulate: accumulateCheck,
  average: averageCheck,
  targets: isSignature,
  bind: callback,
};

export interface TrainPlan {
  /** The whole step, or its last part, which ends with the update. */
  readonly plan: Plan;
  /** What runs for a step, in order; the last is `plan`. */
  readonly parts: readonly PlannedPart[];
  /** Samples of a step. */
  readonly batch: number;
  /** Parameters, then buffers, each in the order in which the model first uses them. */
  readonly variables: readonly PlacedVariable[];
  /** What the optimizer keeps, and is told at each step. */
  readonly update: Update;
}

/** A part of a step: the plan for so many of the batch's samples, and the entry of the program that it is. */
export interface PlannedPart {
  readonly rows: number;
  readonly entry: string;
  readonly plan: Plan;
}

/** The entry of a training's program that ends a step. */
export const TRAIN = 'train';

/** Names of the slots of a training plan; inputs and targets with names have slots of those (`slotName`). */
export const trainSlots = {
  input: 'input',
  target: 'target',
  hyper: 'hyper',
  seed: 'seed',
  loss: 'loss',
  parameters: 'parameters',
} as const;

/** A value inside a training step, for finding out what went wrong in it. */
export interface Observed {
  /** The slot that it is read from. */
  readonly slot: string;
  readonly op: OpName;
  readonly section: Section;
  /** The layer it belongs to; '' where it is in none. */
  readonly path: string;
  /** The parameter that it is computed with, or with which what it is computed from was. */
  readonly parameter: string | undefined;
}

/**
 * A whole training step as one plan: forward, loss, backward, update.
 *
 * All parameters lie in one flat state tensor, their gradients at the same places in a second one, and so
 * do the optimizer's moments: the update is one op, and a snapshot is one read. The room between two
 * parameters stays zero in all of them. Parameters that are frozen, or that the loss does not depend on, lie behind all others,
 * out of the update's reach: they stay as they are, as in PyTorch. Buffers are states of their own.
 */
export function trainPlan(
  model: AnyModel,
  inputs: TensorType | Signature,
  batch: number,
  options: AnyTrainOptions,
): TrainPlan {
  const parts = partsOf(batch, options.accumulate);
  const last = traceStep(model, inputs, parts.at(-1)!, options);
  const plan = buildPlan(last.tracer.graph, { name: TRAIN });
  const before = new Map<number, PlannedPart>();
  const planned = parts.map((part): PlannedPart => {
    const { rows } = part;
    if (part.isLast) return { rows, entry: TRAIN, plan };
    const known = before.get(rows);
    if (known) return known;
    const { graph } = traceStep(model, inputs, part, options).tracer;
    const made = {
      rows,
      entry: `accumulate ${rows}`,
      plan: buildPlan(graph, { name: `accumulate, batch ${rows}` }),
    };
    before.set(rows, made);
    return made;
  });
  return { plan, parts: planned, batch, variables: last.variables.placed, update: last.update! };
}

/** The same step in one part with nothing fused, in which every value on the way can be read. */
export function observedPlan(
  model: AnyModel,
  inputs: Signature,
  batch: number,
  options: AnyTrainOptions,
): { plan: Plan; observed: readonly Observed[] } {
  const [whole] = partsOf(batch);
  const { tracer, variables } = traceStep(model, inputs, whole, { ...options, accumulate: undefined });
  const near = variables.namesById;
  const observed: Observed[] = [];
  for (const { op, section, path, inputs, outputs } of tracer.nodes) {
    const own = inputs.find((id) => tracer.tensors[id].kind === 'state' && near.has(id));
    const parameter = near.get(own ?? inputs.find((id) => near.has(id)) ?? -1);
    for (const id of outputs) {
      if (parameter) near.set(id, parameter);
      const { dtype, view } = tracer.tensors[id];
      if (dtype !== 'f32' || view || opOf(op).alias) continue;
      const slot = `observed ${id}`;
      tracer.outputs[slot] = id;
      observed.push({ slot, op, section, path, parameter });
    }
  }
  return { plan: buildPlan(tracer.graph, { name: 'look at a step', optimize: false }), observed };
}

/** A step, or the part of one that goes through the model at once; the update belongs to the last. */
function traceStep(
  model: AnyModel,
  inputs: TensorType | Signature,
  part: Part,
  options: AnyTrainOptions,
): { tracer: Tracer; variables: TrainedVariables; update?: Update } {
  const tracer = new Tracer({ training: true });
  const x = feed(tracer, 'input', signatureOf('input', inputs), part.rows);
  const { optimizer } = options;
  const { groups } = optimizer;
  const optimizerFor = (name: string) => (groups ? groups.of(name, optimizer) : optimizer);
  const variables = new TrainedVariables(
    ...([tracer, trainSlots.parameters, variableNames(model), options.bind] as const),
    groups && ((name: string) => !optimizerFor(name)),
  );
  const outputs = tracer.run(() => outputsOf(model, x));
  tracer.section = 'loss';
  const given = lossOf(tracer, outputs, part.rows, options);
  const sums = options.accumulate === undefined ? undefined : new Sums(tracer, part);
  const loss = sums?.shareOf(given) ?? given;
  if (sizeOf(loss.shape) !== 1)
    fail(
      'shape_mismatch',
      `the loss has shape ${showShape(loss.shape)}, expected one number; take its mean or sum`,
    );
  const total = sums?.addLoss(loss) ?? loss;
  if (part.isLast) tracer.output(trainSlots.loss, total);

  if (variables.isEmpty) fail('invalid_argument', 'the model uses no parameters; there is nothing to train');
  if (groups) expectMatches(groups, [...variables.namesById.values()]);
  tracer.section = 'backward';
  const tensors = variables.trainable;
  const gradients = gradientsOf(tracer, loss, tensors);
  if (gradients.every((g) => g === undefined))
    fail(
      'invalid_argument',
      'the loss depends on no parameter of the model that is trained; there is nothing to train',
    );
  variables.close(
    tensors.filter((_, i) => gradients[i]),
    optimizerFor,
  );
  const flat = placeGradients(tracer, gradients, tensors, variables.flat.shape[0]);
  tracer.section = 'update';
  const summed = sums?.addGradients(flat) ?? flat;
  if (!part.isLast) return { tracer, variables };
  const update = traceUpdate(tracer, variables, summed, trainSlots.hyper, options);
  return { tracer, variables, update };
}

/** The loss of a model's outputs. Of an output without a name follows what a target without one has to be. */
export function lossOf(
  tracer: Tracer,
  outputs: Tensors,
  batch: number,
  { loss, targets }: Pick<AnyTrainOptions, 'loss' | 'targets'>,
): Tensor {
  const given = unnamed('output', outputs);
  const follows = given instanceof Tensor && (!targets || isLone('target', targets));
  if (!follows && !targets)
    fail(
      'invalid_argument',
      `the model has the outputs ${Object.keys(outputs).join(', ')}, which don't say what its targets are; give their types: ` +
        'train(model, { targets: { next: i32() } }), or train on a data set first',
    );
  const target = follows ? targetOf(tracer, given, loss) : feed(tracer, 'target', targets!, batch);
  const value: unknown = atOnce(
    'the loss',
    tracer.run(() => loss(given as never, target as never)),
  );
  return value instanceof Tensor
    ? value
    : fail('invalid_argument', 'the loss returned no tensor; return the result of its last op');
}

function targetOf(tracer: Tracer, output: Tensor, loss: AnyTrainOptions['loss']): Tensor {
  const { dtype, shape } = atOnce('the type of the target', loss.target?.(output)) ?? output;
  return tracer.input(slotName('target', 'target'), { dtype, shape });
}
