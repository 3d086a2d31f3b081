import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageOf, networkOrFile, networks } from '../../src/cli/train/networks.ts';
import { encodeNpy } from '../../src/data/npy.ts';
import { nn } from '../../src/index.ts';
import { biphase, temporary, well } from './cli.ts';
import { writeDigits } from './digits.ts';

const { folder, remove } = temporary();
beforeAll(() => writeDigits(folder, 600));
afterAll(remove);

const HOW = ['--backend', 'wasm', '--threads', '1', '--batch', '25', '--epochs', '1', '--lr', '0.003'];

describe('networks for images', () => {
  it('a network of convolutions is trained, quantized and run like any other model', () => {
    well(
      folder,
      'train',
      '--data',
      'images.idx.gz',
      '--labels',
      'labels.idx',
      '--model',
      'cnn',
      ...HOW,
      '-o',
      'cnn.safetensors',
    );
    well(folder, 'quantize', 'cnn.safetensors', '--calibration', 'images.npy', '-o', 'int8.safetensors');
    const accuracy = (model: string) =>
      JSON.parse(well(folder, 'run', model, 'images.npy', '--labels', 'labels.idx', '--json').stdout)
        .accuracy;
    const exact = accuracy('cnn.safetensors');
    expect(exact).toBeGreaterThan(0.7);
    expect(Math.abs(accuracy('int8.safetensors') - exact)).toBeLessThan(0.03);
  });

  it('takes images only, and says what it got', () => {
    writeFileSync(join(folder, 'rows.npy'), encodeNpy(new Float32Array(60), [6, 10]));
    writeFileSync(join(folder, 'of.npy'), encodeNpy(new Int32Array(6), [6]));
    const { code, stderr } = biphase(
      folder,
      'train',
      '--data',
      'rows.npy',
      '--labels',
      'of.npy',
      '--model',
      'resnet-small',
    );
    expect(code).toBe(2);
    expect(stderr).toContain('rows.npy has samples of the shape 10; a network of convolutions takes images');
  });

  it('a typing error in its name is told what there is', () => {
    expect(() => networkOrFile('resnt-small')).toThrow(
      'expected cnn, mobilenet-small, resnet-small or a JSON file',
    );
    expect(['cnn', 'layers.json', './cnn'].map(networkOrFile)).toEqual(['cnn', 'layers.json', './cnn']);
  });

  it.each([
    [[28, 20], { layout: 'NHWC', channels: 1, height: 28, width: 20 }],
    [[8, 9, 3], { layout: 'NHWC', channels: 3, height: 8, width: 9 }],
    [[3, 8, 9], { layout: 'NCHW', channels: 3, height: 8, width: 9 }],
  ])('samples of %j are images', (shape, image) => {
    expect(imageOf(shape, 'x.npy')).toEqual(image);
  });

  it.each(Object.entries(networks))('%s is described by its layers', (_, network) => {
    const model = network({ layout: 'NCHW', channels: 3, height: 17, width: 9 }, 5);
    const names = (m: nn.Module) => [...nn.namedVariables(m)].map(([v, name]) => `${name} ${v.shape}`);
    expect(names(nn.fromSpec(JSON.parse(JSON.stringify(nn.specOf(model)))))).toEqual(names(model));
  });

  it('residual is refused without a body, and with what it has not', () => {
    expect(() => nn.fromSpec({ layer: 'residual' })).toThrow("residual needs 'body'");
    expect(() => nn.fromSpec({ layer: 'residual', body: 'relu', gain: 2 })).toThrow("residual has no 'gain'");
    expect(() => nn.fromSpec({ layer: 'residual', body: 'rule' })).toThrow(
      'the model.body: there is no layer',
    );
  });
});
