import { data, type Engine, nn, optim, Random } from '../../src/index.ts';

/** A training whose checkpoints are about a megabyte, the same in every process; dropout, running statistics and shuffling included. */
export function keptTraining(engine: Engine) {
  const model = nn.sequential(
    nn.linear(256, 256),
    nn.batchNorm1d(256),
    nn.relu(),
    nn.dropout(0.2),
    nn.linear(256, 64),
    nn.gelu(),
    nn.linear(64, 4),
  );
  return engine.train(model, {
    loss: nn.crossEntropy,
    optimizer: optim.adamw({ lr: 1e-3 }),
    seed: 11,
    input: [256],
  });
}

export function keptData(): data.DataSet {
  const random = new Random(2);
  const input = Float32Array.from({ length: 72 * 256 }, () => random.normal());
  return data.fromArrays({
    input,
    inputShape: [256],
    target: Int32Array.from({ length: 72 }, (_, i) => i % 4),
  });
}

export const KEPT = { batchSize: 16, seed: 5, dropLast: true } as const;
/** Steps that a process which nobody kills would make. */
export const ENDLESS = 1e6;
