import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { metrics } from '../../src/node.ts';
import { biphase, temporary, well } from './cli.ts';

const { folder, remove } = temporary();
afterAll(remove);

/** Three kinds by where x and y are, of which one is rare. */
const rows = Array.from({ length: 240 }, (_, i) => {
  const [x, y] = [Math.sin(i * i), Math.cos(3 * i * i)];
  return `${x},${y},${i % 12 === 0 ? 'rare' : x > 0 ? 'right' : 'left'}`;
});
writeFileSync(join(folder, 'kinds.csv'), `x,y,kind\n${rows.join('\n')}\n`);
writeFileSync(join(folder, 'values.csv'), 'x,y\n1.5,2.25\n2.5,3.75\n3.5,4.25\n4.5,5.75\n');
const TRAIN = [
  'train',
  '--backend',
  'wasm',
  '--threads',
  '1',
  '--hidden',
  '8',
  '--batch',
  '16',
  '--data',
  'kinds.csv',
];
const HELD = ['--validation', '0.25'];

describe('biphase train', () => {
  it('measures what it is asked, class by class, balances them, and stops early with the best weights', () => {
    const asked = ['--metrics', 'accuracy,f1', '--early-stopping', '3', '--class-weights', 'balanced'];
    const more = ['--lr', '0.02', '--epochs', '400', '--json', '-o', 'kinds.safetensors'];
    const { stdout, stderr } = well(folder, ...TRAIN, ...HELD, ...asked, ...more);
    const { steps, validation } = JSON.parse(stdout);
    expect(steps).toBeLessThan(400 * 12);
    expect(stderr).toContain(`the best weights are those after step ${steps} of ${steps + 3 * 12}`);
    expect(validation.metrics.accuracy).toBeCloseTo(validation.accuracy, 12);
    expect(validation.classes.map((c: { class: string }) => c.class)).toEqual(['left', 'rare', 'right']);
    const of = (name: string): number[] => validation.classes.map((c: Record<string, number>) => c[name]);
    expect(of('support').reduce((a, b) => a + b, 0)).toBe(validation.of);
    expect(of('f1').reduce((a, b) => a + b, 0) / 3).toBeCloseTo(validation.metrics.f1, 12);
    for (const [i, f1] of of('f1').entries()) {
      const [p, r] = [of('precision')[i], of('recall')[i]];
      expect(p + r === 0 ? 0 : (2 * p * r) / (p + r)).toBeCloseTo(f1, 12);
    }
    const text = well(folder, ...TRAIN, ...HELD, '--metrics', 'f1', '--epochs', '1').stdout;
    expect(text).toMatch(/\nloss \d\.\d{4}, f1 \d\.\d{4}\nclass +precision +recall +f1 +support\nleft +/);
  });

  it.each<[args: string[], message: RegExp]>([
    [
      [...HELD, '--metrics', 'acuracy'],
      /there is no 'acuracy' for classes; there are accuracy, precision, recall, f1$/m,
    ],
    [['--early-stopping', '3'], /--early-stopping needs samples to measure on; .* --validation 0.2/],
    [
      [...HELD, '--data', 'values.csv', '--loss', 'mse', '--class-weights', 'balanced'],
      /--class-weights is for cross-entropy, the loss is mse/,
    ],
  ])('refuses %j before it trains', (args, message) => {
    const { code, stderr } = biphase(folder, ...TRAIN, ...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('step');
  });
});

it('what is named is what the library has', () => {
  for (const name of ['accuracy', 'precision', 'recall', 'f1', 'auc', 'mae', 'mse', 'rmse', 'r2'] as const)
    expect(metrics[name]().name).toBe(name);
});
