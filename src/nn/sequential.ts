import { fail } from '../core/errors.ts';
import { type Module, scopedChildren } from './module.ts';
import { isName, NAMES } from './names.ts';
import type { LayerSpec } from './spec.ts';

/**
 * Layers one after the other; parameters are named by position: '0.weight', '2.bias'. Given an object, by its keys, as in
 * PyTorch: `nn.sequential({ fc1: nn.linear(2, 8), act: nn.relu(), fc2: nn.linear(8, 1) })` has 'fc1.weight' and 'fc2.bias'.
 */
export function sequential(...layers: Module[] | [Readonly<Record<string, Module>>]): Module {
  const [first] = layers;
  const named = layers.length === 1 && !('forward' in first);
  const children = named ? { ...first } : Object.fromEntries((layers as Module[]).entries());
  const parts = Object.entries(children);
  if (named)
    for (const [name] of parts)
      if (!isName(name))
        fail('invalid_argument', `sequential: a layer is named '${name}', expected ${NAMES}`);
  const scoped = Object.values(scopedChildren(children));
  const specs = parts.flatMap(([, { spec }]) => spec ?? []);
  return {
    spec: specs.length === parts.length ? specOf(parts, named) : undefined,
    children,
    forward: (x) => scoped.reduce((y, part) => part.forward(y), x),
  };
}

const specOf = (parts: readonly [string, Module][], named: boolean): LayerSpec => ({
  layer: 'sequential',
  layers: parts.map(([name, { spec }]) => (named ? { ...spec, name } : spec)),
});
