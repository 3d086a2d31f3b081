import type { Backend, Program } from '../../src/backend/backend.ts';
import { sectionOf } from '../../src/backend/entries.ts';
import type { Section, Slot } from '../../src/graph/plan.ts';

/** Time that passes only when it is told to, in ms. */
export interface VirtualClock {
  readonly now: number;
  advance(ms: number): void;
  /** The machine's own clock again. */
  restore(): void;
}

/** Stands in for performance.now, so that what follows from times is the same on every machine, however busy. */
export function virtualClock(): VirtualClock {
  const real = performance.now;
  let now = 0;
  performance.now = () => now;
  return {
    get now() {
      return now;
    },
    advance(ms) {
      now += ms;
    },
    restore() {
      performance.now = real;
    },
  };
}

/** What a program's operations take on a virtual clock, in ms; they really compute. */
export interface Takes {
  run?(program: Program, section: Section | undefined): number;
  read?(program: Program, slot: Slot): number;
}

/** Lets the programs that a backend compiles from now on take time on a clock. */
export function onClock(backend: Backend, clock: VirtualClock, takes: Takes): void {
  const compile = backend.compile.bind(backend);
  backend.compile = async (plan) => {
    const program = await compile(plan);
    const [run, read] = [program.run.bind(program), program.read.bind(program)];
    program.run = (section) => {
      run(section);
      clock.advance(takes.run?.(program, sectionOf(section)) ?? 0);
    };
    program.read = async (slot, into) => {
      const values = await read(slot, into);
      clock.advance(takes.read?.(program, slot) ?? 0);
      return values;
    };
    return program;
  };
}
