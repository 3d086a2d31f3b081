import { describe, expect, it } from 'vitest';
import { candidates } from '../../../src/backend/wasm/tile-probe.ts';
import { tileShapes, usualTiles } from '../../../src/backend/wasm/tiles.ts';
import { choose } from '../../../src/backend/wasm/tune.ts';

const usual = usualTiles('relaxed', false);

/** Every tile at one speed, but for those named. */
const timed = (rates: Record<string, number>, exact = false) =>
  candidates(exact).map((candidate) => ({
    candidate,
    best: rates[`${candidate.type} ${candidate.tile.join('x')} ${candidate.i8Kind}`] ?? 50,
  }));

describe('choosing tiles by their times', () => {
  it('keeps the usual ones where nothing is clearly faster', () => {
    const { f32Tile, i8Tile, i8Kind, rates } = choose(timed({ 'f32 4x8 0': 52, 'i8 4x8 0': 52 }), usual);
    expect({ f32Tile, i8Tile, i8Kind }).toEqual({
      f32Tile: usual.f32Tile,
      i8Tile: usual.i8Tile,
      i8Kind: usual.i8Kind,
    });
    expect(rates).toEqual({ f32: 50, i8: 50 });
  });

  it('takes the fastest of each type where it is', () => {
    const chosen = choose(timed({ 'f32 6x16 0': 120, 'f32 4x16 0': 118, 'i8 4x16 0': 200 }), usual);
    expect(chosen).toMatchObject({ f32Tile: [6, 16], i8Tile: [4, 16], rates: { f32: 120, i8: 200 } });
  });

  it('changes how int8 is computed only among the kinds that were timed', () => {
    expect(candidates(false).some((c) => c.i8Kind === 1)).toBe(false);
    const exact = usualTiles('relaxed', true);
    expect(choose(timed({ 'i8 6x8 1': 240 }, true), exact)).toMatchObject({ i8Tile: [6, 8], i8Kind: 1 });
    expect(choose(timed({ 'i8 4x8 0': 240 }, true), exact)).toMatchObject({ i8Tile: [4, 8], i8Kind: 0 });
  });

  it('keeps the usual tile where its own time is not known', () => {
    const others = timed({ 'f32 4x8 0': 500 }).filter(
      ({ candidate: c }) => c.type !== 'f32' || c.tile.join() !== usual.f32Tile.join(),
    );
    expect(choose(others, usual)).toMatchObject({ f32Tile: usual.f32Tile, rates: { f32: 0 } });
  });

  it('has every tile among the candidates', () => {
    expect(candidates(true)).toHaveLength(tileShapes.f32.length + 2 * tileShapes.i8.length);
  });
});
