import { either, listOf, oneOf, whole } from '../../core/checks.ts';
import { fail } from '../../core/errors.ts';
import { nested } from '../../core/options.ts';
import type { WasmBuild } from './load.ts';

/** Rows x columns of C that a micro-kernel keeps in registers while K goes by. */
export type TileShape = readonly [rows: number, columns: number];

/** The tiles that are built in; which of them wins depends on the engine and the machine. */
export const tileShapes: Readonly<Record<'f32' | 'i8', readonly TileShape[]>> = {
  f32: [
    [4, 8],
    [5, 8],
    [6, 8],
    [4, 16],
    [6, 16],
  ],
  i8: [
    [4, 8],
    [5, 8],
    [6, 8],
    [4, 16],
    [6, 16],
  ],
};

/** How int8 products are computed: 1 by the relaxed dot, 0 by dot_i16x8; weights are packed accordingly. */
export type I8Kind = 0 | 1;

/** What products run on. Results are the same bits whichever are taken. */
export interface Tiles {
  readonly f32Tile: TileShape;
  readonly i8Tile: TileShape;
  readonly i8Kind: I8Kind;
}

/** What a caller may ask for: timing at start-up, the usual ones, or tiles by name. */
export type TileWish = 'timed' | 'usual' | { readonly f32?: TileShape; readonly i8?: TileShape };

const shape = listOf(whole(1), 'two whole numbers, such as [6, 8]');
export const tileChecks = either(
  oneOf('timed', 'usual'),
  nested<TileWish & object>('tiles', { f32: shape, i8: shape }),
);

/** Tiles that win on V8; on other engines they lose little. `exact`: the relaxed dot may be used. `wide`: vectors of 256 bits. */
export function usualTiles(build: WasmBuild, exact: boolean, wide = false): Tiles {
  const i8Kind = exact ? 1 : 0;
  if (wide)
    return { f32Tile: build === 'relaxed' ? [6, 16] : [4, 16], i8Tile: exact ? [6, 16] : [4, 16], i8Kind };
  return {
    f32Tile: build === 'relaxed' ? [6, 8] : [5, 8],
    i8Tile: exact ? [6, 8] : [5, 8],
    i8Kind,
  };
}

/** The usual tiles, with those that the caller named. Throws 'invalid_argument' for one that is not built in. */
export function namedTiles({ f32, i8 }: TileWish & object, usual: Tiles): Tiles {
  return {
    f32Tile: f32 ? builtIn('f32', f32) : usual.f32Tile,
    i8Tile: i8 ? builtIn('i8', i8) : usual.i8Tile,
    i8Kind: usual.i8Kind,
  };
}

function builtIn(type: 'f32' | 'i8', wish: TileShape): TileShape {
  const found = tileShapes[type].find(([rows, columns]) => rows === wish[0] && columns === wish[1]);
  const list = tileShapes[type].map((t) => `[${t.join(', ')}]`).join(', ');
  return found ?? fail('invalid_argument', `there is no ${type} tile [${wish}]; expected one of ${list}`);
}

/** What int8 weights (n x k) take when they are packed for the tiles: one byte for each by the relaxed dot, two by dot_i16x8. */
export function packedBytes(
  n: number,
  k: number,
  { i8Tile: [, columns], i8Kind }: Pick<Tiles, 'i8Tile' | 'i8Kind'>,
): number {
  return Math.ceil(n / columns) * columns * Math.ceil(k / (i8Kind === 1 ? 4 : 2)) * 4;
}
