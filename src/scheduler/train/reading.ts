import type { TypedArray } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { meant } from '../../core/nearest.ts';
import { averageOf } from '../../plans/average-slot.ts';
import { trainSlots } from '../../plans/train.ts';
import type { PlacedVariable } from '../../plans/variables.ts';
import type { TrainingCore } from './core.ts';

/** Arrays by the names of variables in the state dict. */
export type NamedArrays = Readonly<Record<string, TypedArray>>;

/** Throws 'invalid_argument' unless the training keeps a mean of its weights. */
export function expectAverage({ options }: TrainingCore): void {
  if (!options.average)
    fail(
      'invalid_argument',
      'this training keeps no mean of the weights; train with average: { decay: 0.999 }',
    );
}

/** Copies of variables as they are after the steps so far; of parameters their mean, where that is asked for. */
export async function readVariables(
  core: TrainingCore,
  variables: readonly PlacedVariable[],
  average = false,
): Promise<TypedArray[]> {
  if (average) expectAverage(core);
  const stateOf = (slot: string) => (average ? averageOf(slot) : slot);
  // All asked for at once, so that no step comes between them.
  const names = [...new Set(variables.map(({ slot }) => stateOf(slot)))];
  const states = await Promise.all(names.map((name) => core.stepper.read(name)));
  return variables.map(({ slot, offset, variable }) =>
    states[names.indexOf(stateOf(slot))].slice(offset, offset + variable.size),
  );
}

/** What a training reads of its variables: one by its name, or all parameters. */
export class Reading {
  private readonly core: TrainingCore;

  constructor(core: TrainingCore) {
    this.core = core;
  }

  /** Throws 'invalid_argument' unless the model uses a variable of that name. */
  async variable(name: string): Promise<TypedArray> {
    const [values] = await readVariables(this.core, [find(name, await this.placed('read'))]);
    return values;
  }

  async parameters(): Promise<NamedArrays> {
    const parameters = (await this.placed('parameters')).filter(isParameter);
    const values = await readVariables(this.core, parameters);
    return Object.fromEntries(parameters.map(({ name }, i) => [name, values[i]]));
  }

  /** Throws 'invalid_argument' unless there is a trained parameter of that name, and a gradient of it. */
  async gradient(name: string): Promise<Float32Array> {
    const parameter = find(name, (await this.placed('gradient')).filter(isParameter));
    return (
      (await this.gradients())[parameter.name] ??
      fail('invalid_argument', `'${name}' has no gradient: it is frozen, or the loss does not depend on it`)
    );
  }

  async gradients(): Promise<Readonly<Record<string, Float32Array>>> {
    const { stepper } = this.core;
    const flat = await (stepper.current &&
      stepper.using(async ({ program, hasRun }) =>
        hasRun ? ((await program.read(program.plan.slots.gradients)) as Float32Array) : undefined,
      ));
    if (!flat)
      return fail(
        'invalid_argument',
        'there are no gradients: no step was made since the training began, was restored or was recovered; make one first',
      );
    const { groups } = stepper.current!.train.update;
    const trained = groups.flatMap(({ parameters }) => parameters);
    return Object.fromEntries(
      trained.map(({ name, offset, size }) => [name, flat.slice(offset, offset + size)]),
    );
  }

  private async placed(what: string): Promise<readonly PlacedVariable[]> {
    return (await this.core.prepared(what)).train.variables;
  }
}

const isParameter = ({ slot }: PlacedVariable): boolean => slot === trainSlots.parameters;

function find(name: string, variables: readonly PlacedVariable[]): PlacedVariable {
  const names = variables.map((v) => v.name);
  return (
    variables.find((v) => v.name === name) ??
    fail('invalid_argument', `the model uses no '${name}'${meant(String(name), names)}`)
  );
}
