import { fail } from '../core/errors.ts';
import { show } from '../core/options.ts';
import { declarationOf } from './layer.ts';
import * as layers from './layers.ts';
import type { AnyModel, Module } from './module.ts';
import { isName, NAMES } from './names.ts';
import { residual } from './residual.ts';
import { sequential } from './sequential.ts';
import type { LayerSpec } from './spec.ts';

/** Every layer of `nn` that was declared, by name. */
const declared = new Map(
  Object.values(layers).flatMap((value) => {
    const declaration = declarationOf(value);
    return declaration ? [[declaration.name, declaration] as const] : [];
  }),
);

/** Layers inside layers: more are made by nobody, and would not fit the stack. */
const MOST_DEPTH = 64;

/**
 * Builds a model from what JSON says of it: a layer such as `{"layer": "linear", "inFeatures": 784, "outFeatures": 10}`, a
 * name such as `"relu"` for a layer without arguments, or a list of them, which is a sequential model. A layer in a list may
 * have a `name`, which its weights' names then begin with (`fc1.weight`), instead of its position (`0.weight`).
 * Throws BiphaseError 'invalid_data' that names the part which is wrong, and what was expected.
 */
export function fromSpec(spec: unknown, where = 'the model'): Module {
  return build(spec, where, 0);
}

function build(spec: unknown, where: string, depth: number): Module {
  const bad = (what: string): never => fail('invalid_data', `${where}: ${what}`);
  if (depth > MOST_DEPTH) return fail('invalid_data', `the layers are nested more than ${MOST_DEPTH} deep`);
  if (Array.isArray(spec)) return sequence(spec, where, depth);
  const given = typeof spec === 'string' ? { layer: spec } : spec;
  if (typeof given !== 'object' || given === null)
    return bad(`it is ${show(spec)}, expected a layer, its name, or a list of layers`);
  const { layer, name: _, ...args } = given as Record<string, unknown>;
  if (layer === 'sequential')
    return Array.isArray(args.layers)
      ? sequence(args.layers, where, depth)
      : bad("sequential needs a list 'layers'");
  if (layer === 'residual') {
    const { body, shortcut, ...others } = args;
    const [other] = Object.keys(others);
    if (other !== undefined) bad(`residual has no ${show(other)}; it has body, shortcut`);
    if (body === undefined) bad("residual needs 'body'");
    const part = (name: string) => build(args[name], `${where}.${name}`, depth + 1);
    return residual(part('body'), shortcut === undefined ? undefined : part('shortcut'));
  }
  const declaration = declared.get(layer as string);
  if (!declaration)
    return bad(`there is no layer ${show(layer)}; expected one of ${[...declared.keys()].join(', ')}`);
  const known = Object.entries(declaration.args);
  for (const name of Object.keys(args))
    if (!Object.hasOwn(declaration.args, name))
      bad(
        `${layer} has no ${show(name)}; it has ${known.map(([name]) => name).join(', ') || 'no arguments'}`,
      );
  for (const [name, { initial }] of known)
    if (initial === undefined && !Object.hasOwn(args, name)) bad(`${layer} needs '${name}'`);
  try {
    return declaration.make(args);
  } catch (error) {
    return bad((error as Error).message);
  }
}

/** Layers one after the other, under their names where they have some. */
function sequence(specs: readonly unknown[], where: string, depth: number): Module {
  const parts = specs.map((s, i) => build(s, `${where}[${i}]`, depth + 1));
  const names = specs.map((s) => (s as { name?: unknown } | null)?.name);
  if (names.every((name) => name === undefined)) return sequential(...parts);
  // A position alone would be no name: objects put such keys first.
  const given = names.map((name, i) => name ?? `${parts[i].spec?.layer}${i}`);
  const at = given.findIndex((name, i) => !isName(name) || given.indexOf(name) < i);
  if (at >= 0)
    fail('invalid_data', `${where}[${at}]: its name is ${show(given[at])}, expected ${NAMES} of its own`);
  return sequential(Object.fromEntries(given.map((name, i) => [name, parts[i]])));
}

/** What `fromSpec` makes this model from. Throws BiphaseError 'unsupported' where a part is no layer of `nn`. */
export function specOf(model: AnyModel): LayerSpec {
  const spec = typeof model === 'function' ? undefined : model.spec;
  return (
    spec ??
    fail(
      'unsupported',
      'this model has a part that is not made of layers of nn, so no file can describe it; keep its weights (stateDict()) ' +
        'and build the model from code',
    )
  );
}
