import type { Backend, Program } from '../../backend/backend.ts';
import { buildPlan } from '../../graph/build-plan.ts';
import { costOfSteps, type Plan } from '../../graph/plan.ts';
import { type Tensor, Tracer } from '../../graph/trace.ts';
import { adam } from '../../optim/index.ts';

/**
 * Work per ms of one kind of kernel, where a call is small and where it is large. `at` are the sizes of the probes, from the
 * smallest: productSize for products, bytes for the rest.
 */
export interface Rate {
  readonly at: readonly number[];
  readonly perMs: readonly number[];
}

/** What one backend does, as measured by running small plans on it. */
export interface Rates {
  /** A run of one tiny step with the wait for its result, and each step more, in ms. */
  readonly runMs: number;
  readonly stepMs: number;
  /** Products of f32 and of int8, many rows and one row: operations per ms. */
  readonly f32: Rate;
  readonly i8: Rate;
  readonly f32Vector: Rate;
  readonly i8Vector: Rate;
  /** Everything else: bytes read and written per ms, and arithmetic of functions such as gelu per ms. */
  readonly bytes: Rate;
  readonly functions: number;
  /** Arithmetic of optimizers per ms. */
  readonly updates: number;
  /** Bytes per ms to and from the caller. */
  readonly transfer: number;
}

/**
 * What a product's rate depends on: for one row or column how much of the matrix there is to read, else the two smaller
 * sides, since what is packed and stored is shared by the work along the third.
 */
export function productSize(m: number, n: number, k: number): number {
  const [least, middle, most] = [m, n, k].sort((a, b) => a - b);
  return least === 1 ? middle * most : least * middle;
}

/** A run of nothing that takes longer than this in ms is on a device of its own. */
const DEVICE_MS = 0.05;

type Kind = 'f32' | 'i8';

/** The least of this many tries. */
const TRIES = 3;
/** A try runs for this long at most, in ms, and for this many runs. */
const [TRY_MS, TRY_RUNS] = [1.5, 100];
/** Before anything is measured: as long as the engine's compilers need to see what calls a program, in ms and runs. */
const [WARM_MS, WARM_RUNS] = [4, 3000];

/** Runs a dozen and a half of small plans: two to four tenths of a second on a CPU. */
export async function measureRates(backend: Backend): Promise<Rates> {
  await warmUp(backend);
  const time = (plan: Plan) => timeOf(backend, plan);
  const one = await time(chain(1));
  const stepMs = Math.max(0, (await time(chain(33))).aloneMs - one.aloneMs) / 32;
  // The step itself and the tiny one beside it are no part of the work; where they are most of it, that tells little.
  const perMs = async (plan: Plan, work: number) => {
    const { repeatedMs } = await time(plan);
    return work / Math.max(1e-6, repeatedMs / 10, repeatedMs - plan.steps.length * stepMs);
  };
  const products = async (kind: Kind, probes: readonly (readonly [m: number, side: number])[]) => {
    const rates: number[] = [];
    for (const [m, side] of probes) {
      const plan = product(kind, m, side, side);
      rates.push(await perMs(plan, flopsOf(plan)));
    }
    return { at: probes.map(([m, side]) => productSize(m, side, side)), perMs: rates };
  };
  const rows: [number, number][] = [
    [64, 16],
    [64, 320],
  ];
  // Threads lose more of a small product than of a large one.
  if (backend.threads > 1) rows.push([256, 512]);
  // Small products tell nothing of a device that needs longer to begin than to compute them.
  if (one.aloneMs > DEVICE_MS) rows.push([512, 1280]);
  const [few, many] = [sum(1 << 12), sum(1 << 19)];
  const functions = gelu(1 << 14);
  const updates = update(1 << 16);
  const bulk = await time(copying(1 << 18));
  return {
    ...{ runMs: one.aloneMs, stepMs },
    f32: await products('f32', rows),
    i8: await products('i8', rows),
    // The largest are matrices that no cache near the processor holds.
    f32Vector: await products('f32', vectors(64, 768, 2048)),
    i8Vector: await products('i8', vectors(64, 768, 3072)),
    bytes: {
      at: [bytesOf(few), bytesOf(many)],
      perMs: [await perMs(few, bytesOf(few)), await perMs(many, bytesOf(many))],
    },
    functions: await perMs(functions, flopsOf(functions)),
    updates: await perMs(updates, flopsOf(updates)),
    // What was written and read back, beside a run of nothing.
    transfer: (2 * 4 * (1 << 18)) / Math.max(1e-6, bulk.transferMs),
  };
}

const vectors = (...sides: number[]) => sides.map((side) => [1, side] as const);
const flopsOf = ({ steps }: Plan): number => costOfSteps(steps).flops;
const bytesOf = ({ steps }: Plan): number => costOfSteps(steps).bytes;

