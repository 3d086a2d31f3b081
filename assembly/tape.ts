import { activation, activationBackward } from './activation';
import { fillConstants } from './constants';
import { dropout } from './dropout';
import { binary, cast, fill, scale } from './elementwise';
import { gather, gatherBackward, stridedCopy } from './layout';
import { crossEntropy, crossEntropyBackward, loss, lossBackward } from './loss';
import { matmul, packB } from './matmul/matmul';
import { matmulI8, packI8, probeDot } from './matmul/matmul-i8';
import * as op from './opcodes';
import { adam, sgd } from './optimizer';
import { probeTile } from './probe';
import { activationI8, dequantize, quantize } from './quantize';
import { argmax, globalNorm, maxBackward, reduce } from './reduce';
import { logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from './softmax';
import { takePlace } from './spare';
import { BEGIN, barrier, END, jobDone, nextJob, THREADS } from './threads';

/**
 * Walks the records from `begin` to `end`: [opcode, length in words, arguments ...], one after the other. All threads
 * walk the same records, each does its own share of every one, and none goes on before all are done with it. `control`
 * is the block of threads.ts, unused by a single thread. Returns 0 when done, or the record to go on from where a
 * barrier took longer than `patience` (see there).
 */
export function run(begin: usize, end: usize, thread: i32, threads: i32, control: usize, patience: i32): usize {
  fillConstants();
  takePlace(thread, threads);
  for (let at = begin; at < end; ) {
    // Read before the barrier: once all have arrived, the caller may overwrite the tape.
    const next = at + (<usize>load<u32>(at, 4) << 2);
    step(load<u32>(at), at + 8, thread, threads);
    if (threads > 1 && !barrier(control, threads, patience)) return next;
    at = next;
  }
  return 0;
}

/** What a thread of a pool does all its life: waits for a job, does its share, and so on until told to stop. */
export function serve(control: usize, thread: i32): void {
  for (let job = 0; ; ) {
    job = nextJob(control, job);
    const threads = load<i32>(control, THREADS);
    if (threads == 0) return;
    run(load<u32>(control, BEGIN), load<u32>(control, END), thread, threads, control, -1);
    if (thread == 0) jobDone(control, job);
  }
}

function step(opcode: u32, a: usize, thread: i32, threads: i32): void {
  switch (opcode) {
    case op.MATMUL: return matmul(a, thread, threads);
    case op.MATMUL_I8: return matmulI8(a, thread, threads);
    case op.PACK: return packB(a, thread, threads);
    case op.PACK_I8: return packI8(a, thread, threads);
    case op.BINARY: return binary(a, thread, threads);
    case op.STRIDED_COPY: return stridedCopy(a, thread, threads);
    case op.FILL: return fill(a, thread, threads);
    case op.CAST: return cast(a, thread, threads);
    case op.SCALE: return scale(a, thread, threads);
    case op.ACTIVATION: return activation(a, thread, threads);
    case op.ACTIVATION_BACKWARD: return activationBackward(a, thread, threads);
    case op.REDUCE: return reduce(a, thread, threads);
    case op.MAX_BACKWARD: return maxBackward(a, thread, threads);
    case op.ARGMAX: return argmax(a, thread, threads);
    case op.GLOBAL_NORM: return globalNorm(a, thread, threads);
    case op.GATHER: return gather(a, thread, threads);
    case op.GATHER_BACKWARD: return gatherBackward(a, thread, threads);
    case op.SOFTMAX: return softmax(a, thread, threads);
    case op.SOFTMAX_BACKWARD: return softmaxBackward(a, thread, threads);
    case op.LOG_SOFTMAX: return logSoftmax(a, thread, threads);
    case op.LOG_SOFTMAX_BACKWARD: return logSoftmaxBackward(a, thread, threads);
    case op.CROSS_ENTROPY: return crossEntropy(a, thread, threads);
    case op.CROSS_ENTROPY_BACKWARD: return crossEntropyBackward(a, thread, threads);
    case op.LOSS: return loss(a, thread, threads);
    case op.LOSS_BACKWARD: return lossBackward(a, thread, threads);
    case op.DROPOUT: return dropout(a, thread, threads);
    case op.SGD: return sgd(a, thread, threads);
    case op.ADAM: return adam(a, thread, threads);
    case op.QUANTIZE: return quantize(a, thread, threads);
    case op.DEQUANTIZE: return dequantize(a, thread, threads);
    case op.ACTIVATION_I8: return activationI8(a, thread, threads);
    case op.PROBE_DOT: return probeDot(a);
    case op.PROBE_TILE: return probeTile(a);
  }
}
