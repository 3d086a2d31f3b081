import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Lifetime, placeByLiveness } from '../../src/graph/memory.ts';

const lifetime = fc
  .record({ bytes: fc.nat(5000), first: fc.nat(30), length: fc.nat(10) })
  .map(({ bytes, first, length }): Lifetime => ({ bytes, first, last: first + length }));

describe('placing by liveness', () => {
  it('never lets two tensors that live at once share a byte, and aligns every one', () => {
    fc.assert(
      fc.property(fc.array(lifetime, { maxLength: 40 }), (lifetimes) => {
        const { offsets, total } = placeByLiveness(lifetimes, 64);
        lifetimes.forEach((a, i) => {
          expect(offsets[i] % 64).toBe(0);
          expect(offsets[i] + a.bytes).toBeLessThanOrEqual(total);
          lifetimes.forEach((b, j) => {
            if (j <= i || a.last < b.first || b.last < a.first || a.bytes === 0 || b.bytes === 0) return;
            const apart = offsets[i] + a.bytes <= offsets[j] || offsets[j] + b.bytes <= offsets[i];
            expect(apart, `${i} and ${j} overlap`).toBe(true);
          });
        });
      }),
    );
  });

  it('reuses the memory of a chain: two buffers are enough', () => {
    const chain = Array.from({ length: 10 }, (_, i) => ({ bytes: 640, first: i, last: i + 1 }));
    expect(placeByLiveness(chain, 64).total).toBe(1280);
  });

  it('takes no less than the most that lives at once', () => {
    fc.assert(
      fc.property(fc.array(lifetime, { minLength: 1, maxLength: 30 }), (lifetimes) => {
        const { total } = placeByLiveness(lifetimes, 1);
        for (let t = 0; t < 41; t++) {
          const live = lifetimes
            .filter((l) => l.first <= t && t <= l.last)
            .reduce((sum, l) => sum + l.bytes, 0);
          expect(total).toBeGreaterThanOrEqual(live);
        }
      }),
    );
  });

  it('gives each the lowest offset at which it fits, largest first', () => {
    fc.assert(
      fc.property(fc.array(lifetime, { maxLength: 40 }), (lifetimes) => {
        const { offsets } = placeByLiveness(lifetimes, 64);
        const order = lifetimes
          .map((_, i) => i)
          .sort((a, b) => lifetimes[b].bytes - lifetimes[a].bytes || a - b);
        order.forEach((i, place) => {
          const { bytes, first, last } = lifetimes[i];
          const others = order
            .slice(0, place)
            .filter((j) => lifetimes[j].last >= first && lifetimes[j].first <= last)
            .map((j) => [offsets[j], Math.ceil((offsets[j] + lifetimes[j].bytes) / 64) * 64]);
          const free = (at: number) => others.every(([from, to]) => at + bytes <= from || at >= to);
          const candidates = [0, ...others.map(([, to]) => to)].filter(free);
          expect(offsets[i]).toBe(Math.min(...candidates));
        });
      }),
    );
  });
});