async function timeOf(backend: Backend, plan: Plan) {
  const program = await backend.compile(plan);
  try {
    await onceAndRead(program); // the engine's own compilers get to see it
    const first = await onceAndRead(program);
    const runs = Math.max(4, Math.min(TRY_RUNS, Math.ceil(TRY_MS / Math.max(first, 1e-3))));
    const least = {
      aloneMs: first,
      repeatedMs: Number.POSITIVE_INFINITY,
      transferMs: Number.POSITIVE_INFINITY,
    };
    for (let i = 0; i < TRIES; i++) {
      let total = 0;
      for (let r = 0; r < runs; r++) {
        const ms = await onceAndRead(program);
        least.aloneMs = Math.min(least.aloneMs, ms);
        total += ms;
      }
      // One wait for many runs, less one run with its wait: what a run itself takes where the wait is long.
      const start = performance.now();
      for (let r = 0; r < runs; r++) program.run();
      await program.read(tinyOf(program));
      const more = Math.max(0, performance.now() - start - least.aloneMs) / (runs - 1);
      least.repeatedMs = Math.min(least.repeatedMs, more, total / runs);
      least.transferMs = Math.min(least.transferMs, await transferMs(program));
    }
    return least;
  } finally {
    program.dispose();
  }
}

async function warmUp(backend: Backend): Promise<void> {
  const program = await backend.compile(chain(1));
  const end = performance.now() + WARM_MS;
  for (let i = 0; i < WARM_RUNS && performance.now() < end; i++) await onceAndRead(program);
  program.dispose();
}

async function onceAndRead(program: Program): Promise<number> {
  const start = performance.now();
  program.write(program.plan.slots.one, ONE);
  program.run();
  await program.read(tinyOf(program));
  return performance.now() - start;
}

const ONE = Float32Array.of(1);
const tinyOf = ({ plan }: Program) => plan.slots.tiny;

async function transferMs(program: Program): Promise<number> {
  const { x, y } = program.plan.slots;
  if (!x || !y) return 0;
  const values = new Float32Array(x.shape[0]);
  const start = performance.now();
  program.write(x, values);
  await program.read(y, values);
  return performance.now() - start;
}

/** A plan, with an output of one number so that waiting for it costs nothing else. */
function planOf(record: (tracer: Tracer) => Tensor | undefined): Plan {
  const tracer = new Tracer({ training: false });
  const y = record(tracer);
  if (y) tracer.output('y', y);
  tracer.output('tiny', tracer.apply('relu', [tracer.input('one', { dtype: 'f32', shape: [1] })], {}));
  return buildPlan(tracer.graph, { name: 'calibration' });
}

const vectorOf = (tracer: Tracer, length: number) => tracer.input('x', { dtype: 'f32', shape: [length] });

const chain = (steps: number) =>
  planOf((tracer) => {
    let x = vectorOf(tracer, 16);
    for (let i = 0; i < steps; i++) x = tracer.apply('relu', [x], {});
    return x;
  });

const sum = (length: number) =>
  planOf((tracer) => {
    const x = vectorOf(tracer, length);
    return tracer.apply('add', [x, x], {});
  });

const copying = (length: number) => planOf((tracer) => tracer.apply('relu', [vectorOf(tracer, length)], {}));

const gelu = (length: number) =>
  planOf((tracer) => tracer.apply('gelu', [vectorOf(tracer, length)], { approximate: 'none' }));

const update = (length: number) =>
  planOf((tracer) => {
    const flat = ['p', 'g', 'm', 'v'].map((name) => tracer.state(name, { dtype: 'f32', shape: [length] }));
    const hyper = tracer.input('hyper', { dtype: 'f32', shape: [4] });
    const { op, attrs } = adam();
    tracer.applyAll(op, [...flat, hyper], attrs);
    return undefined;
  });

const product = (kind: Kind, m: number, n: number, k: number) =>
  planOf((tracer) => {
    if (kind === 'f32') {
      const [a, b] = [
        [m, k],
        [k, n],
      ].map((shape, i) => tracer.input(`a${i}`, { dtype: 'f32', shape }));
      return tracer.apply('matmul', [a, b], { transposeA: false, transposeB: false });
    }
    const x = tracer.input('a', { dtype: 'u8', shape: [m, k] });
    const w = tracer.constant(new Int8Array(n * k).fill(3), { dtype: 'i8', shape: [n, k] });
    const bias = tracer.constant(new Int32Array(n), { dtype: 'i32', shape: [n] });
    const multiplier = tracer.constant(new Int32Array(n).fill(1 << 30), { dtype: 'i32', shape: [n] });
    return tracer.apply('matmul_i8', [x, w, bias, multiplier], { shift: 40, zeroPoint: 0, min: 0, max: 255 });
  });
