import type { TapeRecord } from '../../generated/records.ts';
import type { Section, TensorRef } from '../../graph/plan.ts';
import { sections } from '../../graph/plan.ts';
import type { Tiles } from './tiles.ts';

/** Addresses and sizes that encoding a record needs. */
export interface Place extends Tiles {
  /** Byte address of a tensor of the plan. */
  address(t: TensorRef): number;
  /** Byte address of scratch memory, one part for each thread. */
  readonly scratch: number;
  readonly scratchPerThread: number;
  /** Address of extra memory for a step, the same for every encoding of the plan; for packed weights. */
  extra(bytes: number): number;
  /** Address of memory until the step's end, the same for all steps that ask for as much: for what is between its records. */
  lend(bytes: number): number;
}

/** [opcode, length in words, ...] for each record. */
export function encode(records: readonly TapeRecord[]): Uint32Array {
  const length = records.reduce((sum, r) => sum + r.words.length + 2, 0);
  const bytes = new ArrayBuffer(length * 4);
  const [u32, f32] = [new Uint32Array(bytes), new Float32Array(bytes)];
  let at = 0;
  for (const { opcode, words } of records) {
    u32[at++] = opcode;
    u32[at++] = words.length + 2;
    for (const word of words) {
      if (typeof word === 'number') u32[at++] = word;
      else f32[at++] = word.f32;
    }
  }
  return u32;
}

/** Where each section's records lie: byte offsets into the tape. The whole plan is the range of all of them. */
export function sectionRanges(
  lengths: readonly { section: Section; words: number }[],
): Map<Section | 'all', [number, number]> {
  const ranges = new Map<Section | 'all', [number, number]>();
  let at = 0;
  for (const section of sections) {
    const from = at;
    for (const l of lengths) if (l.section === section) at += l.words * 4;
    ranges.set(section, [from, at]);
  }
  return ranges.set('all', [0, at]);
}
