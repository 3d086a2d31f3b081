import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { data } from '../../src/index.ts';
import { parseSafetensors, valuesOf } from '../../src/io/safetensors.ts';
import { biphase, temporary } from './cli.ts';

const { folder, remove } = temporary();
const at = (name: string) => join(folder, name);

beforeAll(() => {
  const x = Float32Array.from({ length: 120 }, (_, i) => Math.sin(i));
  const y = Float32Array.from({ length: 30 }, (_, i) => Math.cos(i));
  writeFileSync(at('x.npy'), data.encodeNpy(x, [30, 4]));
  writeFileSync(at('y.npy'), data.encodeNpy(y, [30]));
});
afterAll(remove);

const common = ['train', '--data', 'x.npy', '--labels', 'y.npy', '--loss', 'mse', '--optimizer', 'sgd'];
const small = [
  ...common,
  '--hidden',
  '8',
  '--batch',
  '10',
  '--checkpoint',
  'run.checkpoint',
  '--backend',
  'wasm',
  '--threads',
  '1',
];

describe('a training that diverges', () => {
  it('stops in one line that says where, writes no model and keeps its last finite checkpoint; a smaller rate goes on', () => {
    const run = biphase(folder, ...small, '--lr', '1e6', '--epochs', '50', '--every', '2');
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^biphase: step \d+ \(epoch \d+\) is not finite: .*after step \d+, finite/m);
    expect(run.stderr).not.toMatch(/^ +at /m);
    expect(existsSync(at('model.safetensors'))).toBe(false);
    const { tensors, metadata } = parseSafetensors(new Uint8Array(readFileSync(at('run.checkpoint'))));
    for (const tensor of tensors.values()) expect(valuesOf(tensor).every(Number.isFinite)).toBe(true);
    expect(Number(metadata.step) % 2).toBe(0);

    // What is not the same is refused, and the checkpoint stays for what is.
    const other = biphase(folder, ...small, '--activation', 'tanh', '--resume');
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/of the model was relu when the checkpoint was made, and is tanh now/);
    const scaled = biphase(folder, ...small, '--scale', '0.5', '--resume');
    expect(scaled.stderr).toMatch(
      /the data's inputs are not what they were: .* Use the same files, order, scale/,
    );
    expect(scaled.code).toBe(2);
    expect(existsSync(at('run.checkpoint'))).toBe(true);
  });

  it('goes on when it is told to', () => {
    const run = biphase(
      folder,
      ...common,
      '--hidden',
      '8',
      '--batch',
      '10',
      '--lr',
      '1e6',
      '--epochs',
      '20',
      '--no-terminate-on-nan',
      '-o',
      'nan.safetensors',
    );
    expect(run.stderr).toContain('step 60 of 60');
    // All steps are made, and what came of them is still no model.
    expect(run.stderr).toMatch(/^biphase: .*'\d.(weight|bias)' holds/m);
    expect(run.code).not.toBe(0);
    expect(existsSync(at('nan.safetensors'))).toBe(false);
  });
});
