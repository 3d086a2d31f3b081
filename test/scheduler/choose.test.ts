import { describe, expect, it } from 'vitest';
import { choose, type Probe, type Provider } from '../../src/scheduler/choose.ts';

const provider = (name: Provider['name'], probe: Probe): Provider => ({
  name,
  probe: async () => probe,
  create: async () => {
    throw new Error('not made here');
  },
});
const here = (more = {}): Probe => ({ available: true, description: 'here', ...more });
const gone: Probe = { available: false, reason: 'it is gone' };
const all = (wasm: Probe, webgpu: Probe) => [
  provider('wasm', wasm),
  provider('webgpu', webgpu),
  provider('reference', here()),
];

describe('choosing a backend', () => {
  it.each([
    [here(), here(), 'wasm'],
    [gone, here(), 'webgpu'],
  ])('auto takes the first that is there', async (wasm, webgpu, name) => {
    expect((await choose(all(wasm, webgpu), 'auto')).provider.name).toBe(name);
  });

  it('auto never takes a software GPU or the reference, and says so', async () => {
    await expect(choose(all(gone, here({ software: true })), 'auto')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /wasm: not available: it is gone.*webgpu: .*simulated on the CPU.*reference: .*check the others/,
      ),
    });
  });

  it('takes what was asked for, a software GPU too, or says why not', async () => {
    expect((await choose(all(here(), here({ software: true })), 'webgpu')).provider.name).toBe('webgpu');
    expect((await choose(all(here(), gone), 'reference')).provider.name).toBe('reference');
    await expect(choose(all(here(), gone), 'webgpu')).rejects.toMatchObject({
      code: 'unavailable',
      message: /it is gone/,
    });
  });

  it('gives a reason for every backend it looked at', async () => {
    const { findings } = await choose(all(here(), gone), 'auto');
    expect(findings.map((f) => [f.name, f.chosen, f.available])).toEqual([
      ['wasm', true, true],
      ['webgpu', false, false],
      ['reference', false, true],
    ]);
    for (const f of findings) expect(f.text).toMatch(/chosen|not available: it is gone/);
  });
});
