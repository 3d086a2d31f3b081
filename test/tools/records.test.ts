import { describe, expect, it } from 'vitest';
import type { RecordType } from '../../assembly/records.ts';
import * as encoders from '../../src/generated/records.ts';
import { named } from '../../tools/build/named-records.ts';

const record = (opcode: number, words: RecordType['words']): RecordType => ({
  opcode,
  tier: 'engine',
  words,
});

describe('a declaration of records', () => {
  it.each<[string, Parameters<typeof named>[0], string]>([
    ['two of one number', { a: { p: record(1, {}), q: record(1, {}) } }, 'p and q both have opcode 1'],
    ['two of one name', { a: { p: record(1, {}) }, b: { p: record(2, {}) } }, 'a and b both have a record p'],
    ['a list as long as nothing says', { a: { p: record(1, { dims: 'i32[rank]' }) } }, 'p has no such word'],
    [
      'a word that has no fixed place',
      { a: { p: record(1, { rank: 'i32', dims: 'i32[rank]', x: 'at' }) } },
      'p.x stands after dims',
    ],
  ])('is refused with %s', (_, declared, message) => {
    expect(() => named(declared)).toThrow(message);
  });

  it('gives records with the same words one class, and each its names', () => {
    const words = { x: 'at' } as const;
    const [softmax, logSoftmax] = named({
      rows: { softmax: record(1, words), logSoftmax: record(2, words) },
    });
    expect(softmax).toMatchObject({ type: 'SoftmaxRecord', title: 'SOFTMAX', file: 'rows' });
    expect(logSoftmax).toMatchObject({ type: 'SoftmaxRecord', title: 'LOG_SOFTMAX' });
  });
});

describe('encoders', () => {
  it('write words in their order: floats as such, kinds and flags as numbers, 0 for no tensor', () => {
    expect(encoders.activation({ count: 3, parameter: 0.5, y: 8, x: 4, activation: 'elu' })).toEqual({
      opcode: 9,
      words: [10, 4, 8, 3, { f32: 0.5 }],
    });
    const sgd = {
      p: 4,
      g: 8,
      hyper: 12,
      count: 2,
      maxNorm: 0,
      momentum: 0.9,
      weightDecay: 0,
      nesterov: true,
    };
    const { words } = encoders.sgd(sgd);
    expect(words).toEqual([4, 8, 0, 12, 0, 2, { f32: 0 }, { f32: 0.9 }, { f32: 0 }, 1]);
  });

  it('write lists after their length', () => {
    const copy = { x: 4, y: 8, size: 1, outer: 2, dims: [2, 5], stridesX: [5, 1], stridesY: [1, 2] };
    expect(encoders.stridedCopy(copy).words).toEqual([4, 8, 1, 2, 2, 2, 5, 5, 1, 1, 2]);
  });
});
