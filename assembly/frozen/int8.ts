/** The frozen module of a model that is all integers between its input and its output. */
import { stridedCopy } from '../layout';
import { matmulI8, packI8 } from '../matmul/matmul-i8';
import * as op from '../opcodes';
import { activationI8, dequantize, quantize } from '../quantize';
import { close, onceBegin, onceEnd, open, prepare, refusal, tapeBegin } from './runtime';

export { abi_version, input, input_bytes, max_batch, output, output_bytes, query, verify } from './runtime';

/** Runs the model on the first `count` samples of the input. 0, or an error: 1 for a bad count, 2 for a damaged module. */
export function run(count: i32): i32 {
  const error = refusal(count);
  if (error) return error;
  walk(tapeBegin(), prepare(count));
  return 0;
}

function walk(at: usize, end: usize): void {
  for (; at < end; at += <usize>load<u32>(at, 4) << 2) step(load<u32>(at), at + 8);
}

function step(opcode: u32, a: usize): void {
  switch (opcode) {
    case op.MATMUL_I8: return matmulI8(a, 0, 1);
    case op.PACK_I8: return packI8(a, 0, 1);
    case op.STRIDED_COPY: return stridedCopy(a, 0, 1);
    case op.QUANTIZE: return quantize(a, 0, 1);
    case op.DEQUANTIZE: return dequantize(a, 0, 1);
    case op.ACTIVATION_I8: return activationI8(a, 0, 1);
    default: unreachable();
  }
}

open();
walk(onceBegin(), onceEnd());
close();
