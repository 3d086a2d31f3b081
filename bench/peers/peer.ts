import type { BenchCase } from '../run/case.ts';

/** Something a peer has made ready: its answer can be had once, and it can be run again and again. */
export interface PeerRun {
  readonly answer: () => Promise<readonly (Float32Array | Uint8Array | Int32Array)[]>;
  readonly run: () => void | Promise<void>;
  readonly dispose: () => void;
}

/** What a peer is to run on: the counterpart of the engine's backend. */
export interface PeerPlace {
  readonly backend: 'wasm' | 'webgpu';
  /** Threads that it may use. */
  readonly threads: number;
  /** With V8's flag for vectors of 256 bits. */
  readonly wide?: boolean;
}

/** Another engine, in its own best configuration. */
export interface Peer {
  /** Threads it really uses. */
  readonly threads: number;
  readonly backend: string;
  /** Undefined where the engine has no such thing. */
  prepare(c: BenchCase): Promise<PeerRun | undefined>;
}

/** An MLP's weights as (out, in) row-major, and its biases, layer by layer. */
export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}
