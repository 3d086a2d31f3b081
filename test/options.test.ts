import { describe, expect, it } from 'vitest';
import {
  BiphaseError,
  buildPlan,
  createEngine,
  data,
  exportWasm,
  loadModel,
  nn,
  ops,
  optim,
  saveModel,
  Tracer,
} from '../src/index.ts';
import { loadKernels } from '../src/kernels/index.ts';
import { createEngine as createGpuEngine } from '../src/webgpu.ts';

/** As plain JavaScript calls the library: TypeScript would refuse most of this file. */
// biome-ignore lint/suspicious/noExplicitAny: what is tried here has the wrong types on purpose
type Any = any;

const engine = await createEngine({ backend: 'reference' });
const kernels = await loadKernels({ memoryBytes: 2 ** 22 });
const set = data.fromArrays({
  ...{ input: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), inputShape: [2], target: Int32Array.of(0, 1, 0, 1) },
});
const recipe = { loss: nn.crossEntropy, optimizer: optim.sgd() };
const training = await engine.train(nn.linear(2, 2), recipe);
for await (const _ of training.fit(set, { batchSize: 2 })) break;
const frozen = await training.freeze();
const f32 = (n: number) => new Float32Array(n);
const { tracer, x } = traced();

function traced() {
  const tracer = new Tracer({ training: false });
  return { tracer, x: tracer.input('x', { dtype: 'f32', shape: [2, 2] }) };
}

