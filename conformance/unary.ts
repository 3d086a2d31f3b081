import type { ClipAttrs, unary as rows, UnaryName } from '../src/ops/unary.ts';
import { unaryNames, unaryOf } from '../src/ops/unary.ts';
import { within } from './activation.ts';
import type { Bound } from './kit/bound.ts';
import { type Case, type Family, noGradient, type Operand, use, usesOf } from './kit/case.ts';
import { constantly } from './kit/fill.ts';
import { f32 } from './kit/tensor.ts';

/** Around a vector, a turn and a workgroup. */
const LENGTHS = [0, 1, 3, 4, 7, 8, 9, 17, 65, 257, 1000];

/** Where functions turn: halves, the ends of exp, multiples of pi / 2, and angles that only a long reduction tells apart. */
const turns = f32(
  [34],
  constantly(
    ...[0.5, 1.5, 2.5, -0.5, -1.5, 8388607.5, 4194303.5, -4194304.5, 1, -1, 0.9999999, 1.0000001],
    ...[88.7228, 89.4, -87.4, -103.9, 20, -20, 0.34657359, 1.5707964, Math.PI, -4.712389, 6.2831855],
    ...[1e5, 12345678, 16367173 * 2 ** 8, 1e15, -3e22, 2.5e30, 3.3e38, 1e-5, -3e-4, 0.04, -0.7],
  ),
);

/** Where the function is defined and its difference quotients say something. */
const smooth: Partial<Record<UnaryName, string>> = {
  ...{ sqrt: 'positive', rsqrt: 'positive', log: 'positive', log1p: 'positive' },
};
const cases = (name: UnaryName, attrs: object): Case[] => {
  const fill = smooth[name] ?? 'normal';
  const judged: Case[] = [
    ...LENGTHS.map((n) => use(`f32 ${n} ${fill}` as Operand, attrs)),
    ...usesOf([`f32 3x5x7 ${fill}` as Operand, `f32 ${fill}` as Operand], attrs),
  ];
  const others = usesOf(['f32 123 specials', 'f32 61 extremes', 'f32 61 tiny', 'f32 500 wide', turns], attrs);
  return [...judged, ...noGradient(...others)];
};

const clips: ClipAttrs[] = [{ min: -0.5, max: 0.75 }, { min: 0.1 }, { max: 3e38 }, { min: 2, max: 1 }];

export const unary = Object.fromEntries(
  unaryNames.map((name): [string, { bound: Bound; cases: Case[] }] => [
    name,
    {
      bound: within(unaryOf(name).bound),
      cases: (name === 'clip' ? clips : [{}]).flatMap((attrs) => cases(name, attrs)),
    },
  ]),
) as unknown as Family<keyof typeof rows>;
