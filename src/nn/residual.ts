import { add } from '../functions/binary.ts';
import { type Module, scopedChildren } from './module.ts';

/**
 * body(x) + x, or body(x) + shortcut(x) where sizes change (He et al. 2016). Parameters are named 'body.0.weight' and
 * 'shortcut.0.weight', say.
 */
export function residual(body: Module, shortcut?: Module): Module {
  const children: Record<string, Module> = shortcut ? { body, shortcut } : { body };
  const { body: along, shortcut: past } = scopedChildren(children);
  const described = Object.values(children).every(({ spec }) => spec);
  return {
    children,
    spec: described ? { layer: 'residual', ...mapped(children) } : undefined,
    forward: (x) => add(along.forward(x), past ? past.forward(x) : x),
  };
}

const mapped = (children: Readonly<Record<string, Module>>) =>
  Object.fromEntries(Object.entries(children).map(([name, { spec }]) => [name, spec]));
