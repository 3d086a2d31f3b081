/**
 * The first part of the memory, which belongs to the module:
 *
 *     64 spare places, SPARE_BYTES for each thread (spare.ts)     TABLE constants, an f32 or i32 each     RESERVED
 *
 * V8 builds a v128.const anew from two integers at each use, in the middle of a loop. Loading a constant into all lanes is one
 * instruction, the two vectors of a turn share it, and where V8 makes one wide vector of them it becomes a wide load.
 */
export const SPARE: usize = 64;
export const SPARE_BYTES: usize = 128;
/** One for whoever runs alone, and one for each thread of a pool, of which there are 64 at most. */
const PLACES: usize = 65;
export const TABLE: usize = SPARE + PLACES * SPARE_BYTES;
/** Memory below this is the module's own; hosts place nothing there. */
export const RESERVED: usize = 9216;

/** The constant of this number, in all four lanes. */
@inline
export function constant(number: i32): v128 {
  return v128.load32_splat(TABLE + (<usize>number << 2));
}

// Numbers of the constants; of a polynomial, that of its first coefficient, highest power first.
export const FILLED = 0;
export const ONE = 1;
export const TWO = 2;
export const HALF = 3;
export const EXP_HIGH = 4;
export const EXP_LOW = 5;
export const LOG2_E = 6;
export const ROUNDER = 7;
export const LN2_HIGH = 8;
export const LN2_LOW = 9;
export const EXP = 10;
export const LOG1P = 15;
export const TANH_LIMIT = 21;
export const TANH_P = 22;
export const TANH_Q = 29;
export const ERF_LIMIT = 33;
export const ERF_P = 34;
export const ERF_Q = 41;
export const SQRT_HALF = 46;
export const GELU_ZERO = 47;
export const SQRT_2_BY_PI = 48;
export const GELU_CUBIC = 49;
export const GELU_CUBIC_SLOPE = 50;
export const DENSITY = 51;
export const THREE = 52;
export const SIXTH = 53;
export const MOST = 54;
export const SIGN = 55;
export const NINE = 56;
export const INFINITE = 57;
export const ROOT_BITS = 58;
export const LOG = 59;
export const WHOLE_HIGH = 68;
export const WHOLE_LOW = 69;
export const LEAST = 70;
export const SHIFTED = 71;
export const TWENTY = 72;
export const FORTY = 73;
export const SIX = 74;

function put(number: i32, value: f32): void {
  store<f32>(TABLE + (<usize>number << 2), value);
}

/**
 * Fills the table unless it is filled; several threads may do so at once, the mark comes last. A build without threads
 * (a frozen module) has no atomics, which not every host knows.
 */
