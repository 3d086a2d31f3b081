import { type Case, noGradient, type Operand, use } from './case.ts';
import type { Fill } from './fill.ts';
import { f32, type TensorText } from './tensor.ts';

/** Around every vector width, tile and workgroup: none, one, tails, several blocks. */
export const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 127, 255, 256, 257, 1000, 4099];

/** The same for ops on rows. */
export const ROWS = [
  ...['1', '2', '3', '10', '1x1', '5x7', '128x10', '3x64'],
  ...['4x65', '2x3x1000', '3x4099', '0x5', '5x0'],
];

/** `arity` times the same tensor. */
export const times = (arity: number, operand: Operand): Operand[] => Array(arity).fill(operand);

/** An op on `arity` tensors, element by element. */
export const elementwise = <A extends object>(arity: number, attrs: A): Case<A>[] => {
  const all = (text: TensorText): Case<A> => use(...times(arity, text), attrs) as Case<A>;
  return [
    ...LENGTHS.map((n) => all(`f32 ${n}`)),
    all('f32 3x5x7'),
    all('f32'),
    ...noGradient(all('f32 123 specials')),
    all('f32 500 wide'),
    ...noGradient(
      use('f32 61 extremes', ...times(arity - 1, 'f32 61'), attrs) as Case<A>,
      // Steps of a central difference are larger than these.
      all('f32 61 tiny'),
    ),
  ];
};

/** Each of these values beside each of them. */
export const pairs = (fill: Fill, n: number): Case =>
  use(
    f32([n * n], fill),
    f32([n * n], (i, random) => fill(Math.floor(i / n), random)),
  );

/** A row in which nothing is larger than anything. */
export const minusInfinity: Case = { ...use('f32 2x3 =-Infinity'), noGradient: true };
