import { beforeEach, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { BiphaseError } from '../../src/core/errors.ts';
import { optim } from '../../src/index.ts';
import { Backends } from '../../src/scheduler/choose/backends.ts';
import { Renewable, type Renewed } from '../../src/scheduler/choose/renewable.ts';
import { Journal, type LoggedStep, lossOf, ranIn } from '../../src/scheduler/train/journal.ts';
import { type Batch, StepProgram } from '../../src/scheduler/train/step-program.ts';
import { TrainingMeter } from '../../src/scheduler/train/training-cost.ts';
import { FakeProgram } from '../support/fake-program.ts';

const update = { tells: [{ at: 0, tell: optim.sgd({ lr: 0.1 }).hyper }] };
const how = { seed: 3, mostParts: 1, observed: [] };
/** One part: the program's plan. */
const stepOf = (program: FakeProgram, meter: TrainingMeter) =>
  new StepProgram(
    program,
    { update, batch: 1, parts: [{ rows: 1, entry: 'train', plan: program.plan }] },
    how,
    meter,
  );

const batch = (i: number): Batch => ({
  fill: ({ input }, { target }) => {
    input[0] = Math.sin(i);
    target[0] = i;
  },
});
const lost = () => new BiphaseError('worker_lost', 'as planned');

/** Programs made so far, and what they are told to do when they are made. */
let made: FakeProgram[];
let nextBreaks: ((what: string, call: number) => boolean)[];
let late: () => Promise<void>;
let told: Renewed[];
let journal: Journal;
let programs: Renewable<StepProgram>;

beforeEach(() => {
  made = [];
  nextBreaks = [];
  told = [];
  late = async () => {};
  const fake = { name: 'fake', description: 'fake' } as Backend;
  const meter = new TrainingMeter();
  journal = new Journal(undefined);
  programs = new Renewable(new Backends(fake), fake, {
    make: async () => {
      const breaks = nextBreaks.shift();
      let calls = 0;
      const program = new FakeProgram(
        (what) => {
          if (breaks?.(what, calls++)) throw lost();
        },
        () => late(),
      );
      made.push(program);
      return stepOf(program, meter);
    },
    restore: (running) => {
      journal.begin(() => ({
        step: 0,
        states: { parameters: Float32Array.of(1), momentum: new Float32Array(1) },
      }));
      return journal.restore(running);
    },
    renewed: async (how) => void told.push(how),
  });
});

/** Makes steps up to `to`, and gives the promises of their losses. */
async function steps(to: number): Promise<Promise<number>[]> {
  const losses: Promise<number>[] = [];
  while (journal.step < to) {
    const next = batch(journal.step + 1);
    let noted: LoggedStep | undefined;
    await programs.use(async (running) => {
      if (noted?.ranIn === running) return;
      await running.fill(next);
      noted ??= journal.note(next, true);
      running.run(journal.step);
      ranIn(running, noted);
    });
    const loss = programs.use((running) => lossOf(noted!, running));
    loss.catch(() => undefined);
    losses.push(loss);
  }
  return losses;
}

const takeSnapshot = () => programs.use((running) => journal.take(running, true));
const state = () => ['parameters', 'momentum'].map((name) => made.at(-1)!.values.get(name)![0]);

/** What steps without any fault come to. */
async function undisturbed(count: number) {
  const program = stepOf(new FakeProgram(() => {}), new TrainingMeter());
  program.put({
    step: 0,
    states: { parameters: Float32Array.of(1), momentum: new Float32Array(1) },
  });
  const losses: number[] = [];
  for (let i = 1; i <= count; i++) {
    await program.fill(batch(i));
    program.run(i);
    losses.push(await program.loss());
  }
  const { values } = program.program as FakeProgram;
  return { losses, state: [values.get('parameters')![0], values.get('momentum')![0]] };
}

describe('the journal, with a program that breaks as the test says', () => {
  it('brings a new program to where the lost one was: the snapshot, and the steps since', async () => {
    nextBreaks = [(what) => what === 'run' && made[0].ran.length === 7];
    const losses = await steps(5);
    await takeSnapshot();
    losses.push(...(await steps(9)));
    const want = await undisturbed(9);
    expect(await Promise.all(losses)).toEqual(want.losses);
    expect(state()).toEqual(want.state);
    // The eighth broke the first program: the sixth to the eighth were made again, and no step before the snapshot.
    expect(made.map(({ ran }) => ran)).toEqual([
      [1, 2, 3, 4, 5, 6, 7],
      [6, 7, 8, 9],
    ]);
    expect(told).toMatchObject([{ attempts: 1 }]);
  });

  it('a fault while steps are made again: another program begins at the snapshot', async () => {
    nextBreaks = [
      (what) => what === 'run' && made[0].ran.length === 6,
      (what) => what === 'run' && made[1].ran.length === 3,
      (what) => what === 'write momentum',
      (what) => what === 'read loss' && made[3].ran.length === 5,
    ];
    await steps(1);
    await takeSnapshot();
    const losses = await steps(8);
    const want = await undisturbed(8);
    expect(await Promise.all(losses)).toEqual(want.losses.slice(1));
    expect(state()).toEqual(want.state);
    expect(made.map(({ ran }) => ran)).toEqual([
      [1, 2, 3, 4, 5, 6],
      [2, 3, 4],
      [],
      [2, 3, 4, 5, 6, 7],
      [2, 3, 4, 5, 6, 7, 8],
    ]);
    expect(told).toMatchObject([{ attempts: 4, fault: { code: 'worker_lost' } }]);
  });

  it('a fault while a snapshot is read: the one before it counts, and the next try takes it whole', async () => {
    nextBreaks = [(what) => what === 'read momentum' && made[0].ran.length === 4];
    await steps(2);
    await takeSnapshot();
    const before = journal.snapshots.newest;
    await steps(4);
    let seen: typeof before | undefined;
    const put = journal.restore.bind(journal);
    journal.restore = (running) => {
      seen = journal.snapshots.newest;
      return put(running);
    };
    await takeSnapshot();
    expect(seen).toBe(before);
    const want = await undisturbed(4);
    const { step, states } = journal.snapshots.newest;
    expect([step, states.parameters[0], states.momentum[0]]).toEqual([4, ...want.state]);
    expect(journal.batches).toEqual([]);
    expect(made.map(({ ran }) => ran)).toEqual([
      [1, 2, 3, 4],
      [3, 4],
    ]);
  });

  it('losses that arrive late: each once, in order, from whichever program had it', async () => {
    const want = await undisturbed(4);
    const waiting: (() => void)[] = [];
    late = () => new Promise((resolve) => waiting.push(resolve));
    const losses = await steps(3);
    const order: number[] = [];
    losses.forEach((loss, i) => {
      void loss.then(() => order.push(i));
    });
    // The first is there; the program is lost with the two others on their way.
    expect(waiting).toHaveLength(3);
    waiting[0]();
    expect(await losses[0]).toBe(want.losses[0]);
    late = async () => {};
    made[0].dispose();
    programs.use(() => Promise.reject(lost())).catch(() => undefined);
    for (const go of waiting) go();
    expect(await Promise.all(losses)).toEqual(want.losses.slice(0, 3));
    expect(order).toEqual([0, 1, 2]);
    expect(await Promise.all(await steps(4))).toEqual(want.losses.slice(3));
  });

  it('a snapshot waits for the losses under way: they could not be had after it', async () => {
    let arrive = () => {};
    late = () =>
      new Promise((resolve) => {
        arrive = resolve;
      });
    const losses = await steps(1);
    let taken = false;
    const taking = takeSnapshot().then(() => {
      taken = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(taken).toBe(false);
    arrive();
    await taking;
    expect(await losses[0]).toBe((await undisturbed(1)).losses[0]);
  });

  it('takes no snapshot of what is not finite', async () => {
    const losses = await steps(1);
    await Promise.all(losses);
    made[0].values.get('momentum')![0] = Number.NaN;
    await expect(takeSnapshot()).rejects.toMatchObject({ code: 'not_finite' });
    expect(journal.snapshots.newest.step).toBe(0);
    expect(journal.batches).toHaveLength(1);
  });

  it('an error that is no fault strikes the step out, and the next has its number', async () => {
    await steps(2);
    const noted = journal.note(batch(3), true);
    expect(journal.step).toBe(3);
    journal.strike(noted);
    expect([journal.step, journal.batches.length]).toEqual([2, 2]);
    await steps(3);
    expect(made[0].ran).toEqual([1, 2, 3]);
    journal.strike(noted);
    expect(journal.step).toBe(3);
  });

  it('where nothing helps it goes back to the snapshot; a loss from before is given up', async () => {
    await steps(2);
    await takeSnapshot();
    let arrive = () => {};
    late = () =>
      new Promise((resolve) => {
        arrive = resolve;
      });
    const [loss] = await steps(3);
    expect(journal.goBack()).toBe(2);
    await programs.use(async ({ program }) => {
      if (program === made[0]) throw lost();
    });
    arrive();
    await expect(loss).rejects.toMatchObject({ code: 'aborted' });
    expect(state()).toEqual((await undisturbed(2)).state);
  });

  it('gives up after eight faults in a row, and says which', async () => {
    nextBreaks = Array.from({ length: 20 }, () => (what: string) => what === 'run');
    await expect(steps(1)).rejects.toMatchObject({ code: 'worker_lost' });
    expect(made).toHaveLength(9);
    expect(programs.active).toBe(false);
  });
});