export function fillConstants(): void {
  if (ASC_FEATURE_THREADS ? atomic.load<i32>(TABLE) : load<i32>(TABLE)) return;
  put(ONE, 1);
  put(TWO, 2);
  put(HALF, 0.5);
  // 1.5 * 2^23 + 127: added to a small float, it leaves the nearest whole number, and 127 more, in the lowest bits of the sum.
  put(ROUNDER, 12583039);
  // e^x on -ln 2 / 2 .. ln 2 / 2: 1 + r + r^2 p(r), least greatest relative error (3.1e-9), by Remez's exchange
  put(EXP_HIGH, 89);
  put(EXP_LOW, -88);
  put(LOG2_E, 1.44269504088896341);
  put(LN2_HIGH, -0.693359375);
  put(LN2_LOW, 2.12194440e-4);
  put(EXP, 1.3814540075e-3);
  put(EXP + 1, 8.3687451077e-3);
  put(EXP + 2, 4.1668390786e-2);
  put(EXP + 3, 1.6666520399e-1);
  put(EXP + 4, 4.9999993432e-1);
  // log(1 + t) = 2 atanh(s) with s = t / (2 + t) up to 1/3: 2 atanh(s) / s by powers of s^2, least greatest relative error, by Remez's exchange
  put(LOG1P, 0.24413070082664490);
  put(LOG1P + 1, 0.21393249928951263);
  put(LOG1P + 2, 0.28620722889900208);
  put(LOG1P + 3, 0.39998692274093628);
  put(LOG1P + 4, 0.66666680574417114);
  put(LOG1P + 5, 2);
  // tanh, 1 in f32 beyond the limit: the rational of Eigen's tanh
  put(TANH_LIMIT, 7.90531110763549805);
  put(TANH_P, -2.76076847742355e-16);
  put(TANH_P + 1, 2.00018790482477e-13);
  put(TANH_P + 2, -8.60467152213735e-11);
  put(TANH_P + 3, 5.12229709037114e-8);
  put(TANH_P + 4, 1.48572235717979e-5);
  put(TANH_P + 5, 6.37261928875436e-4);
  put(TANH_P + 6, 4.89352455891786e-3);
  put(TANH_Q, 1.19825839466702e-6);
  put(TANH_Q + 1, 1.18534705686654e-4);
  put(TANH_Q + 2, 2.268434632439e-3);
  put(TANH_Q + 3, 4.89352518554385e-3);
  // erf on -4 .. 4, where f32 reaches +-1: the rational of Eigen's erf
  put(ERF_LIMIT, 4);
  put(ERF_P, -2.72614225801306e-10);
  put(ERF_P + 1, 2.77068142495902e-8);
  put(ERF_P + 2, -2.10102402082508e-6);
  put(ERF_P + 3, -5.69250639462346e-5);
  put(ERF_P + 4, -7.34990630326855e-4);
  put(ERF_P + 5, -2.9545998085402e-3);
  put(ERF_P + 6, -1.60960333262415e-2);
  put(ERF_Q, -1.45660718464996e-5);
  put(ERF_Q + 1, -2.13374055278905e-4);
  put(ERF_Q + 2, -1.68282697438203e-3);
  put(ERF_Q + 3, -7.37332916720468e-3);
  put(ERF_Q + 4, -1.42647390514189e-2);
  put(SQRT_HALF, 0.70710678118654752);
  put(GELU_ZERO, -16);
  put(SQRT_2_BY_PI, 0.79788456080286536);
  put(GELU_CUBIC, 0.044715);
  put(GELU_CUBIC_SLOPE, 3.0 * 0.044715);
  put(DENSITY, 0.39894228040143268);
  put(THREE, 3);
  put(SIXTH, 1.0 / 6.0);
  put(MOST, 1e30);
  put(SIGN, -0.0);
  put(NINE, 9);
  put(INFINITE, Infinity);
  // The bits of sqrt(1 / 2): a float's minus these are its exponent and, in the lower 23 bits, how far its mantissa is beyond it.
  put(ROOT_BITS, 0.70710678118654752);
  // log(1 + t) = t - t^2 / 2 + t^3 p(t), for 1 + t from sqrt(1 / 2) to sqrt(2): the polynomial of Cephes' logf
  put(LOG, 7.0376836292e-2);
  put(LOG + 1, -1.1514610310e-1);
  put(LOG + 2, 1.1676998740e-1);
  put(LOG + 3, -1.2420140846e-1);
  put(LOG + 4, 1.4249322787e-1);
  put(LOG + 5, -1.6668057665e-1);
  put(LOG + 6, 2.0000714765e-1);
  put(LOG + 7, -2.4999993993e-1);
  put(LOG + 8, 3.3333331174e-1);
  // Beyond these e^x is infinite, or nothing.
  put(WHOLE_HIGH, 89);
  put(WHOLE_LOW, -104);
  // The least normal float, and what makes a normal one of those below.
  put(LEAST, 1.1754943508222875e-38);
  put(SHIFTED, 8388608);
  put(TWENTY, 20);
  put(FORTY, 40);
  put(SIX, 6);
  if (ASC_FEATURE_THREADS) atomic.store<i32>(TABLE, 1);
  else store<i32>(TABLE, 1);
}
