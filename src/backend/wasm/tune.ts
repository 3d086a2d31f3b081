import type { WasmInstance } from './load.ts';
import type { WasmHeap } from './memory.ts';
import { type Candidate, candidates, TileProbe } from './tile-probe.ts';
import { type I8Kind, type TileShape, type Tiles, usualTiles } from './tiles.ts';

export interface TunedTiles extends Tiles {
  /** Operations per second of the tiles taken, operands in the nearest cache, in units of 10^9. */
  readonly rates: { readonly f32: number; readonly i8: number };
  /** How much faster f32 tiles of 16 columns are than those of 8. */
  readonly gain: number;
  /** Of wide vectors: a tile that gave a wrong sum once it was optimized. */
  readonly wrong?: Candidate;
}

/** In ms: a clock coarser than this (pages that are not isolated) can't tell tiles apart in a short time. */
const FINE_CLOCK = 0.03;
/** In ms, for all of the timing; a check waits longer, since only optimized code shows whether it is right. */
const TIME_LIMIT = 25;
const CHECK_LIMIT = 2000;
const FIRST_OPERATIONS = 1e5;
const WARM_OPERATIONS = 1e6;
const TIMED_OPERATIONS = 1e6;
/** Short turns, many of them: the best of each counts, and most of a busy machine's interruptions are longer than a turn. */
const ROUNDS = 8;
/** An optimized tile is at least this much faster than what an engine runs at first. */
const JUMP = 1.6;
/** A tile must be this much faster than the usual one: less is noise. */
const CLEARLY = 1.05;

/**
 * Times every tile and takes the fastest of each type. Engines run code unoptimized at first, and at those speeds the
 * order is another, so tiles go round until each has become faster, or time is up; those that have not by then do not
 * take part. Undefined where no clock is fine enough, or none became faster (an engine too busy to optimize): then the
 * usual ones stay.
 *
 * `wide`: all of them are waited for, and then checked, too.
 */
export function tuneTiles(
  instance: WasmInstance,
  heap: WasmHeap,
  exact: boolean,
  wide = false,
): TunedTiles | undefined {
  if (clockStep() > FINE_CLOCK) return undefined;
  const probe = new TileProbe(instance, heap);
  try {
    const runners = candidates(exact).map((candidate) => {
      probe.rate(candidate, 1); // the first call compiles
      const look = () => probe.rate(candidate, FIRST_OPERATIONS);
      // The better of two: a machine that was busy for a moment would make what comes next look optimized.
      const first = Math.max(look(), look());
      return { candidate, first, best: first };
    });
    const jumped = ({ first, best }: Runner) => best > first * JUMP;
    const begin = performance.now();
    for (;;) {
      const left = runners.filter((r) => !jumped(r));
      if (left.length === 0 || performance.now() - begin > (wide ? CHECK_LIMIT : TIME_LIMIT)) break;
      for (const r of left) r.best = Math.max(r.best, probe.rate(r.candidate, WARM_OPERATIONS));
    }
    const field = runners.filter(jumped);
    if (field.length === 0 || (wide && field.length < runners.length)) return undefined;
    for (let round = 0; round < ROUNDS; round++)
      for (const r of field) r.best = Math.max(r.best, probe.rate(r.candidate, TIMED_OPERATIONS));
    const wrong = wide ? field.find(({ candidate }) => !probe.isRight(candidate)) : undefined;
    return { ...choose(field, usualTiles(instance.build, exact, wide)), wrong: wrong?.candidate };
  } finally {
    probe.dispose();
  }
}

/** What tiles reach now, in billions of operations a second: in under a millisecond; undefined where no clock is fine enough. */
export function rateTiles(
  instance: WasmInstance,
  heap: WasmHeap,
  { f32Tile, i8Tile, i8Kind }: Tiles,
): TunedTiles['rates'] | undefined {
  if (clockStep() > FINE_CLOCK) return undefined;
  const probe = new TileProbe(instance, heap);
  const best = (candidate: Candidate) =>
    Math.max(...Array.from({ length: ROUNDS }, () => probe.rate(candidate, TIMED_OPERATIONS)));
  try {
    return {
      f32: best({ type: 'f32', tile: f32Tile, i8Kind: 0 }),
      i8: best({ type: 'i8', tile: i8Tile, i8Kind }),
    };
  } finally {
    probe.dispose();
  }
}

interface Runner extends Timed {
  readonly first: number;
}

interface Timed {
  readonly candidate: Candidate;
  readonly best: number;
}

/** The fastest of each type, if clearly faster than the usual one. */
export function choose(timed: readonly Timed[], usual: Tiles): TunedTiles {
  const winner = (type: 'f32' | 'i8', tile: TileShape, i8Kind: I8Kind): Timed => {
    const field = timed.filter((t) => t.candidate.type === type);
    const standard = field.find(
      ({ candidate: c }) => c.i8Kind === i8Kind && c.tile[0] === tile[0] && c.tile[1] === tile[1],
    );
    // Without its time, nothing is known to be faster than the usual one.
    if (!standard) return { candidate: { type, tile, i8Kind }, best: 0 };
    const best = field.reduce((a, b) => (b.best > a.best ? b : a));
    return best.best > standard.best * CLEARLY ? best : standard;
  };
  const f32 = winner('f32', usual.f32Tile, 0);
  const i8 = winner('i8', usual.i8Tile, usual.i8Kind);
  return {
    f32Tile: f32.candidate.tile,
    i8Tile: i8.candidate.tile,
    i8Kind: i8.candidate.i8Kind,
    gain: fastest(timed, 16) / fastest(timed, 8),
    rates: { f32: f32.best, i8: i8.best },
  };
}

const fastest = (timed: readonly Timed[], columns: number): number =>
  Math.max(
    0,
    ...timed.filter(({ candidate: c }) => c.type === 'f32' && c.tile[1] === columns).map((t) => t.best),
  );

/** Some hosts (Workers) stop the clock while a program computes. */
const MOST_SPINS = 1e6;

/** The smallest step of the clock, in ms; Infinity where it does not move. */
function clockStep(): number {
  let smallest = Infinity;
  for (let i = 0; i < 5; i++) {
    const begin = performance.now();
    let now = begin;
    for (let spins = 0; now === begin; now = performance.now()) if (++spins > MOST_SPINS) return Infinity;
    smallest = Math.min(smallest, now - begin);
  }
  return smallest;
}
