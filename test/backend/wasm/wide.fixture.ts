/**
 * What wide.test.ts looks at, in a process of its own: a V8 flag holds for all of a process.
 * Prints one line of JSON on stderr: V8's threads write what they trace into any line of stdout.
 */
import { strict as assert } from 'node:assert';
import { createWasmBackend } from '../../../src/backend/wasm/backend.ts';
import { differing } from '../../../src/backend/wasm/families.ts';
import { openInstance } from '../../../src/backend/wasm/open.ts';
import { rateTiles, tuneTiles } from '../../../src/backend/wasm/tune.ts';
import { loadKernels } from '../../../src/kernels/index.ts';

const scenarios = {
  /** Narrow code of the same module is there already: the wide one must be another. */
  async wide() {
    const before = await openInstance({ build: 'relaxed' });
    tuneTiles(before.instance, before.heap, before.exact);
    console.log('--- wide from here on');
    const { instance, heap, exact, vectors } = await openInstance({ build: 'relaxed', wide: true });
    const family = differing(instance, heap, exact, 20_000);
    const backend = await createWasmBackend({ build: 'relaxed', wide: true, threads: 2, tiles: 'usual' });
    const kernels = await loadKernels({ build: 'relaxed', wide: true });
    const { wide, whyNotWide } = kernels;
    return { before: before.vectors, vectors, family, description: backend.description, wide, whyNotWide };
  },
  /** A check that finds something wrong: all that is compiled from then on is narrow again, and stays so. */
  async refused() {
    const refuse = () => ({ wide: false, reason: 'a bit differs' }) as const;
    const { instance, heap, exact, vectors } = await openInstance({ build: 'relaxed', wide: true }, refuse);
    const tuned = tuneTiles(instance, heap, exact);
    assert(tuned && rateTiles(instance, heap, tuned));
    const again = await createWasmBackend({ build: 'relaxed', wide: true, threads: 1 });
    return { vectors, description: again.description };
  },
};

const result = await scenarios[process.argv[2] as keyof typeof scenarios]();
console.error(JSON.stringify(result));
process.exit();
