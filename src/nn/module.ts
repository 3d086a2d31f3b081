import { atOnce } from '../core/callbacks.ts';
import { fail } from '../core/errors.ts';
import { Parameter } from '../graph/parameter.ts';
import { scope, type Tensor } from '../graph/trace.ts';
import type { LayerSpec } from './spec.ts';

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;
/** What goes into a model, or comes out of it: one tensor, or several by name. */
export type Values = Tensor | Tensors;

/** A part of a model: a function over symbolic tensors, and the parameters and parts it is made of. */
export interface Module<I extends Values = Tensor, O extends Values = Tensor> {
  /** The output for a batch of inputs, the batch first in all shapes. */
  forward(x: I): O;
  /** What the names in the state dict are made from, as in PyTorch: '0.weight', 'encoder.bias'. */
  readonly children: Readonly<Record<string, AnyModule | Parameter>>;
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

/** The children of a module as its function gets them: parts know their names, parameters stay what they are. */
export const scopedChildren = <C extends Module['children']>(children: C): C =>
  Object.fromEntries(
    Object.entries(children).map(([key, child]) => [
      key,
      child instanceof Parameter ? child : scoped(key, child),
    ]),
  ) as C;

/**
 * A module from named parts and a function that uses them. It gets the parts as its second argument: what runs in one of
 * these belongs to the layer of that name, in reports, costs and errors as in the state dict.
 */
export function module<
  C extends Record<string, AnyModule | Parameter>,
  I extends Values = Tensor,
  O extends Values = Tensor,
>(children: C, forward: (x: I, children: C) => O, spec?: LayerSpec): Module<I, O> {
  return { children, forward: (x) => forward(x, scopedChildren(children)), spec };
}

/** All parameters of a module with their dotted names; one that appears twice keeps its first name. */
export function namedParameters(model: AnyModel): Map<Parameter, string> {
  const names = new Map<Parameter, string>();
  const visit = (part: AnyModule | Parameter, path: string) => {
    if (part instanceof Parameter) {
      if (!names.has(part)) names.set(part, path);
    } else
      for (const [key, child] of Object.entries(part.children)) visit(child, path ? `${path}.${key}` : key);
  };
  if (typeof model !== 'function') visit(model, '');
  return names;
}

/** Names for the parameters a traced model used: from its modules, else the parameter's own, else its position. */
export function nameParameters(model: AnyModel, used: Iterable<Parameter>): Map<Parameter, string> {
  const known = namedParameters(model);
  const names = new Map<Parameter, string>();
  const taken = new Set<string>();
  for (const p of used) {
    const name = known.get(p) ?? p.name ?? `parameter${names.size}`;
    if (taken.has(name))
      fail(
        'invalid_argument',
        `two parameters are named '${name}'; give each a name of its own (nn.parameter's third argument)`,
      );
    taken.add(name);
    names.set(p, name);
  }
  return names;
}
