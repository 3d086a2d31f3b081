import { fail } from '../core/errors.ts';
import { show } from '../core/options.ts';
import * as nn from './layers.ts';
import type { Model, Module } from './module.ts';
import { isName, NAMES } from './names.ts';
import type { LayerSpec } from './spec.ts';

interface Entry {
  /** Types of its arguments; a mark says that it must be given. */
  readonly args: Readonly<Record<string, 'number' | 'number!' | 'boolean' | 'string'>>;
  /** Arguments come with the types that were checked, which the compiler can't know. */
  readonly make: (args: Readonly<Record<string, never>>) => Module;
}

const table: Readonly<Record<string, Entry>> = {
  linear: {
    args: { inFeatures: 'number!', outFeatures: 'number!', bias: 'boolean' },
    make: ({ inFeatures, outFeatures, bias }) => nn.linear(inFeatures, outFeatures, { bias }),
  },
  relu: { args: {}, make: nn.relu },
  leakyRelu: { args: { slope: 'number' }, make: ({ slope }) => nn.leakyRelu(slope) },
  elu: { args: { alpha: 'number' }, make: ({ alpha }) => nn.elu(alpha) },
  gelu: { args: { approximate: 'string' }, make: ({ approximate }) => nn.gelu(approximate) },
  silu: { args: {}, make: nn.silu },
  sigmoid: { args: {}, make: nn.sigmoid },
  tanh: { args: {}, make: nn.tanh },
  softplus: { args: {}, make: nn.softplus },
  hardswish: { args: {}, make: nn.hardswish },
  softmax: { args: { axis: 'number' }, make: ({ axis }) => nn.softmax(axis) },
  logSoftmax: { args: { axis: 'number' }, make: ({ axis }) => nn.logSoftmax(axis) },
  dropout: { args: { p: 'number' }, make: ({ p }) => nn.dropout(p) },
  flatten: { args: {}, make: nn.flatten },
};

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
  if (typeof layer !== 'string' || !Object.hasOwn(table, layer))
    return bad(`there is no layer ${show(layer)}; expected one of ${Object.keys(table).join(', ')}`);
  const entry = table[layer];
  for (const [name, value] of Object.entries(args)) {
    const type = Object.hasOwn(entry.args, name)
      ? entry.args[name].replace('!', '')
      : bad(`${layer} has no ${show(name)}; it has ${Object.keys(entry.args).join(', ') || 'no arguments'}`);
    if (typeof value !== type || (type === 'number' && !Number.isFinite(value)))
      bad(`${name} of ${layer} is ${show(value)}, expected a ${type}`);
  }
  for (const [name, type] of Object.entries(entry.args))
    if (type.endsWith('!') && !Object.hasOwn(args, name)) bad(`${layer} needs '${name}'`);
  if (layer === 'gelu' && !['none', 'tanh', undefined].includes(args.approximate as string))
    bad(`approximate of gelu is ${show(args.approximate)}, expected 'none' or 'tanh'`);
  try {
    return entry.make(args as Record<string, never>);
  } catch (error) {
    return bad((error as Error).message);
  }
}

/** Layers one after the other, under their names where they have some. */
function sequence(specs: readonly unknown[], where: string, depth: number): Module {
  const layers = specs.map((s, i) => build(s, `${where}[${i}]`, depth + 1));
  const names = specs.map((s) => (s as { name?: unknown } | null)?.name);
  if (names.every((name) => name === undefined)) return nn.sequential(...layers);
  // A position alone would be no name: objects put such keys first.
  const given = names.map((name, i) => name ?? `${layers[i].spec?.layer}${i}`);
  const at = given.findIndex((name, i) => !isName(name) || given.indexOf(name) < i);
  if (at >= 0)
    fail('invalid_data', `${where}[${at}]: its name is ${show(given[at])}, expected ${NAMES} of its own`);
  return nn.sequential(Object.fromEntries(given.map((name, i) => [name, layers[i]])));
}

/** What `fromSpec` makes this model from. Throws BiphaseError 'unsupported' where a part is no layer of `nn`. */
export function specOf(model: Model): LayerSpec {
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
