import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openFrozen, runFrozen as runInProgram } from '../../../../src/cli/frozen-run.ts';
import { inspect } from '../../../../src/index.ts';
import { runFrozen } from '../../../support/frozen.ts';

/** A file that was frozen when modules had one input and one output without names: 6 bytes to 3 scores, kept as it was. */
const ABI1 = fileURLToPath(new URL('./abi1.wasm', import.meta.url));
/** Of its answers to 13 samples, from the library that froze it. */
const ANSWERS = '3298d78263ac23b64cdfed8428fd8f8a92e2ed911d4956f7313ef2a41c4bb454';

describe('a frozen file of ABI 1', () => {
  const file = new Uint8Array(readFileSync(ABI1));

  it('is described as one of today', () => {
    const info = inspect(file);
    expect(info).toMatchObject({ abi: 1, kernels: 'int8', maxBatch: 4, fileBytes: file.length });
    expect(info.inputs).toEqual([{ name: 'input', dtype: 'u8', shape: [6], scale: 1 / 64, zeroPoint: 128 }]);
    expect([info.input, info.output]).toEqual([info.inputs[0], info.outputs[0]]);
    expect(info.output).toMatchObject({ name: 'output', dtype: 'u8', shape: [3], zeroPoint: 105 });
  });

  it('runs in the program, with what its notes say of its classes', async () => {
    const frozen = openFrozen('abi1.wasm', file);
    const values = Uint8Array.from({ length: 6 * 13 }, (_, i) => (i * 37) % 256);
    const outputs = await runInProgram(frozen, {
      ...{ path: 'x.npy', values, size: 6, count: 13 },
      shape: [6],
      type: 'u8',
      remarks: [],
    });
    expect([outputs.width, frozen.facts.classes]).toEqual([3, ['a', 'b', 'c']]);
    const { scale, zeroPoint } = frozen.info.output;
    const bytes = Uint8Array.from(outputs.values, (x) => Math.round(x / scale) + zeroPoint);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(ANSWERS);
  });

  it('gives the answers that it gave', async () => {
    const samples = Uint8Array.from({ length: 6 * 13 }, (_, i) => (i * 37) % 256);
    const answers = await runFrozen(file, samples, 4);
    expect(createHash('sha256').update(answers).digest('hex')).toBe(ANSWERS);
  });
});
