import type { WasmBuild } from './load.ts';
import type { Place } from './tape.ts';

/** How int8 products are computed: 1 by the relaxed dot, 0 by dot_i16x8; weights are packed accordingly. */
export type I8Kind = Place['i8Kind'];

/** Tiles (rows x columns) that win on V8; on other engines they lose little. Tiles to choose from: generate-tiles.ts. */
export function chooseTiles(build: WasmBuild, i8Kind: I8Kind): Pick<Place, 'f32Tile' | 'i8Tile'> {
  return { f32Tile: build === 'relaxed' ? [6, 8] : [5, 8], i8Tile: i8Kind ? [6, 8] : [4, 8] };
}
