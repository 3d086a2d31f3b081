/** The frozen module of any model: every kernel that a forward pass may need. */
import { step } from '../generated/full';
import { close, onceBegin, onceEnd, open, prepare, refusal, tapeBegin } from './runtime';

export * from '../generated/full';
export {
  abi_version, input, input_bytes, inputs, max_batch, name, output, output_bytes, outputs, query, verify,
} from './runtime';

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

open();
walk(onceBegin(), onceEnd());
close();
