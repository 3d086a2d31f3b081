import type { Check } from './checks.ts';
import { fail } from './errors.ts';
import { meant } from './nearest.ts';

/** A check for each option: one that was forgotten, or is none, does not compile. */
export type Checks<O extends object> = { readonly [Name in keyof O]-?: Check };

/**
 * Makes the check of a function's options: every name known, every value of its kind, nothing missing that is needed. What it
 * returns is to be called with what the caller gave, before any work; it returns the options. `undefined` is as good as not given.
 *
 * Throws 'invalid_argument' that says what was given, what was expected, and for an unknown name the nearest one. TypeScript
 * knows most of this already; plain JavaScript, JSON and spread objects don't. It costs some 50 ns.
 */
export function optionsOf<O extends object>(of: string, checks: Checks<O>): (given: O | undefined) => O {
  const names = Object.keys(checks);
  // Without a prototype, so that 'constructor' is no option.
  const table: Readonly<Record<string, Check | undefined>> = Object.assign(Object.create(null), checks);
  const needed = names.filter((name) => table[name]!.required);

  const refuse = (name: string, value: unknown): never =>
    fail('invalid_argument', `${of}: ${name} is ${show(value)}, expected ${table[name]!.expected}`);
  const unknown = (name: string): never =>
    fail('invalid_argument', `unknown option '${name}' of ${of}${meant(name, names)}`);
  const bad = (given: unknown): never =>
    fail(
      'invalid_argument',
      `${of}: the options are ${given === undefined ? 'missing' : show(given)}; expected an object such as { ${needed.join(', ') || names[0]} }`,
    );

  return (given) => {
    if (given === undefined) return needed.length > 0 ? bad(given) : ({} as O);
    if (!isOptions(given)) return bad(given);
    const values = plain(given, names);
    for (const name in values) {
      const test = table[name];
      if (test === undefined) {
        // Some old scripts add to what all objects have.
        if (name in Object.prototype && !Object.hasOwn(values, name)) continue;
        unknown(name);
      } else {
        const value = values[name as keyof O];
        if (value !== undefined && !test(value)) refuse(name, value);
      }
    }
    for (const name of needed)
      if (values[name as keyof O] === undefined)
        fail('invalid_argument', `${of}: ${name} is missing, expected ${table[name]!.expected}`);
    return values;
  };
}

/** Options inside options: `fit({ checkpoint: { path, everySteps } })`. Faults are reported by the inner check itself. */
export function nested<O extends object>(of: string, checks: Checks<O>): Check {
  const inner = optionsOf(of, checks);
  const names = Object.keys(checks);
  return Object.assign((value: unknown) => isOptions(value) && inner(value as O) !== undefined, {
    expected: `an object of ${names.join(', ')}`,
  });
}

/** The same for an argument that stands by itself: throws 'invalid_argument' unless the value passes. */
export function expectValue(of: string, name: string, value: unknown, is: Check): void {
  if (!is(value)) fail('invalid_argument', `${of}: ${name} is ${show(value)}, expected ${is.expected}`);
}

const isOptions = (given: unknown): given is object =>
  typeof given === 'object' && given !== null && !Array.isArray(given) && !ArrayBuffer.isView(given);

/** An object whose names `for in` sees. Getters of a class are not among them, so such an object is read once, by name. */
function plain<O extends object>(given: O, names: readonly string[]): O {
  const prototype = Object.getPrototypeOf(given);
  if (prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null)
    return given;
  const values: Record<string, unknown> = {};
  for (const name in given) values[name] = given[name];
  for (const name of names) values[name] = given[name as keyof O];
  return values as O;
}

/** A value as messages print it. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}...` : value}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value))
    return value.length <= 8 && value.every((x) => typeof x !== 'object')
      ? `[${value.map(show).join(', ')}]`
      : `an array of ${value.length}`;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  return kind === 'Object' ? 'an object' : `a ${kind}`;
}
