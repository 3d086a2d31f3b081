import { fail } from '../core/errors.ts';
import { sameShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectNumber, showType } from './check.ts';
import { type Op, severalOutputs, type TensorType, type Value } from './op.ts';
import { type ClipAttrs, checkUpdate, clipFactor, decayTerm } from './optimizer.ts';

/**
 * Optimizers beside SGD and Adam: one op each, in place over a flat tensor of parameters, with operands as in ops/optimizer.ts:
 * (p, g, moments..., hyper [4], [norm of the gradients]). Numbers that one does not use are 0.
 */
export interface UpdateAttrs extends ClipAttrs {
  /** How much is kept of the mean of gradients; of rmsprop's last step. */
  readonly beta1: number;
  /** How much is kept of the mean of their squares; of lion's mean. */
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
  /** Whether weight decay acts on the parameter, times the learning rate, instead of on the gradient. */
  readonly decoupled: boolean;
  /** Whether rmsprop takes the variance instead of the mean square. */
  readonly centered: boolean;
}

/** One parameter with what belongs to it: `m` are its moments, `p` is `w` after decoupled decay, and what it returns is stored. */
interface Element {
  readonly w: number;
  readonly p: number;
  readonly g: number;
  readonly m: readonly Float32Array[];
  readonly i: number;
  readonly hyper: ArrayLike<number>;
}

type Rule = (element: Element, attrs: UpdateAttrs) => number;

/** Moments are read back as they were stored, rounded. */
function keep(moment: Float32Array, i: number, value: number): number {
  moment[i] = value;
  return moment[i];
}

/** beta x + ((1 - beta) g) g, in this order: the square alone overflows sooner. */
const square = (x: number, beta: number, g: number) => beta * x + (1 - beta) * g * g;
const mean = (x: number, beta: number, g: number) => beta * x + (1 - beta) * g;

function row(moments: (attrs: UpdateAttrs) => number, flops: number, rule: Rule, direction = false) {
  return (name: string): Op<UpdateAttrs> =>
    severalOutputs<UpdateAttrs>({
      // A direction is a tensor of its own, and the parameters stay.
      inPlace: [direction ? -1 : 0, 2, 3, 4],
      infer(inputs, attrs) {
        expectNumber(name, 'beta1', attrs.beta1, 0, 1);
        expectNumber(name, 'beta2', attrs.beta2, 0, 1);
        expectNumber(name, 'eps', attrs.eps, 0, 1);
        return checkUpdate(name, inputs, moments(attrs), attrs);
      },
      reference(inputs, [output], attrs) {
        const [p, g] = inputs.map((t) => t.data);
        const m = inputs.slice(2, 2 + moments(attrs)).map((t) => t.data as Float32Array);
        const hyper = inputs[2 + m.length].data;
        const clip = clipFactor(inputs, attrs);
        const decayOf = decayTerm(attrs);
        const { decoupled, weightDecay } = attrs;
        for (let i = 0; i < p.length; i++) {
          const w = p[i];
          const gradient = g[i] * clip + (decoupled ? 0 : decayOf(w));
          const decayed = decoupled ? w * (1 - hyper[0] * weightDecay) : w;
          output.data[i] = rule({ w, p: decayed, g: gradient, m, i, hyper }, attrs);
        }
      },
      flops: ([p]) => flops * sizeOf(p.shape),
    });
}

/** The mean of gradients and the mean of their squares, moved on. */
function adamMoments({ g, m, i }: Element, { beta1, beta2 }: UpdateAttrs): [first: number, second: number] {
  return [keep(m[0], i, mean(m[0][i], beta1, g)), keep(m[1], i, square(m[1][i], beta2, g))];
}

const one = () => 1;
const two = () => 2;

