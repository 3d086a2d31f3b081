import type { binary as rows } from '../src/ops/binary.ts';
import { close, exact } from './kit/bound.ts';
import { type Case, type Family, noGradient, type Operand, use } from './kit/case.ts';
import { specials, uneven } from './kit/fill.ts';
import { elementwise as each, pairs } from './kit/uses.ts';

/** Two shapes; `-` is a scalar's. */
export const BROADCASTS = [
  ...['5x7 7', '7 5x7', '5x7 5x1', '5x1 1x7', '5x7 -', '- 3', '2x3x4x5 3x1x5'],
  ...['2x1x4x1 1x3x1x5', '0x3 3', '4x1 4x0', '128x10 10', '33x130 33x1'],
].map((pair) => pair.replace('-', '').split(' '));

/** Two tensors of these types and values, repeated to one shape. */
export const repeated = (a: string, b = a): Case[] =>
  BROADCASTS.map(([shapeA, shapeB]) => {
    const [typeA, fillA = ''] = a.split(' ');
    const [typeB, fillB = ''] = b.split(' ');
    return use(
      `${typeA} ${shapeA} ${fillA}`.trim() as Operand,
      `${typeB} ${shapeB} ${fillB}`.trim() as Operand,
    );
  });

const both = (a = 'f32 normal', b = a): Case[] => [
  ...each(2, {}),
  ...repeated(a, b),
  ...noGradient(pairs(specials, 21), pairs(uneven, 8)),
];

/** Whole numbers, which wrap around at their ends. */
const whole: Case[] = [
  ...repeated('i32 <1000'),
  use('i32 37 =5,-7,2147483647,-2147483648,0,65536', 'i32 37 =3,-1,2147483647,65537,-2147483648'),
];

/** Functions for which most pairs are out of their domain, or near a step of theirs. */
const rare = (a: string, b: string): Case[] => [
  ...repeated(a, b),
  ...noGradient(...repeated('f32 normal', 'f32 wide'), pairs(specials, 21), pairs(uneven, 8)),
];

export const binary: Family<keyof typeof rows> = {
  add: { bound: close(1), cases: [...both(), ...whole] },
  sub: { bound: close(1), cases: [...both(), ...whole] },
  mul: { bound: close(1), cases: [...both(), ...whole] },
  div: { bound: close(3), cases: both('f32 normal', 'f32 positive') },
  // The same tensor twice has a kink everywhere.
  maximum: { bound: exact, cases: [...noGradient(...both()), ...repeated('f32 normal'), ...whole] },
  minimum: { bound: exact, cases: [...noGradient(...both()), ...repeated('f32 normal'), ...whole] },
  pow: { bound: close(128), cases: rare('f32 positive', 'f32 normal') },
  fmod: { bound: exact, cases: rare('f32 unit', 'f32 =3,-2,5') },
  atan2: { bound: close(6), cases: rare('f32 normal', 'f32 positive') },
};
