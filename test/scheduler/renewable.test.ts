import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { BiphaseError } from '../../src/core/errors.ts';
import { Backends } from '../../src/scheduler/choose/backends.ts';
import { Renewable, type Renewal } from '../../src/scheduler/choose/renewable.ts';

const fake = { name: 'fake', description: 'fake', dispose: () => {} } as Backend;
const lost = () => new BiphaseError('worker_lost', 'as planned');

interface Thing {
  readonly number: number;
  gone: boolean;
  dispose(): void;
}

function things(renewal: Partial<Renewal<Thing>> = {}) {
  const made: Thing[] = [];
  const make = async () => {
    const thing: Thing = {
      ...{ number: made.length + 1, gone: false },
      dispose: () => {
        thing.gone = true;
      },
    };
    made.push(thing);
    return thing;
  };
  return { made, renewable: new Renewable(new Backends(fake), fake, { make, ...renewal }) };
}

describe('a renewable thing', () => {
  it('is made when it is first used, and once for all who use it at once', async () => {
    const { made, renewable } = things();
    expect([made.length, renewable.active]).toEqual([0, false]);
    const used = await Promise.all([1, 2, 3].map(() => renewable.use(async ({ number }) => number)));
    expect([used, made.length, renewable.active]).toEqual([[1, 1, 1], 1, true]);
  });

  it('is renewed once for all whose work broke with it, and the work is done again', async () => {
    const { made, renewable } = things();
    const work = async ({ number, gone }: Thing) => {
      await Promise.resolve();
      if (number === 1) throw lost();
      return [number, gone];
    };
    const used = await Promise.all([renewable.use(work), renewable.use(work), renewable.use(work)]);
    expect(used).toEqual([
      [2, false],
      [2, false],
      [2, false],
    ]);
    expect([made.length, made[0].gone, renewable.renewed]).toEqual([2, true, 1]);
  });

  it('any error of one that was replaced under the work means that, and no other', async () => {
    const { renewable } = things();
    const late = renewable.use(async ({ number }) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (number === 1) throw new Error('of the one that is gone');
      return number;
    });
    await renewable.use(async ({ number }) => {
      if (number === 1) throw lost();
    });
    expect(await late).toBe(2);
    const own = new Error('of the work');
    await expect(renewable.use(() => Promise.reject(own))).rejects.toBe(own);
    expect(renewable.renewed).toBe(1);
  });

  it('is not made anew where that is not wanted, nor when it was disposed', async () => {
    const off = things({ mends: false });
    await expect(off.renewable.use(() => Promise.reject(lost()))).rejects.toMatchObject({
      code: 'worker_lost',
    });
    const { made, renewable } = things();
    const under = renewable.use(async () => {
      renewable.dispose();
      throw lost();
    });
    await expect(under).rejects.toMatchObject({ code: 'worker_lost' });
    expect([made.length, made[0].gone, renewable.active]).toEqual([1, true, false]);
  });

  it('disposed while it is restored: what was made is given back', async () => {
    const { made, renewable } = things({
      restore: async () => {
        renewable.dispose();
        throw lost();
      },
    });
    await expect(renewable.use(async () => {})).rejects.toMatchObject({ code: 'worker_lost' });
    expect(made.map(({ gone }) => gone)).toEqual([true]);
    const early = things();
    early.renewable.dispose();
    await expect(early.renewable.use(async () => {})).rejects.toMatchObject({ code: 'disposed' });
    expect(early.made).toEqual([]);
  });

  it('work that always breaks ends after eight more tries; what worked in between begins the count anew', async () => {
    const { made, renewable } = things();
    await expect(renewable.use(() => Promise.reject(lost()))).rejects.toMatchObject({ code: 'worker_lost' });
    expect(made).toHaveLength(9);
    // Whoever asks then begins anew.
    expect([renewable.active, await renewable.use(async ({ number }) => number)]).toEqual([false, 10]);
    for (let i = 0; i < 20; i++) {
      let broken = true;
      await renewable.use(async () => {
        if (broken) {
          broken = false;
          throw lost();
        }
      });
    }
    expect(made.every(({ gone }, i) => gone === i < made.length - 1)).toBe(true);
  });
});
