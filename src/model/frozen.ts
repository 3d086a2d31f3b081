import { expectArray } from '../core/arrays.ts';
import { fail } from '../core/errors.ts';
import { show } from '../core/options.ts';
import { sameShape, showShape, sizeOf } from '../core/shape.ts';
import type { Parameter } from '../graph/parameter.ts';
import type { Tensor } from '../graph/trace.ts';
import type { Model, Values } from '../nn/module.ts';
import type { TensorType } from '../ops/op.ts';
import { isLone, type Signature, signatureOf } from './signature.ts';

/** One parameter of a frozen model. */
export interface FrozenParameter {
  readonly name: string;
  readonly parameter: Parameter;
}

/**
 * A model whose weights no longer change. The values are private and handed out as copies only,
 * so nothing a caller does can reach them.
 */
export class FrozenModel<I extends Values = Tensor, O extends Values = Tensor> {
  /** What computes outputs from inputs and parameters. */
  readonly model: Model<I, O>;
  /** Type of each input of one sample, without the batch dimension; `{ input }` where the model takes one tensor. */
  readonly inputs: Signature;
  /** Its parameters and their names, in the order of the state dict. */
  readonly parameters: readonly FrozenParameter[];
  readonly #values: Map<Parameter, Float32Array>;

  constructor(
    model: Model<I, O>,
    input: TensorType | Signature,
    parameters: readonly FrozenParameter[],
    values: Map<Parameter, Float32Array>,
  ) {
    this.model = model;
    this.inputs = signatureOf('input', input);
    this.parameters = parameters;
    this.#values = new Map();
    for (const { name, parameter } of parameters) {
      const data = values.get(parameter);
      if (data?.length !== parameter.size)
        fail('shape_mismatch', `'${name}' needs ${parameter.size} values, got ${data?.length ?? 'none'}`);
      this.#values.set(parameter, data.slice());
    }
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

  /** A copy of one parameter's values. */
  values(parameter: Parameter): Float32Array {
    return (
      this.#values.get(parameter)?.slice() ??
      fail('invalid_argument', 'that parameter is not part of this model')
    );
  }

  /** A copy of all values by name, as PyTorch's state_dict. */
  stateDict(): StateDict {
    return Object.fromEntries(
      this.parameters.map(({ name, parameter }) => [
        name,
        { shape: parameter.shape, data: this.values(parameter) },
      ]),
    );
  }

  /** Bytes of all weights in f32. */
  get byteLength(): number {
    return this.parameters.reduce((sum, { parameter }) => sum + 4 * parameter.size, 0);
  }
}

/** A frozen model whatever it takes and gives. */
export type AnyFrozen = FrozenModel<Values, Values>;

/** Weights by name. */
export type StateDict = Record<string, { shape: readonly number[]; data: Float32Array }>;

/** Checks a state dict against the parameters it should fill; the values, by parameter. */
export function matchStateDict(
  parameters: readonly FrozenParameter[],
  state: StateDict,
): Map<Parameter, Float32Array> {
  const unknown = Object.keys(state).filter((name) => !parameters.some((p) => p.name === name));
  const missing = parameters.filter(({ name }) => !Object.hasOwn(state, name)).map(({ name }) => name);
  if (unknown.length || missing.length)
    fail(
      'invalid_data',
      `state dict: missing ${list(missing)}; unknown ${list(unknown)}. Weights of other names are taken where shapes and numbers ` +
        "in names leave no doubt; else name the layers: nn.sequential({ fc1: ... }), or a 'name' in a file of layers",
    );
  return new Map(
    parameters.map(({ name, parameter }) => {
      const { shape, data } = state[name];
      expectArray(`the weight '${name}'`, data, 'f32');
      if (!sameShape(shape, parameter.shape) || data.length !== sizeOf(shape))
        fail(
          'shape_mismatch',
          `'${name}' has shape ${showShape(shape)}, the model's is ${showShape(parameter.shape)}`,
        );
      return [parameter, data];
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
  for (const { name, parameter } of frozen.parameters) {
    const values = frozen.values(parameter);
    const at = values.findIndex((x) => !Number.isFinite(x));
    if (at >= 0)
      fail(
        'invalid_data',
        `${what}: the weight '${name}' holds ${values[at]} (at ${at} of ${values.length}), so the model computes nothing: its ` +
          'training diverged. Train it anew with a smaller learning rate, or take a checkpoint from before',
      );
  }
}