/** Every function that takes options: how to call it with some, some that it takes, and a name that it has. */
const entries: readonly [name: string, call: (options: Any) => unknown, good: object, known: string][] = [
  ['createEngine', (o) => createEngine(o), { backend: 'reference' }, 'threads'],
  [
    'createEngine of biphase/webgpu',
    (o) => createGpuEngine(o),
    { gpu: { requestAdapter: async () => null } },
    'gpuCache',
  ],
  ['createEngine: tiles', (tiles) => createEngine({ backend: 'reference', tiles }), { f32: [6, 8] }, 'f32'],
  ['createEngine: modules', (modules) => createEngine({ backend: 'reference', modules }), {}, 'relaxed'],
  ['engine.train', (o) => engine.train(nn.linear(2, 2), o), recipe, 'clipNorm'],
  [
    'engine.train: recovery',
    (recovery) => engine.train(nn.linear(2, 2), { ...recipe, recovery }),
    { everySteps: 2 },
    'onRecovery',
  ],
  ['engine.infer', (o) => engine.infer(frozen, o), { batchSize: 2 }, 'batchSize'],
  ['engine.predictor', (o) => engine.predictor(frozen, o), { maxBatch: 2 }, 'maxDelayMs'],
  ['engine.predictor: cache', (cache) => engine.predictor(frozen, { cache }), { maxBytes: 9 }, 'maxBytes'],
  ['engine.quantize', (o) => engine.quantize(frozen, o), { calibration: set }, 'calibration'],
  [
    'engine.quantize: method',
    (method) => engine.quantize(frozen, { calibration: set, method }),
    { method: 'minmax' },
    'percentile',
  ],
  ['training.fit', (o) => training.fit(set, o).next(), { batchSize: 2 }, 'shuffle'],
  [
    'training.fit: checkpoint',
    (checkpoint) => training.fit(set, { batchSize: 2, checkpoint }).next(),
    { path: '/nowhere/at/all', everySteps: 3 },
    'everySteps',
  ],
  ['exportWasm', (o) => exportWasm(frozen, o), { f32: true }, 'maxBatch'],
  [
    'exportWasm: byteInput',
    (byteInput) => exportWasm(frozen, { f32: true, byteInput }),
    { scale: 1, shift: 0 },
    'shift',
  ],
  ['saveModel', (o) => saveModel(frozen, o), { notes: { a: 'b' } }, 'notes'],
  ['loadModel', async (o) => loadModel(await saveModel(frozen), o), { input: [2] }, 'model'],
  [
    'data.fromArrays',
    data.fromArrays as Any,
    { input: f32(2), inputShape: [2], target: f32(1) },
    'targetShape',
  ],
  [
    'data.fromArrays: transform',
    (transform) => data.fromArrays({ input: f32(2), inputShape: [2], target: f32(1), transform }),
    { scale: 1, shift: 0 },
    'scale',
  ],
  ['data.split', (o) => data.split(4, 0.5, o), { seed: 1 }, 'seed'],
  ['data.batchOrder', (o) => data.batchOrder(3, o), { seed: 1, epoch: 0, shuffle: true }, 'epoch'],
  ['optim.sgd', optim.sgd, { lr: 1 }, 'weightDecay'],
  ['optim.adam', optim.adam, { betas: [0.5, 0.5] }, 'weightDecay'],
  ['optim.adamw', optim.adamw, { lr: () => 1 }, 'betas'],
  ['optim.nadam', optim.nadam, { momentumDecay: 0.1 }, 'betas'],
  ['optim.rmsprop', optim.rmsprop, { alpha: 0.9 }, 'momentum'],
  ['optim.adagrad', optim.adagrad, { lrDecay: 0.1 }, 'initialAccumulatorValue'],
  ['optim.adadelta', optim.adadelta, { rho: 0.8 }, 'weightDecay'],
  ['optim.lion', optim.lion, { lr: 1e-3 }, 'betas'],
  ['optim.lamb', optim.lamb, { eps: 0.1 }, 'betas'],
  ['optim.adamw: groups', (group) => optim.adamw({ groups: [group] }), { match: 'x', lr: 1 }, 'frozen'],
  ['optim.cosine', optim.cosine, { lr: 1, total: 2 }, 'warmup'],
  ['optim.cosineRestarts', optim.cosineRestarts, { lr: 1, t0: 2 }, 'etaMin'],
  ['optim.constant', optim.constant, { lr: 1 }, 'totalIters'],
  ['optim.linear', optim.linear, { lr: 1 }, 'startFactor'],
  ['optim.step', optim.step, { lr: 1, stepSize: 2 }, 'gamma'],
  ['optim.multiStep', optim.multiStep, { lr: 1, milestones: [2] }, 'gamma'],
  ['optim.exponential', optim.exponential, { lr: 1, gamma: 0.5 }, 'gamma'],
  ['optim.polynomial', optim.polynomial, { lr: 1 }, 'power'],
  ['optim.oneCycle', optim.oneCycle, { maxLr: 1, totalSteps: 5 }, 'divFactor'],
  ['optim.cyclic', optim.cyclic, { baseLr: 0, maxLr: 1 }, 'stepSizeUp'],
  ['optim.reduceOnPlateau', optim.reduceOnPlateau, { lr: 1 }, 'patience'],
  ['optim.sequence', optim.sequence, { schedules: [() => 1], milestones: [] }, 'milestones'],
  [
    'engine.train: average',
    (average) => engine.train(nn.linear(2, 2), { ...recipe, average }),
    { decay: 0.9 },
    'start',
  ],
  ['training.freeze', (o) => training.freeze(o), { average: false }, 'average'],
  ['nn.linear', (o) => nn.linear(2, 2, o), { bias: false }, 'bias'],
  ['nn.mseLoss', nn.mseLoss, { reduction: 'sum' }, 'reduction'],
  ['nn.marginRankingLoss', nn.marginRankingLoss, { margin: 1 }, 'margin'],
  ['nn.cosineEmbeddingLoss', nn.cosineEmbeddingLoss, { margin: 0.5 }, 'margin'],
  ['nn.tripletMarginLoss', nn.tripletMarginLoss, { swap: true }, 'margin'],
  ['nn.l1Loss', nn.l1Loss, { reduction: 'none' }, 'reduction'],
  ['nn.smoothL1Loss', nn.smoothL1Loss, { beta: 0 }, 'beta'],
  ['nn.softMarginLoss', nn.softMarginLoss, {}, 'reduction'],
  ['nn.hingeEmbeddingLoss', nn.hingeEmbeddingLoss, { margin: 2 }, 'margin'],
  ['nn.klDivLoss', nn.klDivLoss, { reduction: 'batchmean' }, 'logTarget'],
  ['nn.poissonNllLoss', nn.poissonNllLoss, { logInput: false }, 'logInput'],
  ['nn.bceLoss', nn.bceLoss, { weight: [1, 2] }, 'weight'],
  ['nn.nllLoss', nn.nllLoss, { ignoreIndex: -1 }, 'ignoreIndex'],
  ['nn.multiLabelSoftMarginLoss', nn.multiLabelSoftMarginLoss, { weight: 2 }, 'weight'],
  ['nn.sigmoidFocalLoss', nn.sigmoidFocalLoss, { alpha: -1 }, 'gamma'],
  ['nn.bceWithLogitsLoss', nn.bceWithLogitsLoss, {}, 'reduction'],
  ['nn.crossEntropyLoss', nn.crossEntropyLoss, { reduction: 'mean' }, 'labelSmoothing'],
  ['nn.huberLoss', nn.huberLoss, { delta: 2 }, 'delta'],
  ['ops.matmul', (o) => ops.matmul(x, x, o), { transposeB: true }, 'transposeA'],
  ['ops.sum', (o) => ops.sum(x, o), { axes: [0, -1] }, 'keepDims'],
  ['ops.max', (o) => ops.max(x, o), { axes: 1 }, 'axes'],
  ['ops.mean', (o) => ops.mean(x, o), { keepDims: true }, 'axes'],
  ['ops.slice', (o) => ops.slice(x, [0], [1], o), { steps: [1, 1] }, 'steps'],
  ['Tracer', (o) => new Tracer(o), { training: true }, 'training'],
  ['buildPlan', (o) => buildPlan(tracer.graph, o), { name: 'it' }, 'optimize'],
  ['loadKernels', loadKernels, { memoryBytes: 2 ** 22 }, 'memoryBytes'],
  ['kernels.matmul', (o) => kernels.matmul(f32(1), f32(1), f32(1), o), { m: 1, n: 1, k: 1 }, 'transposeA'],
  ['kernels.packWeights', (o) => kernels.packWeights(new Int8Array(1), o), { n: 1, k: 1 }, 'k'],
  [
    'kernels.matmulInt8',
    (o) =>
      kernels.matmulInt8(
        new Uint8Array(1),
        kernels.packWeights(new Int8Array(1), { n: 1, k: 1 }),
        new Uint8Array(1),
        o,
      ),
    { m: 1, bias: new Int32Array(1), multiplier: new Int32Array(1), shift: 20 },
    'zeroPoint',
  ],
  ['kernels.activation', (o) => kernels.activation('elu', f32(1), f32(1), o), { alpha: 2 }, 'alpha'],
  ['kernels.softmax', (o) => kernels.softmax(f32(1), f32(1), o), { rows: 1, n: 1 }, 'rows'],
  [
    'kernels.quantize',
    (o) => kernels.quantize(f32(1), new Uint8Array(1), o),
    { scale: 1, zeroPoint: 0 },
    'scale',
  ],
  [
    'kernels.dequantize',
    (o) => kernels.dequantize(new Uint8Array(1), f32(1), o),
    { scale: 1, zeroPoint: 0 },
    'scale',
  ],
];

