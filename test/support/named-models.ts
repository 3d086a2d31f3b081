import { data, type Engine, f32, i32, nn, ops, optim, Random, type Tensor, u8 } from '../../src/index.ts';

/** Tokens of a text, and how many different ones there are. */
const [LENGTH, VOCABULARY, WIDTH] = [12, 50, 8];

/** Tells three kinds of texts apart: the mean of the embeddings of the tokens that a mask leaves, then one layer. */
export function classifier() {
  return nn.module(
    { embed: nn.parameter([VOCABULARY, WIDTH], nn.init.normal(0.5)), head: nn.linear(WIDTH, 3) },
    ({ ids, mask }: { ids: Tensor; mask: Tensor }, { embed, head }) => {
      const [batch] = ids.shape;
      const kept = ops.mul(ops.gather(embed, ids), ops.reshape(mask, [batch, LENGTH, 1]));
      const mean = ops.div(ops.sum(kept, { axes: 1 }), ops.sum(mask, { axes: 1, keepDims: true }));
      return head.forward(mean);
    },
  );
}

/** Texts of three kinds, each with tokens of a third of the vocabulary; what the mask hides is any token. */
export function texts(count: number, seed: number) {
  const random = new Random(seed);
  const ids = new Int32Array(count * LENGTH);
  const mask = new Float32Array(count * LENGTH);
  const kinds = Int32Array.from({ length: count }, (_, i) => i % 3);
  for (let i = 0; i < count; i++) {
    const length = 3 + random.int(LENGTH - 3);
    for (let j = 0; j < LENGTH; j++) {
      const at = i * LENGTH + j;
      ids[at] = j < length ? kinds[i] * 16 + random.int(16) : random.int(VOCABULARY);
      mask[at] = +(j < length);
    }
  }
  const set = data.fromArrays({
    inputs: { ids: { values: ids, shape: [LENGTH] }, mask: { values: mask, shape: [LENGTH] } },
    targets: kinds,
  });
  return { inputs: { ids, mask }, kinds, set };
}

export const trainClassifier = (engine: Engine) =>
  engine.train(classifier(), {
    loss: nn.crossEntropy,
    optimizer: optim.adamw({ lr: 0.02 }),
    seed: 3,
    inputs: { ids: i32(LENGTH), mask: f32(LENGTH) },
  });

/** From measurements and an image's bytes to two values, through one layer that both share. */
export function regression() {
  const parts = {
    left: nn.linear(4, 16),
    right: nn.linear(6, 16),
    sum: nn.linear(16, 1),
    gap: nn.linear(16, 2),
  };
  return nn.module(
    parts,
    ({ values, image }: { values: Tensor; image: Tensor }, { left, right, sum, gap }) => {
      const shared = ops.gelu(ops.add(left.forward(values), right.forward(ops.scale(image, 1 / 255))));
      return { sum: sum.forward(shared), gap: gap.forward(shared) };
    },
  );
}

export function measurements(count: number, seed: number) {
  const random = new Random(seed);
  const values = Float32Array.from({ length: count * 4 }, () => random.normal());
  const image = Uint8Array.from({ length: count * 6 }, () => random.int(256));
  const sum = new Float32Array(count);
  const gap = new Float32Array(count * 2);
  for (let i = 0; i < count; i++) {
    sum[i] = values[i * 4] + image[i * 6] / 255;
    gap[i * 2] = values[i * 4 + 1] - values[i * 4 + 2];
    gap[i * 2 + 1] = (image[i * 6 + 1] - image[i * 6 + 2]) / 255;
  }
  const set = data.fromArrays({
    inputs: { values: { values, shape: [4] }, image: { values: image, shape: [6] } },
    targets: { sum: { values: sum, shape: [1] }, gap: { values: gap, shape: [2] } },
  });
  return { inputs: { values, image }, targets: { sum, gap }, set };
}

export const trainRegression = (engine: Engine) =>
  engine.train(regression(), {
    loss: (outputs, targets) => ops.add(nn.mse(outputs.sum, targets.sum), nn.mse(outputs.gap, targets.gap)),
    optimizer: optim.adamw({ lr: 0.02 }),
    seed: 4,
    inputs: { values: f32(4), image: u8(6) },
    targets: { sum: f32(1), gap: f32(2) },
  });
