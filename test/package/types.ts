/** scripts/check-package.ts compiles this against the packed library's types; it is never run. */
import { createEngine, nn } from 'biphase';
import { loadKernels } from 'biphase/kernels';

const engine = await createEngine({ backend: 'auto' });
const text: string = engine.describe();
const model = nn.sequential(nn.linear(2, 2), nn.relu());
const kernels = await loadKernels();

export { kernels, model, text };
