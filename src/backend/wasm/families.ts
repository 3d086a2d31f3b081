import { allocate, type DType, viewOf } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import type { TensorRef } from '../../graph/plan.ts';
import { type OpName, opOf } from '../../ops/index.ts';
import { kernelOf } from './kernels/index.ts';
import type { WasmInstance } from './load.ts';
import type { WasmHeap } from './memory.ts';
import { encode } from './tape.ts';
import { type Tiles, usualTiles } from './tiles.ts';

/**
 * Checks code that V8 has optimized against the code that it runs at first. That one is translated instruction by instruction and
 * joins nothing, so what it computes is what narrow vectors give on this very machine, and the optimized code must give the same
 * bits.
 */

type Family = readonly [op: OpName, inputs: readonly (readonly [DType, ...number[]])[], attrs?: object];

/** Elements: many pairs of vectors, a vector, and a rest; so few that the first looks are over before V8 optimizes anything. */
const N = 199;
const ONE: readonly [DType, ...number[]] = ['f32', N];
const activations = [
  ['relu'],
  ['leaky_relu', { slope: 0.1 }],
  ['elu', { alpha: 1.5 }],
  ['gelu', { approximate: 'none' }],
  ['gelu', { approximate: 'tanh' }],
  ['silu'],
  ['sigmoid'],
  ['tanh'],
  ['softplus'],
  ['hardswish'],
  ['mish'],
] as const;
const functions = ['sign', 'round', 'rsqrt', 'exp', 'expm1', 'log', 'log1p', 'erf', 'sin', 'sinh'] as const;
const linear = { transposeA: false, transposeB: false };
const quant = { scale: 1 / 64, zeroPoint: 100 };
const adam = { beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.01 };
const product = { shift: 35, zeroPoint: 9, min: 0, max: 255 };

/** A case of each family of kernels. */
const families: readonly Family[] = [
  ...functions.map((name): Family => [name, [ONE]]),
  ...(['maximum', 'pow', 'lt'] as const).map((name): Family => [name, [ONE, ONE]]),
  ['where', [['u8', N], ONE, ONE]],
  ...activations.flatMap(([name, attrs = {}]): Family[] => [
    [name, [ONE], attrs],
    [`${name}_backward`, [ONE, ONE], attrs],
  ]),
  ...(['add', 'sub', 'mul', 'div'] as const).map((name): Family => [name, [ONE, ONE]]),
  [
    'add',
    [
      ['f32', 37, 27],
      ['f32', 27],
    ],
  ],
  ['scale', [ONE], { factor: 0.3 }],
  [
    'matmul',
    [
      ['f32', 25, 37],
      ['f32', 37, 45],
      ['f32', 45],
    ],
    { ...linear, activation: { name: 'relu', attrs: {} } },
  ],
  [
    'matmul',
    [
      ['f32', 1, 99],
      ['f32', 45, 99],
    ],
    { transposeA: false, transposeB: true },
  ],
  [
    'matmul',
    [
      ['f32', 1, 99],
      ['f32', 99, 45],
      ['f32', 45],
    ],
    linear,
  ],
  [
    'matmul_i8',
    [
      ['u8', 25, 37],
      ['i8', 45, 37],
      ['i32', 45],
      ['i32', 45],
    ],
    product,
  ],
  [
    'matmul_i8',
    [
      ['u8', 1, 99],
      ['i8', 45, 99],
      ['i32', 45],
      ['i32', 45],
    ],
    product,
  ],
  ['transpose', [['f32', 37, 27]], { perm: [1, 0] }],
  ['sum', [['f32', 37, 27]], { axes: [1] }],
  ['sum', [['f32', 37, 27]], { axes: [0] }],
  ['mean', [['f32', 37, 27]], { axes: [0, 1] }],
  ['max', [['f32', 37, 27]], { axes: [1] }],
  ['softmax', [['f32', 37, 27]]],
  [
    'softmax_backward',
    [
      ['f32', 37, 27],
      ['f32', 37, 27],
    ],
  ],
  ['log_softmax', [['f32', 37, 27]]],
  [
    'log_softmax_backward',
    [
      ['f32', 37, 27],
      ['f32', 37, 27],
    ],
  ],
  [
    'cross_entropy',
    [
      ['f32', 37, 27],
      ['i32', 37],
    ],
    { labelSmoothing: 0.1 },
  ],
  [
    'cross_entropy_backward',
    [
      ['f32', 37],
      ['f32', 37, 27],
      ['i32', 37],
    ],
    { labelSmoothing: 0.1 },
  ],
  ['mse', [ONE, ONE]],
  ['bce_with_logits', [ONE, ONE]],
  ['dropout', [ONE, ['i32', 2]], { p: 0.3, salt: 5 }],
  ['adam', [ONE, ONE, ONE, ONE, ['f32', 4]], adam],
  ['sgd', [ONE, ONE, ONE, ['f32', 4]], { momentum: 0.9, nesterov: true, weightDecay: 0.01 }],
  ['nadam', [ONE, ONE, ONE, ONE, ['f32', 4]], { ...adam, decoupled: true, centered: false }],
  ['quantize', [ONE], { ...quant, dtype: 'u8' }],
  ['dequantize', [['u8', N]], quant],
];

