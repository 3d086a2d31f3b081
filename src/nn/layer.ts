import { type Check, flag, oneOf, real } from '../core/checks.ts';
import { expectValue } from '../core/options.ts';
import type { Tensor } from '../graph/trace.ts';
import type { Module } from './module.ts';

/** Arguments as callers give them. */
export type Given = Readonly<Record<string, unknown>>;

/** An argument of a layer: what it may be, and what it is where it is not given; without that it must be given. */
export interface Argument<T = unknown> {
  readonly is: Check;
  /** As a function: of the arguments that are given. */
  readonly initial?: T | ((given: Given) => T);
}

/** An argument that must be given. */
export const needed = <T>(is: Check): Argument<T> => ({ is });
/** An argument with a value of its own, for those that are no plain number or flag. */
export const optional = <T>(initial: T | ((given: Given) => T), is: Check): Argument<T> => ({ initial, is });
/** One of some names, the first if not given. */
export const choice = <T extends string>(...names: readonly [T, ...T[]]): Argument<T> =>
  optional(names[0], oneOf(...names));

/** Arguments by name. A number stands for any finite number, a flag for either; it is what the argument is if not given. */
type Arguments = Readonly<Record<string, number | boolean | Argument>>;
type Value<A> =
  A extends Argument<infer T> ? T : A extends number ? number : A extends boolean ? boolean : never;
type Values<A extends Arguments> = { readonly [K in keyof A]: Value<A[K]> };
type Make<A extends Arguments> = (args: Partial<Values<A>>) => Module;
/** A layer's function where it has one argument, or none. */
type Simple<A extends Arguments> = [keyof A] extends [never]
  ? () => Module
  : (value?: Value<A[keyof A]>) => Module;

/** What `fromSpec` knows of a layer. */
export interface Declaration {
  readonly name: string;
  readonly args: Readonly<Record<string, Argument>>;
  /** The layer with its spec. Throws BiphaseError 'invalid_argument' for an argument that is missing or wrong. */
  make(args: Given): Module;
}

const declarations = new WeakMap<object, Declaration>();

/** How a layer's function was declared; undefined for any other value. */
export const declarationOf = (layer: unknown): Declaration | undefined =>
  typeof layer === 'function' ? declarations.get(layer) : undefined;

const argumentOf = (declared: Arguments[string]): Argument => {
  if (typeof declared === 'number') return optional(declared, real());
  return typeof declared === 'boolean' ? optional(declared, flag) : declared;
};

/**
 * Declares a layer, once for its function, its spec and the parser of specs: its name in `nn`, its arguments by name, and
 * what it does, as a module or as a function of its input. A layer with several arguments also says how callers write them.
 */
export function layer<A extends Arguments>(
  name: string,
  args: A,
  build: (args: Values<A>) => Module | ((x: Tensor) => Tensor),
): Simple<A>;
export function layer<A extends Arguments, F extends (...args: never) => Module>(
  name: string,
  args: A,
  build: (args: Values<A>) => Module | ((x: Tensor) => Tensor),
  written: (make: Make<A>) => F,
): F;
export function layer<A extends Arguments>(
  name: string,
  declared: A,
  build: (args: Values<A>) => Module | ((x: Tensor) => Tensor),
  written?: (make: Make<A>) => (...args: never) => Module,
): unknown {
  const args = Object.fromEntries(Object.entries(declared).map(([key, a]) => [key, argumentOf(a)]));
  const make = (given: Given): Module => {
    const values = Object.fromEntries(
      Object.entries(args).map(([key, { initial, is }]) => {
        const otherwise = typeof initial === 'function' ? initial(given) : initial;
        const value = given[key] === undefined ? otherwise : given[key];
        expectValue(name, key, value, is);
        return [key, value];
      }),
    );
    const made = build(values as Values<A>);
    const spec = { layer: name, ...values };
    return typeof made === 'function' ? { children: {}, forward: made, spec } : { ...made, spec };
  };
  const [only] = Object.keys(args);
  const write = written ? written(make as Make<A>) : (value?: unknown) => make({ [only]: value });
  declarations.set(write, { name, args, make });
  return write;
}
