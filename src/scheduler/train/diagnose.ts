import type { Backend } from '../../backend/backend.ts';
import type { TypedArray } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import { opAt } from '../../graph/plan.ts';
import { type Signature, slotName } from '../../model/signature.ts';
import type { AnyModel } from '../../nn/module.ts';
import { type AnyTrainOptions, type Observed, observedPlan, trainSlots } from '../../plans/train.ts';
import type { PlacedVariable } from '../../plans/variables.ts';
import { compileOn } from '../choose/compile.ts';
import { firstNotFinite, type NotFinite, NotFiniteError, type Quantity } from './finite.ts';
import type { BrokenStep, FirstBroken } from './roll-back.ts';
import type { Snapshot } from './snapshots.ts';

/** What is needed to make one step once more and look into it. */
export interface StepAgain {
  readonly backend: Backend;
  readonly model: AnyModel;
  /** Types of one sample. */
  readonly inputs: Signature;
  /** Samples of the step. */
  readonly size: number;
  readonly options: AnyTrainOptions;
  readonly variables: readonly PlacedVariable[];
}

interface Finding extends Pick<NotFinite, 'quantity' | 'layer' | 'parameter' | 'value'> {
  readonly text: string;
}

const REMEDIES =
  'A smaller learning rate, clipNorm, or inputs of a smaller scale may help; terminateOnNaN: false goes on regardless';

/** The error for a training that was rolled back: which step was not finite, and what in it came first. */
export async function notFinite(
  again: StepAgain,
  { good, step: broken }: FirstBroken,
): Promise<NotFiniteError> {
  const before = inStates(good.states, again.variables, 'before this step already');
  const found = before ?? (broken ? await first(again, good, broken) : unrepeated);
  const step = good.step + 1;
  const epoch = broken?.batch.epoch;
  const stands = before
    ? 'Begin anew from finite weights'
    : `The training stands where it was after ${good.step === 0 ? 'no step' : `step ${good.step}`}, finite. ${REMEDIES}`;
  return new NotFiniteError(
    `step ${step}${epoch === undefined ? '' : ` (epoch ${epoch})`} is not finite: ${found.text}. ${stands}`,
    { ...found, step, epoch },
  );
}

const nowhere = { layer: undefined, parameter: undefined } as const;

/** The same samples gave something else when they were asked for again. */
const unrepeated: Finding = {
  ...{ quantity: 'loss', ...nowhere, value: Number.NaN },
  text: 'a loss or weights were NaN or infinite, and are finite with what the data set gives when it is asked again',
};

async function first(again: StepAgain, good: Snapshot, broken: BrokenStep): Promise<Finding> {
  const { loss, bad } = broken;
  return (
    inInput(again, broken) ??
    // Looking closer takes memory, which may not be there.
    (await inside(again, good, broken).catch(() => undefined)) ??
    inStates(bad, again.variables, 'after the update') ?? {
      ...{ quantity: 'loss', ...nowhere, value: loss },
      text: `the loss is ${loss}`,
    }
  );
}

function inInput({ inputs }: StepAgain, { told, batch }: BrokenStep): Finding | undefined {
  for (const [name, { shape }] of Object.entries(inputs)) {
    const input = told[slotName('input', name)];
    const at = firstNotFinite(input);
    if (at < 0) continue;
    const row = Math.floor(at / sizeOf(shape));
    const sample = batch.samples
      ? `sample ${batch.samples[row]} of the data set`
      : `sample ${row} of the batch`;
    const which = name === 'input' ? 'the input' : `inputs.${name}`;
    return {
      ...{ quantity: 'input', ...nowhere, value: input[at] },
      text: `${which} is ${input[at]} in ${sample}, at position ${at % sizeOf(shape)}`,
    };
  }
  return undefined;
}

/** Runs the step unfused on the last finite state, and looks through it in the order in which it was computed. */
async function inside(again: StepAgain, good: Snapshot, broken: BrokenStep): Promise<Finding | undefined> {
  const { model, inputs, size, options, backend, variables } = again;
  const { plan, observed } = observedPlan(model, inputs, size, options);
  const program = await compileOn(backend, plan);
  try {
    // In one part: of steps that go through in several there are sums besides.
    for (const [name, values] of Object.entries({ ...good.states, ...broken.told }))
      if (plan.slots[name]) program.write(plan.slots[name], values);
    program.run();
    for (const seen of observed) {
      const values = await program.read(plan.slots[seen.slot]);
      const at = firstNotFinite(values);
      if (at >= 0) return inStep(seen, values[at]);
    }
    const gradients = await program.read(plan.slots.gradients);
    return inFlat('gradient', gradients, flat(variables), (name, x) => `the gradient of '${name}' is ${x}`);
  } finally {
    program.dispose();
  }
}

const quantities = { forward: 'output', loss: 'loss', backward: 'gradient', update: 'gradient' } as const;

function inStep(seen: Observed, value: number): Finding {
  const { op, section, path, parameter } = seen;
  const quantity = quantities[section];
  const near = parameter ? ` at '${parameter}'` : '';
  const what = {
    output: `the output of ${opAt(seen)}${near}`,
    // What came before is finite: it was divided by nothing.
    loss:
      op === 'mean_over'
        ? 'the loss, since no target counts (all are ignored, or weigh 0),'
        : `the loss (${op})`,
    gradient: `the gradient in ${opAt(seen)}${near}`,
  };
  return { quantity, layer: path || undefined, parameter, value, text: `${what[quantity]} is ${value}` };
}

/** Parameters: what gradients and moments lie beside. */
const flat = (variables: readonly PlacedVariable[]) =>
  variables.filter(({ slot }) => slot === trainSlots.parameters);

function inStates(
  states: Snapshot['states'],
  variables: readonly PlacedVariable[],
  when: string,
): Finding | undefined {
  for (const [state, values] of Object.entries(states)) {
    const own = variables.filter(({ slot }) => slot === state);
    const quantity: Quantity =
      state === trainSlots.parameters ? 'weight' : own.length > 0 ? 'buffer' : 'moment';
    const what = { weight: 'a weight of', buffer: 'the buffer', moment: `the optimizer's ${state} of` };
    const found = inFlat(
      quantity,
      values,
      own.length > 0 ? own : flat(variables),
      (name, x) => `${what[quantity as keyof typeof what]} '${name}' is ${x} ${when}`,
    );
    if (found) return found;
  }
  return undefined;
}

function inFlat(
  quantity: Quantity,
  values: TypedArray,
  variables: readonly PlacedVariable[],
  text: (name: string, value: number) => string,
): Finding | undefined {
  const at = firstNotFinite(values);
  if (at < 0) return undefined;
  const parameter = variables.find(
    ({ offset, variable: { size } }) => at >= offset && at < offset + size,
  )?.name;
  const layer = parameter?.slice(0, Math.max(0, parameter.lastIndexOf('.'))) || undefined;
  return { quantity, layer, parameter, value: values[at], text: text(parameter ?? '?', values[at]) };
}
