import { bytesPerElement } from '../../../core/dtype.ts';
import { fail } from '../../../core/errors.ts';
import { sizeOf } from '../../../core/shape.ts';
import { kinds } from '../../../generated/records.ts';
import { alignUp } from '../../../graph/memory.ts';
import { ALIGNMENT, type Plan, type Slot } from '../../../graph/plan.ts';
import { type LaidOutEntry, Layout } from '../../entries.ts';
import { ExtraMemory } from '../../extra-memory.ts';
import { MOST_PAGES, PAGE } from '../claim.ts';
import { growingTapes, type Tapes } from '../growing.ts';
import { RESERVED } from '../memory.ts';
import { encode } from '../tape.ts';
import type { Tiles } from '../tiles.ts';
import { checksum } from './checksum.ts';

/** What the numbers of a tensor stand for: real = (q - zeroPoint) * scale. */
export interface Scaling {
  /** Real units of one step. */
  readonly scale: number;
  /** The number that stands for 0. */
  readonly zeroPoint: number;
}

/** Makes the plan of a model for any number of samples. */
export type PlanOf = (batch: number) => Plan;

/** An input or output of the outside world: its name there, its slot in the plan, and what its numbers stand for. */
export interface ServedTensor extends Scaling {
  readonly name: string;
  readonly slot: string;
}

/** All that a frozen module's memory is made from. */
export interface ImageSource {
  readonly planOf: PlanOf;
  readonly most: number;
  /** What products run on where the relaxed dot may not be used, and where it may, in builds that have it. */
  readonly tiles: readonly Tiles[];
  readonly scratchBytes: number;
  readonly inputs: readonly ServedTensor[];
  readonly outputs: readonly ServedTensor[];
}

/** The part of a frozen module's memory that is in the file, from address RESERVED, and how many pages it has in all. */
export interface Image {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pages: number;
  readonly opcodes: ReadonlySet<number>;
}

/** Bytes of the header, of what is said of a tensor, and of the words before its facts; assembly/frozen/runtime.ts draws both. */
const [HEADER_BYTES, TENSOR_BYTES, FACTS_AT] = [112, 112, 16];
const MAGIC = 0x48504942;
const PROBE_BYTES = 64;

/** Lays a model out in the memory that assembly/frozen/runtime.ts draws, and writes the part that the file holds. */
export function makeImage(source: ImageSource): Image {
  const { most, scratchBytes } = source;
  const entry = new Layout({ planOf: source.planOf, most }).first;
  const { plan } = entry;
  const served = [...source.inputs, ...source.outputs].map((t) => ({ ...t, slot: plan.slots[t.slot] }));
  const { persistentBytes } = plan.memory;
  const keptEnd = Math.max(...served.map(({ slot }) => alignUp(slot.offset + byteLength(slot), ALIGNMENT)));

  // A first pass with everything at 0 finds out how long tapes and packed weights are.
  const draftPlace = { address: (offset: number) => offset, extraAt: 0, scratch: 0 };
  const drafts = source.tiles.map((tiles) => frozenTapes(entry, { tiles, ...draftPlace }));
  const longest = (length: (t: FrozenTapes) => number) => Math.max(...drafts.map(length));

  const at = new Cursor(RESERVED);
  const header = at.take(HEADER_BYTES);
  const tensors = at.take(served.length * TENSOR_BYTES);
  const texts = served.map(({ name }) => new TextEncoder().encode(`${name}\0`));
  const names = texts.map((text) => at.take(text.length));
  const constants = at.take(persistentBytes);
  const tapes = at.take(drafts.reduce((sum, t) => sum + tapeBytes(t), 0));
  const dataEnd = at.address;
  const extraAt = at.take(longest((t) => t.extraBytes));
  const frozenEnd = at.address;
  const runTape = at.take(longest((t) => Math.max(t.single.words.byteLength, t.many.words.byteLength)));
  const probe = at.take(PROBE_BYTES);
  const scratch = at.take(scratchBytes);
  const temporaries = at.take(plan.arenaBytes - keptEnd);
  const kept = at.take(keptEnd - persistentBytes);
  const pages = Math.ceil(at.address / PAGE);
  if (pages >= MOST_PAGES)
    fail(
      'out_of_memory',
      `${plan.name} needs ${(at.address / 2 ** 20).toFixed(1)} MiB, more than 32-bit addresses reach; use a smaller maxBatch`,
    );
  const address = (offset: number) => {
    if (offset < persistentBytes) return constants + offset;
    return offset < keptEnd ? kept + offset - persistentBytes : temporaries + offset - keptEnd;
  };

  const bytes = new Uint8Array(dataEnd - RESERVED);
  for (const { data, offset } of plan.constants)
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), constants + offset - RESERVED);
  const words = new Uint32Array(bytes.buffer);
  const put = (byteAddress: number, values: ArrayLike<number>) =>
    words.set(values, (byteAddress - RESERVED) / 4);
  let tapeAt = tapes;
  const opcodes = new Set<number>();
  source.tiles.forEach((tiles, i) => {
    const set = frozenTapes(entry, { tiles, address, extraAt, scratch });
    put(header + 48 + 32 * i, writeTapes(set, tapeAt, put));
    tapeAt += tapeBytes(set);
    for (const code of set.opcodes) opcodes.add(code);
  });
  put(header + 8, [dataEnd, frozenEnd, most, tensors, source.inputs.length, served.length]);
  put(header + 36, [probe, runTape]);
  served.forEach(({ slot, ...scaling }, i) => {
    const from = tensors + i * TENSOR_BYTES;
    put(from, [address(slot.offset), byteLength(slot) / most, names[i]]);
    bytes.set(texts[i], names[i] - RESERVED);
    new Float64Array(bytes.buffer, from + FACTS_AT - RESERVED).set(factsOf(slot, scaling));
  });
  put(header, [MAGIC, checksum(bytes.subarray(8))]);
  return { bytes, pages, opcodes };
}

