import { atOnce } from '../core/callbacks.ts';
import { fail } from '../core/errors.ts';
import { scope, type Tensor } from '../graph/trace.ts';
import { Parameter, Variable } from '../graph/variable.ts';
import type { LayerSpec } from './spec.ts';

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;
/** What goes into a model, or comes out of it: one tensor, or several by name. */
export type Values = Tensor | Tensors;

/** A part of a model: a function over symbolic tensors, and the variables and parts it is made of. */
export interface Module<I extends Values = Tensor, O extends Values = Tensor> {
  /** The output for a batch of inputs, the batch first in all shapes. */
  forward(x: I): O;
  /** What the names in the state dict are made from, as in PyTorch: '0.weight', 'encoder.bias'. */
  readonly children: Readonly<Record<string, AnyModule | Variable>>;
  /** The layer as JSON can say it; layers of `nn` have one, functions of one's own don't. */
  readonly spec?: LayerSpec;
}

/** A module whatever it takes and gives. */
export type AnyModule = Module<Values, Values>;

/** A model is a module, or just a function over symbolic tensors that uses parameters. */
export type Model<I extends Values = Tensor, O extends Values = Tensor> =
  | Module<I, O>
  | Module<I, O>['forward'];

/** A model whatever it takes and gives. */
export type AnyModel = Model<Values, Values>;

export const forward = (model: AnyModel, x: Values): Values =>
  atOnce('the model', typeof model === 'function' ? model(x) : model.forward(x));

/** A child as its parent calls it: what its methods record belongs to the layer of that name. */
function scoped<M extends AnyModule>(key: string, child: M): M {
  return new Proxy(Object.create(child) as M, {
    get(_, property) {
      const value: unknown = Reflect.get(child, property);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => scope(key, () => Reflect.apply(value, child, args));
    },
  });
}

/** The children of a module as its function gets them: parts know their names, variables stay what they are. */
export const scopedChildren = <C extends Module['children']>(children: C): C =>
  Object.fromEntries(
    Object.entries(children).map(([key, child]) => [
      key,
      child instanceof Variable ? child : scoped(key, child),
    ]),
  ) as C;

/**
 * A module from named parts and a function that uses them. It gets the parts as its second argument: what runs in one of
 * these belongs to the layer of that name, in reports, costs and errors as in the state dict.
 */
export function module<
  C extends Record<string, AnyModule | Variable>,
  I extends Values = Tensor,
  O extends Values = Tensor,
>(children: C, forward: (x: I, children: C) => O, spec?: LayerSpec): Module<I, O> {
  return { children, forward: (x) => forward(x, scopedChildren(children)), spec };
}

/** All variables of a module with their dotted names, parameters and buffers; one that appears twice keeps its first name. */
export function namedVariables(model: AnyModel): Map<Variable, string> {
  const names = new Map<Variable, string>();
  const visit = (part: AnyModule | Variable, path: string) => {
    if (part instanceof Variable) {
      if (!names.has(part)) names.set(part, path);
    } else
      for (const [key, child] of Object.entries(part.children)) visit(child, path ? `${path}.${key}` : key);
  };
  if (typeof model !== 'function') visit(model, '');
  return names;
}

/** All parameters of a module with their dotted names; one that appears twice keeps its first name. */
export function namedParameters(model: AnyModel): Map<Parameter, string> {
  const isParameter = (entry: [Variable, string]): entry is [Parameter, string] =>
    entry[0] instanceof Parameter;
  return new Map([...namedVariables(model)].filter(isParameter));
}

/** Names the variables that a model uses, as it first uses them: by its modules, else their own, else by their position. */
export function variableNames(model: AnyModel): (variable: Variable) => string {
  const known = namedVariables(model);
  const names = new Map<Variable, string>();
  const taken = new Set<string>();
  return (variable) => {
    const before = names.get(variable);
    if (before !== undefined) return before;
    const name = known.get(variable) ?? variable.name ?? `parameter${names.size}`;
    if (taken.has(name))
      fail(
        'invalid_argument',
        `two variables are named '${name}'; give each a name of its own (nn.parameter's third argument)`,
      );
    taken.add(name);
    names.set(variable, name);
    return name;
  };
}
