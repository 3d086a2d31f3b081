import { expectArray } from '../core/arrays.ts';
import type { TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { show } from '../core/options.ts';
import { sameShape, showShape, sizeOf } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import { Parameter, type Variable } from '../graph/variable.ts';
import type { Model, Values } from '../nn/module.ts';
import type { TensorType } from '../ops/op.ts';
import { isLone, type Signature, signatureOf } from './signature.ts';

/** One variable of a frozen model: a parameter or a buffer. */
export interface FrozenVariable {
  readonly name: string;
  readonly variable: Variable;
}

/** One parameter of a frozen model. */
export interface FrozenParameter extends FrozenVariable {
  readonly parameter: Parameter;
}

/**
 * The values of a variable themselves, for plans: one array, however many plans there are. Only for the library, which never
 * writes into them; callers get copies.
 */
export let lendValues: (frozen: AnyFrozen, variable: Variable) => TypedArray;

/**
 * A model whose weights no longer change. The values are private and handed out as copies only,
 * so nothing a caller does can reach them.
 */
export class FrozenModel<I extends Values = Tensor, O extends Values = Tensor> {
  /** What computes outputs from inputs and variables. */
  readonly model: Model<I, O>;
  /** Type of each input of one sample, without the batch dimension; `{ input }` where the model takes one tensor. */
  readonly inputs: Signature;
  /** Its parameters and buffers with their names, in the order of the state dict. */
  readonly variables: readonly FrozenVariable[];
  readonly #values: Map<Variable, TypedArray>;

  static {
    lendValues = (frozen, variable) =>
      frozen.#values.get(variable) ?? fail('invalid_argument', 'that variable is not part of this model');
  }

  constructor(
    model: Model<I, O>,
    input: TensorType | Signature,
    variables: readonly FrozenVariable[],
    values: ReadonlyMap<Variable, TypedArray>,
  ) {
    this.model = model;
    this.inputs = signatureOf('input', input);
    this.variables = variables.map(({ name, variable }) => ({ name, variable }));
    this.#values = new Map();
    for (const { name, variable } of variables) {
      const data = values.get(variable);
      if (data?.length !== variable.size)
        fail('shape_mismatch', `'${name}' needs ${variable.size} values, got ${data?.length ?? 'none'}`);
      this.#values.set(variable, data.slice());
    }
  }

  /** Its parameters and their names, in the order of the state dict. */
  get parameters(): readonly FrozenParameter[] {
    return this.variables.flatMap(({ name, variable }) =>
      variable instanceof Parameter ? [{ name, variable, parameter: variable }] : [],
    );
  }

  /** Type of one input sample, without the batch dimension. Throws 'unsupported' where there are several; `inputs` has those. */
  get input(): TensorType {
    return isLone('input', this.inputs)
      ? this.inputs.input
      : fail(
          'unsupported',
          `this model has the inputs ${Object.keys(this.inputs).join(', ')}; their types are in inputs`,
        );
  }

  /** Whether a variable is one of this model's. */
  has(variable: Variable): boolean {
    return this.#values.has(variable);
  }

  /** A copy of one variable's values. */
  values(parameter: Parameter): Float32Array;
  values(variable: Variable): TypedArray;
  values(variable: Variable): TypedArray {
    return lendValues(this, variable).slice();
  }

  /** A copy of all values by name, parameters and buffers, as PyTorch's state_dict. */
  stateDict(): StateDict {
    return Object.fromEntries(
      this.variables.map(({ name, variable }) => [
        name,
        { shape: variable.shape, data: this.values(variable) },
      ]),
    );
  }

  /** Bytes of all variables. */
  get byteLength(): number {
    return [...this.#values.values()].reduce((sum, data) => sum + data.byteLength, 0);
  }
}

/** A frozen model whatever it takes and gives. */
export type AnyFrozen = FrozenModel<Values, Values>;

/** Weights by name; f32 but for buffers of another type. */
export type StateDict = Record<string, { shape: readonly number[]; data: TypedArray }>;

/** Checks a state dict against the variables it should fill; the values, by variable. */
export function matchStateDict(
  variables: readonly FrozenVariable[],
  state: StateDict,
): Map<Variable, TypedArray> {
  const unknown = Object.keys(state).filter((name) => !variables.some((v) => v.name === name));
  const missing = variables.filter(({ name }) => !Object.hasOwn(state, name)).map(({ name }) => name);
  if (unknown.length || missing.length)
    fail(
      'invalid_data',
      `state dict: missing ${list(missing)}; unknown ${list(unknown)}. Weights of other names are taken where shapes and numbers ` +
        "in names leave no doubt; else name the layers: nn.sequential({ fc1: ... }), or a 'name' in a file of layers",
    );
  return new Map(
    variables.map(({ name, variable }) => {
      const { shape, data } = state[name];
      expectArray(`the weight '${name}'`, data, variable.dtype);
      if (!sameShape(shape, variable.shape) || data.length !== sizeOf(shape))
        fail(
          'shape_mismatch',
          `'${name}' has shape ${showShape(shape)}, the model's is ${showShape(variable.shape)}`,
        );
      return [variable, data];
    }),
  );
}

/** Names in a message: the first few of them. */
function list(names: readonly string[]): string {
  const shown = names.slice(0, 8).map(show);
  return [...shown, ...(names.length > 8 ? [`and ${names.length - 8} more`] : [])].join(', ') || 'nothing';
}

/** Throws 'invalid_data', naming the layer, if a weight is NaN or infinite: `what` would keep or serve what is no model. */
export function expectFinite(frozen: AnyFrozen, what: string): void {
  for (const { name, variable } of frozen.variables) {
    const values = lendValues(frozen, variable);
    const at = values.findIndex((x) => !Number.isFinite(x));
    if (at >= 0)
      fail(
        'invalid_data',
        `${what}: the weight '${name}' holds ${values[at]} (at ${at} of ${values.length}), so the model computes nothing: its ` +
          'training diverged. Train it anew with a smaller learning rate, or take a checkpoint from before',
      );
  }
}
