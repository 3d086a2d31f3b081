import { seed as isSeed } from './checks.ts';
import { expectValue } from './options.ts';

const PARITY = 0x1bd11bda;
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24];

/**
 * Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), the
 * generator JAX uses: two random words from a 64-bit key and a 64-bit counter, with no state, so that any
 * element of a stream can be computed anywhere. Only adds, rotations and xors: cheap in SIMD and in WGSL.
 */
export function threefry2x32(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  out: Uint32Array,
): void {
  const keys = [key0, key1, PARITY ^ key0 ^ key1];
  let x = (counter0 + key0) | 0;
  let y = (counter1 + key1) | 0;
  for (let group = 0; group < 5; group++) {
    for (let round = 0; round < 4; round++) {
      const by = ROTATIONS[(group & 1) * 4 + round];
      x = (x + y) | 0;
      y = ((y << by) | (y >>> (32 - by))) ^ x;
    }
    x = (x + keys[(group + 1) % 3]) | 0;
    y = (y + keys[(group + 2) % 3] + group + 1) | 0;
  }
  out[0] = x;
  out[1] = y;
}

/** A seeded stream of random numbers; streams of one seed are independent of each other. */
export class Random {
  private readonly seed: number;
  private readonly stream: number;
  private readonly words = new Uint32Array(2);
  private drawn = 0;

  constructor(seed: number, stream = 0) {
    expectValue('Random', 'seed', seed, isSeed);
    expectValue('Random', 'stream', stream, isSeed);
    this.seed = seed | 0;
    this.stream = stream | 0;
  }

  /** 32 random bits, as a number from 0 to 2^32 - 1. */
  uint32(): number {
    const word = this.drawn & 1;
    if (word === 0)
      threefry2x32(
        this.seed,
        this.stream,
        Math.floor(this.drawn / 2),
        Math.floor(this.drawn / 2 ** 33),
        this.words,
      );
    this.drawn++;
    return this.words[word];
  }

  /** In [0, 1), in steps of 2^-32. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** Standard normal (Box & Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** A whole number in [0, n), all equally likely (n up to 2^32). */
  int(n: number): number {
    const limit = 2 ** 32 - (2 ** 32 % n);
    let word = this.uint32();
    while (word >= limit) word = this.uint32();
    return word % n;
  }
}
