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
 *     16 most samples of a run     20 input     24 output      28 bytes of one input sample     32 of one output sample
 *     36 48 bytes for the probe    40 where the tape of a run is written    44 0
 *     48 the tapes for dot_i16x8: once, its end; for one sample: tape, its end, end of its patches; for more: the same
 *     80 the tapes for the relaxed dot, the same eight words; zeros in a build without
 *    128 input, then output: dtype, rank, scale, zero point, sizes[8], each an f64
 *
 * A tape is written for 0 samples. Its patches, pairs of u32, say which words grow with the samples of a run, and by how
 * much each: (byte offset into the tape, step).
 */
const HEADER: usize = RESERVED;
const MAGIC: u32 = 0x48504942;
const DOT_TAPES: usize = HEADER + 48;
const RELAXED_TAPES: usize = HEADER + 80;
const TENSORS: usize = HEADER + 128;
const FIELDS: i32 = 12;

const BAD_COUNT = 1;
const DAMAGED = 2;

// Copies of what runs rely on, out of reach of whoever writes into the memory. 0 samples at most: not usable.
let mostSamples: i32 = 0;
let tapes: usize = 0;
let tape: usize = 0;
let frozenEnd: usize = 0;
let seal: u32 = 0;

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
  return 1;
}

/** Most samples of one run; 0 if the module is damaged. */
export function max_batch(): i32 {
  return mostSamples;
}

/** Where the samples of a run are written to, one after the other. */
export function input(): i32 {
  return load<i32>(HEADER, 20);
}

/** Where a run leaves its results. */
export function output(): i32 {
  return load<i32>(HEADER, 24);
}

/** Bytes of one sample. */
export function input_bytes(): i32 {
  return load<i32>(HEADER, 28);
}

/** Bytes of one sample's result. */
export function output_bytes(): i32 {
  return load<i32>(HEADER, 32);
}

/** A fact about the input (tensor 0), the output (1), or the module itself (2); NaN for what there is not. */
export function query(tensor: i32, field: i32): f64 {
  if (tensor == 2 && field == 0) return tapes == RELAXED_TAPES ? 1 : 0;
  if (tensor < 0 || tensor > 1 || field < 0 || field >= FIELDS) return NaN;
  const at = TENSORS + (<usize>(tensor * FIELDS) << 3);
  if (field >= 4 + <i32>load<f64>(at, 8)) return NaN;
  return load<f64>(at + (<usize>field << 3));
}

/** 0 if everything that is frozen is as it was when the module was made. */
export function verify(): i32 {
  return mostSamples > 0 && checksum(TABLE, frozenEnd) == seal ? 0 : DAMAGED;
}