const rules = {
  /** rmsprop(p, g, squares, [means,] [momentum,] hyper): torch.optim.RMSprop; a variance below 0 by rounding is 0. */
  rmsprop: row(
    ({ centered, beta1 }) => 1 + Number(centered) + Number(beta1 > 0),
    12,
    ({ p, g, m, i, hyper }, { beta1, beta2, eps, centered }) => {
      let v = keep(m[0], i, square(m[0][i], beta2, g));
      if (centered) v = Math.max(0, v - keep(m[1], i, mean(m[1][i], beta2, g)) ** 2);
      const step = g / (Math.sqrt(v) + eps);
      const buffer = beta1 > 0 ? m[m.length - 1] : undefined;
      return p - hyper[0] * (buffer ? keep(buffer, i, beta1 * buffer[i] + step) : step);
    },
  ),
  /** adagrad(p, g, squares, hyper): torch.optim.Adagrad; hyper[1] is the rate after its decay. */
  adagrad: row(one, 7, ({ p, g, m, i, hyper }, { eps }) => {
    const sum = keep(m[0], i, m[0][i] + g * g);
    return p - hyper[1] * (g / (Math.sqrt(sum) + eps));
  }),
  /** adadelta(p, g, squares, steps' squares, hyper): torch.optim.Adadelta; beta2 is its rho. */
  adadelta: row(two, 14, ({ p, g, m, i, hyper }, { beta2, eps }) => {
    const v = keep(m[0], i, square(m[0][i], beta2, g));
    const step = (Math.sqrt(m[1][i] + eps) / Math.sqrt(v + eps)) * g;
    keep(m[1], i, square(m[1][i], beta2, step));
    return p - hyper[0] * step;
  }),
  /** nadam(p, g, m, v, hyper): torch.optim.NAdam; hyper[1] and hyper[3] are the rates of the gradient and of its mean. */
  nadam: row(two, 16, (x, attrs) => {
    const [first, second] = adamMoments(x, attrs);
    const { p, g, hyper } = x;
    return p - (hyper[1] * g + hyper[3] * first) / (Math.sqrt(second) * hyper[2] + attrs.eps);
  }),
  /** lion(p, g, m, hyper): Chen et al. 2023, algorithm 2. */
  lion: row(one, 9, ({ p, g, m, i, hyper }, { beta1, beta2 }) => {
    const step = Math.sign(mean(m[0][i], beta1, g));
    keep(m[0], i, mean(m[0][i], beta2, g));
    return p - hyper[0] * step;
  }),
  /** amsgrad(p, g, m, v, largest v, hyper): Adam and AdamW with amsgrad, as in PyTorch. */
  amsgrad: row(
    () => 3,
    15,
    (x, attrs) => {
      const [first, second] = adamMoments(x, attrs);
      const { p, m, i, hyper } = x;
      const most = keep(m[2], i, Math.max(m[2][i], second));
      return p - (hyper[1] * first) / (Math.sqrt(most) * hyper[2] + attrs.eps);
    },
  ),
  /**
   * lamb(p, g, m, v, hyper): the direction of You et al. 2020, algorithm 2, before its trust ratio, as a tensor of its own; decay is
   * part of it, so it is decoupled. hyper[1] is 1 / (1 - beta1^t). `lamb_step` goes there.
   */
  lamb: row(
    two,
    16,
    (x, attrs) => {
      const [first, second] = adamMoments(x, attrs);
      const { w, hyper } = x;
      return (hyper[1] * first) / (Math.sqrt(second) * hyper[2] + attrs.eps) + decayTerm(attrs)(w);
    },
    true,
  ),
};

function expectTypes(name: string, inputs: readonly TensorType[], scalars: number): readonly TensorType[] {
  const shapes = [inputs[0]?.shape, inputs[0]?.shape, [4], ...Array<number[]>(scalars).fill([])];
  const right =
    inputs.length === shapes.length &&
    inputs.every(({ dtype, shape }, i) => dtype === 'f32' && sameShape(shape, shapes[i]));
  return right
    ? [inputs[0]]
    : fail(
        'shape_mismatch',
        `${name}: got ${inputs.map(showType).join(', ')}; expected two alike, f32 [4], and ${scalars} numbers`,
      );
}

/** lamb_step(p, direction, hyper, norm of p, norm of the direction): rate * norm / norm of the way, or the rate where one is 0. */
const lambStep: Op = severalOutputs({
  inPlace: [0],
  infer: (inputs) => expectTypes('lamb_step', inputs, 2),
  reference([p, direction, hyper, weights, length]: readonly Value[]) {
    const [a, b] = [weights.data[0], length.data[0]];
    const rate = hyper.data[0] * (a === 0 || b === 0 ? 1 : a / b);
    for (let i = 0; i < p.data.length; i++) p.data[i] -= rate * direction.data[i];
  },
  flops: ([p]) => 2 * sizeOf(p.shape),
});

/** average(mean, p, hyper): the mean goes the share hyper[0] of the way to p, as torch.lerp; with 1 it becomes p. */
const average: Op = severalOutputs({
  inPlace: [0],
  infer: (inputs) => expectTypes('average', inputs, 0),
  reference([{ data: to }, { data: p }, { data: hyper }]: readonly Value[]) {
    const [share] = hyper;
    for (let i = 0; i < to.length; i++)
      if (share === 1) to[i] = p[i];
      else if (share > 0) to[i] += share * (p[i] - to[i]);
  },
  flops: ([p]) => 3 * sizeOf(p.shape),
});

/** clip_values(x): in place, what is beyond `most` on either side of 0 becomes that; NaN stays. */
const clipValues = severalOutputs<{ most: number }>({
  inPlace: [0],
  infer(inputs, { most }) {
    expectInputs('clip_values', inputs, ['f32']);
    expectNumber('clip_values', 'most', most, 1e-30, 1e30);
    return [inputs[0]];
  },
  reference([{ data }], _, { most }) {
    for (let i = 0; i < data.length; i++) data[i] = Math.max(-most, Math.min(most, data[i]));
  },
  flops: ([x]) => 2 * sizeOf(x.shape),
});

export const update = {
  ...(Object.fromEntries(Object.entries(rules).map(([name, of]) => [name, of(name)])) as Record<
    keyof typeof rules,
    Op<UpdateAttrs>
  >),
  lamb_step: lambStep,
  average,
  clip_values: clipValues,
};
