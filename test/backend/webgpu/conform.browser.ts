/** The conformance cases in a page or in a worker of its own: both load this file, bundled. */

import { type ConformReport, conform } from '../../../conformance/judge/conform.ts';
import { createWebgpuBackend } from '../../../src/backend/webgpu/backend.ts';
import type { OpName } from '../../../src/ops/index.ts';

async function run(only?: OpName[]): Promise<ConformReport> {
  const backend = await createWebgpuBackend({ gpu: navigator.gpu });
  try {
    return await conform(backend, { only });
  } finally {
    backend.dispose();
  }
}

const scope = globalThis as typeof globalThis & { conform?: typeof run };
if (typeof document === 'undefined')
  scope.onmessage = ({ data }: MessageEvent<OpName[] | undefined>) =>
    void run(data).then(
      (report) => scope.postMessage(report),
      (error: Error) => scope.postMessage({ adapter: '', cases: 0, problems: [error.message] }),
    );
else scope.conform = run;
