import type { data } from '../../node.ts';
import { listed } from './columns.ts';
import { type ModelFacts, plain } from './facts.ts';
import type { Samples } from './inputs.ts';
import type { Target } from './target.ts';

const many = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;
/** Names of several words keep together. */
const quoted = (name: string) => `'${plain(name)}'`;

/** What was understood of a file of samples, and of the labels beside it or in a file of their own, in one line. */
export function toldSamples(samples: Samples, { transform }: ModelFacts, labels?: string): string {
  const { path, count, size, shape, names, type, remarks } = samples;
  const sizes = shape.length > 1 ? `${shape.join(' x ')} ` : '';
  const of = `${many(count, 'sample')} of ${sizes ? `${sizes}inputs` : many(size, 'input')}`;
  const what = names?.some((n) => n) ? ` (${plain(listed(names))})` : '';
  return [
    `${path}: ${of}${what}${type === 'u8' ? ', bytes' : ''}${transform ? `, ${toldTransform(transform)}` : ''}`,
    ...remarks.map(plain),
    ...(labels ? [labels] : []),
  ].join('; ');
}

/** What is done to inputs, in words. */
export function toldTransform(transform: data.Transform): string {
  if ('mean' in transform) return 'each input less its mean over its deviation';
  const { scale, shift } = transform;
  if (scale === 1 && shift === 0) return 'as they are';
  const factor = Math.abs(scale * 255 - 1) < 1e-12 ? '1/255' : Number(scale.toPrecision(4));
  return `times ${factor}${shift ? ` plus ${Number(shift.toPrecision(4))}` : ''}`;
}

/** What labels were understood as: names of classes, or a range of values. `path`: their file, if it is another. */
export function toldTarget({ name, classes, values, width, remarks }: Target, path?: string): string {
  const of = name ? ` of ${quoted(name)}` : '';
  const range = () => {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const x of values) [least, most] = [Math.min(least, x), Math.max(most, x)];
    return `${Number(least.toPrecision(6))} to ${Number(most.toPrecision(6))}`;
  };
  const what = classes
    ? `classes${of}: ${plain(listed(classes, 12))} (${classes.length})`
    : `${width > 1 ? `${width} values a sample` : 'values'}${of} from ${range()}`;
  return [path ? `${path}: ${what}` : what, ...remarks.map(plain)].join('; ');
}

/** What is to be learned, in one line. */
export function toldTask({ task, loss, outputs, classes }: Target): string {
  if (task === 'classification')
    return `task: classification, ${many(outputs, 'class').replace('classs', 'classes')}, loss ${loss}`;
  if (task === 'regression') return `task: regression of ${many(outputs, 'value')}, loss ${loss}`;
  const yes = classes ? ` (output above 0: ${quoted(classes[1])}, else ${quoted(classes[0])})` : '';
  return `task: binary, ${many(outputs, 'output')}${yes}, loss ${loss}`;
}

/** The facts of a model, a line each, for people. */
export function toldFacts({ task, classes, inputs, target, type, transform }: ModelFacts): string[] {
  return [
    ...(task ? [`task     ${task}${target ? ` of ${quoted(target)}` : ''}`] : []),
    ...(classes ? [`classes  ${plain(listed(classes, 20))} (${classes.length})`] : []),
    ...(inputs ? [`inputs   ${plain(listed(inputs, 20))} (${inputs.length})`] : []),
    ...(transform || type
      ? [
          `data     ${type === 'u8' ? 'bytes' : 'numbers'}, ${toldTransform(transform ?? { scale: 1, shift: 0 })}`,
        ]
      : []),
  ];
}