async function errorOf(run: () => unknown): Promise<BiphaseError | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(BiphaseError);
    return error as BiphaseError;
  }
}

/** Two letters exchanged, or one doubled where there is no second. */
const misspelt = (name: string) => (name.length > 1 ? `${name[1]}${name[0]}${name.slice(2)}` : name + name);

describe.each(entries)('%s', (_, call, good, known) => {
  it('names what was meant by a name that it does not have', async () => {
    for (const wrong of [misspelt(known), known.toUpperCase()].filter((n) => !(n in good) && n !== known)) {
      const error = await errorOf(() => call({ ...good, [wrong]: 1 }));
      expect(error?.code, wrong).toBe('invalid_argument');
      expect(error?.message, wrong).toContain(`'${wrong}'`);
      expect(error?.message, wrong).toContain(`did you mean '${known}'?`);
    }
    for (const wrong of ['constructor', 'toString', '__proto__', 'quite another thing']) {
      const options = Object.defineProperty({ ...good }, wrong, { value: 1, enumerable: true });
      expect((await errorOf(() => call(options)))?.message).toContain(`unknown option '${wrong}'`);
    }
  });

  it('takes nothing but an object for its options', async () => {
    for (const wrong of [null, 3, 'fast', [], [good], f32(1)]) {
      const error = await errorOf(() => call(wrong));
      expect(error?.code, String(wrong)).toBe('invalid_argument');
    }
  });

  it('takes frozen objects, objects without a prototype, of a class, with defaults behind them', async () => {
    class Options {}
    for (const [name, value] of Object.entries(good))
      Object.defineProperty(Options.prototype, name, { get: () => value, enumerable: false });
    const kinds = [
      good,
      Object.freeze({ ...good }),
      Object.assign(Object.create(null), good),
      new Options(),
      Object.create(good),
      { ...good, ...(known in good ? {} : { [known]: undefined }) },
    ];
    for (const options of kinds) {
      const error = await errorOf(() => call(options));
      // Some have no GPU or no file to do more with; what they were given is not the reason.
      expect(['invalid_argument', 'unknown']).not.toContain(error?.code);
    }
  });
});

describe('arguments that stand by themselves', () => {
  it.each([
    ['a slope', (x: Any) => nn.leakyRelu(x), /leakyRelu: slope is .*, expected a finite number/],
    ['an alpha', (x: Any) => nn.elu(x), /elu: alpha is .*, expected a finite number/],
    ['a share', (x: Any) => nn.dropout(x), /dropout: p is .*, expected a finite number/],
    ['an approximation', (x: Any) => nn.gelu(x), /gelu: approximate is .*, expected 'none' or 'tanh'/],
  ])('are checked by kind: %s', async (_, make, message) => {
    for (const wrong of ['0.5', { p: 0.5 }, null, Number.NaN, [0.5]]) {
      const error = await errorOf(() => make(wrong));
      expect(error?.code, String(wrong)).toBe('invalid_argument');
      expect(error?.message).toMatch(message);
    }
    make(undefined);
  });
});