/** Values by type: of both signs and many sizes, targets among the classes, seeds and multipliers. */
const fills: Readonly<Record<DType, (i: number) => number>> = {
  f32: (i) => Math.sin(i * 1.7) * 2 ** (((i * 7) % 9) - 4),
  i32: (i) => (i * 5) % 27,
  u8: (i) => (i * 89 + 7) & 255,
  i8: (i) => ((i * 151 + 3) & 255) - 128,
};

/** In ms, for V8 to optimize everything. */
const PATIENCE = 1000;
/** What optimized code is faster by than the first. */
const JUMP = 1.4;
const TURNS = 3;
const TAPE_BYTES = 4096;

/** One case in memory. */
class Specimen {
  readonly name: string;
  readonly address: number;
  readonly bytes: number;
  first = '';
  slowest = 0;
  fast = false;
  private readonly fill: () => void;
  private readonly tape: readonly [begin: number, end: number];
  private readonly instance: WasmInstance;

  constructor(
    instance: WasmInstance,
    heap: WasmHeap,
    scratch: number,
    tiles: Tiles,
    [op, inputs, attrs = {}]: Family,
  ) {
    this.instance = instance;
    this.name = op;
    let end = 0;
    const place = (dtype: DType, shape: readonly number[]): TensorRef => {
      const ref = { dtype, shape, offset: end, constant: false };
      end += Math.ceil(allocate(dtype, sizeOf(shape)).byteLength / 64) * 64;
      return ref;
    };
    const refs = inputs.map(([dtype, ...shape]) => place(dtype, shape));
    const { infer, inPlace = [] } = opOf(op);
    const outputs = infer(refs, attrs).map(({ dtype, shape }, i) => refs[inPlace[i]] ?? place(dtype, shape));
    const extraAt = end;
    const step = {
      op,
      attrs,
      inputs: refs,
      outputs,
      section: 'forward',
      cost: { flops: 0, bytes: 0 },
    } as const;
    const kernel = kernelOf(op);
    if ('reason' in kernel) throw new Error(kernel.reason);
    const encodeAt = (base: number) => {
      end = extraAt;
      const extra = (bytes: number) => {
        const at = base + end;
        end += Math.ceil(bytes / 64) * 64;
        return at;
      };
      const address = (t: TensorRef) => base + t.offset;
      const scratchPerThread = instance.exports.scratchBytes();
      return encode(
        kernel.encode(step, { ...tiles, address, extra, lend: extra, scratch, scratchPerThread }),
      );
    };
    encodeAt(0);
    const arena = end;
    this.bytes = arena + TAPE_BYTES;
    this.address = heap.allocate(this.bytes, 'checking wide vectors');
    const words = encodeAt(this.address);
    const tape = this.address + arena;
    this.tape = [tape, tape + words.byteLength];
    this.fill = () => {
      const { buffer } = instance.memory;
      new Uint8Array(buffer, this.address, arena).fill(0);
      new Uint32Array(buffer, tape, words.length).set(words);
      for (const { dtype, shape, offset } of refs) {
        const view = viewOf(dtype, buffer, this.address + offset, sizeOf(shape));
        for (let i = 0; i < view.length; i++) view[i] = fills[dtype](i);
      }
    };
  }

  /** All of its memory after one run over the same values. */
  result(): string {
    this.fill();
    this.instance.exports.run(...this.tape, 0, 1, 0, 0);
    const bytes = new Uint8Array(this.instance.memory.buffer, this.address, this.bytes);
    return bytes.join();
  }

  /** In ms. */
  time(): number {
    const begin = performance.now();
    for (let i = 0; i < TURNS; i++) this.instance.exports.run(...this.tape, 0, 1, 0, 0);
    return performance.now() - begin;
  }
}

/** What is wrong, in words: a family whose optimized code gave other bits, or that V8 did not optimize in time; else undefined. */
export function differing(
  instance: WasmInstance,
  heap: WasmHeap,
  exact: boolean,
  patience = PATIENCE,
): string | undefined {
  const scratchBytes = instance.exports.scratchBytes();
  const scratch = heap.allocate(scratchBytes, 'checking wide vectors');
  const tiles = usualTiles(instance.build, exact, true);
  const specimens = families.map((family) => new Specimen(instance, heap, scratch, tiles, family));
  try {
    for (const s of specimens) {
      s.first = s.result();
      // The shorter of two: a machine that was busy for a moment would make the first code look slow.
      s.slowest = Math.min(s.time(), s.time());
    }
    const begin = performance.now();
    for (let left = specimens; left.length > 0; left = left.filter((s) => !s.fast)) {
      if (performance.now() - begin > patience) return `V8 did not optimize ${left[0].name} in time`;
      for (const s of left) s.fast = s.time() * JUMP < s.slowest;
    }
    const wrong = specimens.find((s) => s.result() !== s.first);
    return wrong && `${wrong.name} gave other bits`;
  } finally {
    for (const { address, bytes } of specimens) heap.release(address, bytes);
    heap.release(scratch, scratchBytes);
  }
}