interface FrozenTapes extends Omit<Tapes, 'once'> {
  readonly once: Uint32Array;
  readonly extraBytes: number;
}

/** Where a frozen module keeps things. */
interface FrozenPlace {
  readonly tiles: Tiles;
  readonly address: (offset: number) => number;
  readonly extraAt: number;
  readonly scratch: number;
}

function frozenTapes(entry: LaidOutEntry, { tiles, address, extraAt, scratch }: FrozenPlace): FrozenTapes {
  const extra = new ExtraMemory(extraAt, ALIGNMENT);
  const tapes = growingTapes(entry, { ...tiles, address, scratch, scratchPerThread: 0 }, extra);
  // Extra memory is frozen with the weights: it can't hold what changes from run to run.
  if (tapes.repacks)
    fail(
      'unsupported',
      `${entry.plan.name}: ${tapes.repacks} with weights that are not constant can't be frozen`,
    );
  return { ...tapes, once: encode(tapes.once), extraBytes: extra.size };
}

/** Hands out addresses, each a multiple of ALIGNMENT. */
class Cursor {
  address: number;

  constructor(address: number) {
    this.address = address;
  }

  take(bytes: number): number {
    const from = this.address;
    this.address = alignUp(from + bytes, ALIGNMENT);
    return from;
  }
}

const tapeBytes = ({ once, single, many }: FrozenTapes): number =>
  once.byteLength + growingBytes(single) + growingBytes(many);
const growingBytes = ({ words, patches }: FrozenTapes['single']): number =>
  words.byteLength + patches.byteLength;

/** Writes one set of tapes from `at` on; returns the eight words of the header that point to them. */
function writeTapes(
  { once, single, many }: FrozenTapes,
  at: number,
  put: (address: number, words: Uint32Array) => void,
): number[] {
  put(at, once);
  const pointers = [at, at + once.byteLength];
  let next = at + once.byteLength;
  for (const { words, patches } of [single, many]) {
    const end = next + words.byteLength;
    put(next, words);
    put(end, patches);
    pointers.push(next, end, end + patches.byteLength);
    next = end + patches.byteLength;
  }
  return pointers;
}

/** What `query` answers: dtype, rank, scale, zero point, sizes, of one sample. */
function factsOf({ dtype, shape }: Slot, { scale, zeroPoint }: Scaling): number[] {
  const sizes = shape.slice(1);
  return [kinds.dtype[dtype], sizes.length, scale, zeroPoint, ...sizes];
}

const byteLength = ({ dtype, shape }: Slot): number => sizeOf(shape) * bytesPerElement[dtype];

/** Throws unless all that the outside world touches of a plan is served, and the first dimension is that of the samples. */
export function checkServable(plan: Plan, most: number, served: readonly ServedTensor[]): void {
  const others = Object.keys(plan.slots).filter((slot) => !served.some((t) => t.slot === slot));
  if (others.length > 0)
    fail('unsupported', `${plan.name}: a frozen file has inputs and outputs; this plan also has ${others}`);
  const whole = served.find(({ slot }) => plan.slots[slot].shape[0] !== most);
  if (whole)
    fail(
      'unsupported',
      `${plan.name}: the shape of ${whole.name} is [${plan.slots[whole.slot].shape}] for ${most} samples; expected a result for each sample`,
    );
}
