import { fillConstants, RESERVED, TABLE } from '../constants';
import { checksum } from './checksum';
import { isExact } from './probe';

/**
 * What every frozen module does around its kernels. Its memory, from which only the part up to `data end` is in the file:
 *
 *     0       TABLE       RESERVED                data end          frozen end
 *     | spare | constants | header, tapes, weights | packed weights | tape of this run | scratch | temporaries | output | input |
 *             `------------------- frozen: never written again ----'
 *
 * Header, u32 words at RESERVED (src/backend/wasm/frozen/image.ts writes it):
 *
 *      0 magic       4 checksum of [RESERVED + 8, data end)    8 data end    12 frozen end
 *     16 most samples of a run     20 tensors     24 number of inputs     28 number of inputs and outputs
 *     32 0          36 48 bytes for the probe     40 where the tape of a run is written       44 0
 *     48 the tapes for dot_i16x8: once, its end; for one sample: tape, its end, end of its patches; for more: the same
 *     80 the tapes for the relaxed dot, the same eight words; zeros in a build without
 *
 * Tensors, inputs before outputs, 112 bytes each: address, bytes of one sample, address of the name (UTF-8, then a zero), 0;
 * then dtype, rank, scale, zero point, sizes[8], each an f64.
 *
 * A tape is written for 0 samples. Its patches, pairs of u32, say which words grow with the samples of a run, and by how
 * much each: (byte offset into the tape, step).
 */
const HEADER: usize = RESERVED;
const MAGIC: u32 = 0x48504942;
const DOT_TAPES: usize = HEADER + 48;
const RELAXED_TAPES: usize = HEADER + 80;
const TENSOR_BYTES: usize = 112;
const FACTS: usize = 16;
const FIELDS: i32 = 12;

const BAD_COUNT = 1;
const DAMAGED = 2;

// Copies of what runs rely on, out of reach of whoever writes into the memory. 0 samples at most: not usable.
let mostSamples: i32 = 0;
let tapes: usize = 0;
let tape: usize = 0;
let frozenEnd: usize = 0;
let seal: u32 = 0;
let tensors: usize = 0;
let inputCount: i32 = 0;
let tensorCount: i32 = 0;

/** Reads the header and picks the tapes; nothing more where the file is damaged. */
export function open(): void {
  if (load<u32>(HEADER) != MAGIC) return;
  // Until the checksum is known to be right, not even this end can be relied on.
  const dataEnd = <usize>load<u32>(HEADER, 8);
  if (dataEnd < HEADER + 8 || dataEnd > <usize>memory.size() << 16) return;
  if (checksum(HEADER + 8, dataEnd) != load<u32>(HEADER, 4)) return;
  fillConstants();
  mostSamples = load<i32>(HEADER, 16);
  tape = load<u32>(HEADER, 40);
  frozenEnd = load<u32>(HEADER, 12);
  tensors = load<u32>(HEADER, 20);
  inputCount = load<i32>(HEADER, 24);
  tensorCount = load<i32>(HEADER, 28);
  tapes = isExact(load<u32>(HEADER, 36)) ? RELAXED_TAPES : DOT_TAPES;
}

/** The records that run once: weights into the order that the kernels read. */
@inline
export function onceBegin(): usize {
  return tapes ? <usize>load<u32>(tapes) : 0;
}

@inline
export function onceEnd(): usize {
  return tapes ? <usize>load<u32>(tapes, 4) : 0;
}

/** After the records that run once: from here on the frozen part does not change. */
export function close(): void {
  seal = checksum(TABLE, frozenEnd);
}

/** 0, or why there is no run of this many samples. */
@inline
export function refusal(count: i32): i32 {
  if (mostSamples == 0) return DAMAGED;
  return count < 1 || count > mostSamples ? BAD_COUNT : 0;
}

/** Writes the tape for this many samples, which must be allowed; returns its end. */
export function prepare(count: i32): usize {
  const words = tapes + (count == 1 ? 8 : 20);
  const from = <usize>load<u32>(words);
  const end = <usize>load<u32>(words, 4);
  memory.copy(tape, from, end - from);
  const patches = <usize>load<u32>(words, 8);
  for (let p = end; p < patches; p += 8) {
    const at = tape + <usize>load<u32>(p);
    store<u32>(at, load<u32>(at) + load<u32>(p, 4) * count);
  }
  return tape + end - from;
}

/** Where the tape of a run begins. */
@inline
export function tapeBegin(): usize {
  return tape;
}

/** Version of everything that is exported; see docs/ABI.md. */
export function abi_version(): i32 {
  return 2;
}

/** Most samples of one run; 0 if the module is damaged. */
export function max_batch(): i32 {
  return mostSamples;
}

/** How many inputs there are. */
export function inputs(): i32 {
  return inputCount;
}

/** How many outputs there are. */
export function outputs(): i32 {
  return tensorCount - inputCount;
}

/** Where a run's samples of an input are written to, one after the other; 0 for an input that there is not. */
export function input(index: i32): i32 {
  return word(index, 0, inputCount, 0);
}

/** Where a run leaves its results of an output. */
export function output(index: i32): i32 {
  return word(index, inputCount, tensorCount, 0);
}

/** Bytes of one sample of an input. */
export function input_bytes(index: i32): i32 {
  return word(index, 0, inputCount, 4);
}

/** Bytes of one sample's result. */
export function output_bytes(index: i32): i32 {
  return word(index, inputCount, tensorCount, 4);
}

/** Where the name of a tensor lies, UTF-8 up to a zero; inputs are tensors 0 and on, outputs follow them. */
export function name(tensor: i32): i32 {
  return word(tensor, 0, tensorCount, 8);
}

/** A fact about a tensor, or about the module itself (-1); NaN for what there is not. */
export function query(tensor: i32, field: i32): f64 {
  if (tensor == -1 && field == 0 && mostSamples) return tapes == RELAXED_TAPES ? 1 : 0;
  if (tensor < 0 || tensor >= tensorCount || field < 0 || field >= FIELDS) return NaN;
  const at = tensors + <usize>tensor * TENSOR_BYTES + FACTS;
  if (field >= 4 + <i32>load<f64>(at, 8)) return NaN;
  return load<f64>(at + (<usize>field << 3));
}

/** A word of the tensor `index` places behind `first`; 0 where that is none before `end`. */
@inline
function word(index: i32, first: i32, end: i32, offset: usize): i32 {
  if (index < 0 || index >= end - first) return 0;
  return load<i32>(tensors + <usize>(first + index) * TENSOR_BYTES + offset);
}

/** 0 if everything that is frozen is as it was when the module was made. */
export function verify(): i32 {
  return mostSamples > 0 && checksum(TABLE, frozenEnd) == seal ? 0 : DAMAGED;
}
