import { BiphaseError, data, metrics, nn, type Training } from '../../node.ts';
import { plain, type Task } from '../data/facts.ts';
import type { Target } from '../data/target.ts';
import { table } from '../print.ts';
import { losses, type TrainOptions } from './options.ts';

/** What --metrics can name, by what is learned. */
const ofClasses = {
  accuracy: metrics.accuracy,
  precision: metrics.precision,
  recall: metrics.recall,
  f1: metrics.f1,
  auc: metrics.auc,
} as const;
const ofValues = { mae: metrics.mae, mse: metrics.mse, rmse: metrics.rmse, r2: metrics.r2 } as const;

/** The metrics of these names. Throws 'invalid_argument' for one that there is not, with those that there are. */
export function metricsOf(names: readonly string[], { task, outputs }: Target): metrics.Metric[] {
  const known: Readonly<Record<string, () => metrics.Metric>> = task === 'regression' ? ofValues : ofClasses;
  const there = Object.keys(known).filter((name) => name !== 'auc' || outputs <= 2);
  return [...new Set(names)].map((name) =>
    there.includes(name)
      ? known[name]()
      : wrong(`--metrics: there is no '${name}' for ${kinds[task]}; there are ${there.join(', ')}`),
  );
}

const kinds: Readonly<Record<Task, string>> = {
  classification: 'classes',
  binary: 'yes or no',
  regression: 'values',
};

/** What needs samples put aside, or classes. Throws 'invalid_argument' without. */
export function checkMeasures({ validation, metrics, earlyStopping }: TrainOptions): void {
  const option = metrics ? '--metrics' : earlyStopping ? '--early-stopping' : undefined;
  if (option && validation === 0)
    wrong(`${option} needs samples to measure on; put a share aside with --validation 0.2`);
}

/** The loss, with weights that balance the classes of the samples trained on where that is asked. */
export function balanced(
  { classWeights }: TrainOptions,
  { loss }: Target,
  trained: ArrayLike<number>,
): nn.Loss {
  if (!classWeights) return losses[loss];
  if (loss !== 'cross-entropy') wrong(`--class-weights is for cross-entropy, the loss is ${loss}`);
  return nn.crossEntropyLoss({ weight: data.classWeights(trained) });
}

/** How well each class is told from the others. */
export interface OfClass {
  readonly class: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Samples of it. */
  readonly support: number;
}

/** What a model comes to on samples that it has not seen. */
export interface Measures {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly classes?: readonly OfClass[];
}

export async function measure(
  training: Training,
  set: data.DataSet,
  list: readonly metrics.Metric[],
  { task, classes }: Target,
): Promise<Measures> {
  const { loss, metrics: values } = await training.evaluate(set, { metrics: list });
  if (task !== 'classification' || !classes) return { loss, metrics: values };
  const expected = new Int32Array(set.length);
  const inputs = new Float32Array(set.length * set.input.shape.reduce((a, b) => a * b, 1));
  await set.gather(
    expected.map((_, i) => i),
    inputs,
    expected,
  );
  return { loss, metrics: values, classes: perClass(classes, await training.predict(set), expected) };
}

function perClass(
  names: readonly string[],
  answers: ArrayLike<number>,
  expected: ArrayLike<number>,
): OfClass[] {
  const each = { average: null } as const;
  const [p, r, f] = [metrics.precision(each), metrics.recall(each), metrics.f1(each)].map((metric) =>
    metrics.measure(metric, answers, expected),
  );
  const counts = metrics.measure(metrics.confusionMatrix(), answers, expected);
  return names.map((name, c) => ({
    ...{ class: name, precision: p[c], recall: r[c], f1: f[c] },
    support: counts[c].reduce((a, b) => a + b, 0),
  }));
}

export const toldMeasures = ({ loss, metrics, classes }: Measures): string[] => [
  [`loss ${loss.toFixed(4)}`, ...Object.entries(metrics).map(([name, x]) => `${name} ${x.toFixed(4)}`)].join(
    ', ',
  ),
  ...(classes
    ? table([
        ['class', 'precision', 'recall', 'f1', 'support'],
        ...classes.map((c) => [
          plain(c.class),
          ...[c.precision, c.recall, c.f1].map((x) => x.toFixed(4)),
          String(c.support),
        ]),
      ])
    : []),
];

function wrong(message: string): never {
  throw new BiphaseError('invalid_argument', message);
}
