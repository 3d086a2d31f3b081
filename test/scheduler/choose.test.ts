import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import { BiphaseError } from '../../src/core/errors.ts';
import { choose, type Probe, type Provider } from '../../src/scheduler/choose/choose.ts';

const provider = (name: Provider['name'], probe: Probe): Provider => ({
  name,
  probe: async () => probe,
  create: async () => new ReferenceBackend(),
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

  it('goes on to the next where the first cannot be made after all, and says why', async () => {
    const broken = { ...provider('wasm', here()), create: () => Promise.reject(new TypeError('no room')) };
    const choice = await choose([broken, provider('webgpu', here())], 'auto');
    expect(choice.provider.name).toBe('webgpu');
    expect(choice.findings).toMatchObject([
      { name: 'wasm', available: false, chosen: false, text: 'not available: TypeError: no room' },
      { name: 'webgpu', available: true, chosen: true },
    ]);
  });

  it("throws a caller's mistake, whichever backend would serve", async () => {
    const mistake = new BiphaseError('invalid_argument', 'threads is 0');
    const wrong = { ...provider('wasm', here()), create: () => Promise.reject(mistake) };
    await expect(choose([wrong, provider('webgpu', here())], 'auto')).rejects.toBe(mistake);
  });

  it("says 'out_of_memory' where that is why there is none", async () => {
    const full = new BiphaseError('out_of_memory', 'no memory, not even 64 KiB');
    const wasm = { ...provider('wasm', here()), create: () => Promise.reject(full) };
    await expect(choose([wasm, provider('webgpu', gone)], 'auto')).rejects.toMatchObject({
      code: 'out_of_memory',
      message: expect.stringMatching(/not even 64 KiB.*it is gone/),
    });
  });
});
