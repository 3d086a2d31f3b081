import { fail } from '../core/errors.ts';
import * as nn from './layers.ts';
import type { Model, Module } from './module.ts';
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

/**
 * Builds a model from what JSON says of it: a layer such as `{"layer": "linear", "inFeatures": 784, "outFeatures": 10}`, a
 * name such as `"relu"` for a layer without arguments, or a list of them, which is a sequential model.
 * Throws BiphaseError 'invalid_data' that names the part which is wrong, and what was expected.
 */
export function fromSpec(spec: unknown, where = 'the model'): Module {
  if (Array.isArray(spec)) return nn.sequential(...spec.map((s, i) => fromSpec(s, `${where}[${i}]`)));
  const bad = (what: string): never => fail('invalid_data', `${where}: ${what}`);
  const given = typeof spec === 'string' ? { layer: spec } : spec;
  if (typeof given !== 'object' || given === null)
    return bad(`it is ${JSON.stringify(spec)}, expected a layer, its name, or a list of layers`);
  const { layer, ...args } = given as Record<string, unknown>;
  if (layer === 'sequential')
    return Array.isArray(args.layers)
      ? fromSpec(args.layers, where)
      : bad("sequential needs a list 'layers'");
  if (typeof layer !== 'string' || !Object.hasOwn(table, layer))
    return bad(
      `there is no layer ${JSON.stringify(layer)}; expected one of ${Object.keys(table).join(', ')}`,
    );
  const entry = table[layer];
  for (const [name, value] of Object.entries(args)) {
    const type = Object.hasOwn(entry.args, name)
      ? entry.args[name].replace('!', '')
      : bad(`${layer} has no '${name}'; it has ${Object.keys(entry.args).join(', ') || 'no arguments'}`);
    if (typeof value !== type) bad(`${name} of ${layer} is ${JSON.stringify(value)}, expected a ${type}`);
  }
  for (const [name, type] of Object.entries(entry.args))
    if (type.endsWith('!') && !(name in args)) bad(`${layer} needs '${name}'`);
  if (layer === 'gelu' && !['none', 'tanh', undefined].includes(args.approximate as string))
    bad(`approximate of gelu is '${args.approximate}', expected 'none' or 'tanh'`);
  return entry.make(args as Record<string, never>);
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
