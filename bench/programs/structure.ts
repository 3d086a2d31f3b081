/**
 * What the WebGPU backend submits for one step of a model, counted from its recording: no device is needed and nothing
 * is timed.    tsx bench/programs/structure.ts [--software]
 */
import { pathToFileURL } from 'node:url';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import { constantsApart } from '../../src/backend/webgpu/apart.ts';
import { encodePlan } from '../../src/backend/webgpu/encode.ts';
import { candidatesFor } from '../../src/backend/webgpu/products.ts';
import { ARGS_STRIDE } from '../../src/backend/webgpu/record.ts';
import { weightBytes } from '../../src/backend/webgpu/weights.ts';
import { Random } from '../../src/core/random.ts';
import type { Plan, Step } from '../../src/graph/plan.ts';
import * as nn from '../../src/nn/index.ts';
import { productOf } from '../../src/ops/index.ts';
import * as optim from '../../src/optim/index.ts';
import { trainPlan } from '../../src/plans/train.ts';
import { quantizedPlan } from '../../src/quantize/quantize.ts';
import { Engine } from '../../src/scheduler/engine.ts';

export interface KernelRow {
  readonly section: string;
  readonly kernel: string;
  readonly shapes: string;
  readonly dispatches: number;
  readonly workgroups: number;
  readonly flops: number;
  readonly bytes: number;
}

export interface Structure {
  readonly name: string;
  readonly dispatches: number;
  readonly submits: number;
  /** Bytes on the device for the life of the program. */
  readonly allocated: number;
  /** Bytes that the kernels' operands and results come to in one step, each counted once a kernel. */
  readonly moved: number;
  readonly flops: number;
  readonly rows: readonly KernelRow[];
}

/** A plan's recording, with the configurations that a device takes before anything is timed. */
export function structureOf(
  given: Plan,
  name: string,
  traits = { software: false, packedDot: true },
): Structure {
  const plan = constantsApart([given], given.constants)(given);
  const { steps: run, arenaBytes } = encodePlan(plan, (step) => {
    const product = productOf(step);
    return product && candidatesFor(product, traits)[0];
  });
  const rows = plan.steps.flatMap((step) => {
    const own = run.filter((s) => s.step === step).map((s) => s.dispatch);
    return own.length === 0
      ? []
      : [
          rowOf(
            step,
            own.length,
            own.reduce((sum, d) => sum + d.workgroups, 0),
          ),
        ];
  });
  const total = (key: 'flops' | 'bytes') => rows.reduce((sum, r) => sum + r[key], 0);
  return {
    ...{ name, dispatches: run.length, submits: 1, rows },
    allocated:
      arenaBytes +
      ARGS_STRIDE * run.length +
      run.reduce((sum, { dispatch: { weights } }) => sum + (weights ? weightBytes(weights) : 0), 0),
    ...{ moved: total('bytes'), flops: total('flops') },
  };
}

function rowOf(step: Step, dispatches: number, workgroups: number): KernelRow {
  const shapes = step.inputs.map((t) => `[${t.shape}]`).join(' ');
  const { flops, bytes } = step.cost;
  return { section: step.section, kernel: step.op, shapes, dispatches, workgroups, flops, bytes };
}

const mlp = (...widths: number[]) =>
  nn.sequential(
    ...widths
      .slice(1)
      .flatMap((n, i) => [nn.linear(widths[i], n), ...(i < widths.length - 2 ? [nn.relu()] : [])]),
  );

/** The training step of an MLP with Adam and cross-entropy. */
export function trainingStep(batch: number, ...widths: number[]): Plan {
  const options = { loss: nn.crossEntropy, optimizer: optim.adam() };
  return trainPlan(mlp(...widths), { dtype: 'f32', shape: [widths[0]] }, batch, options).plan;
}

/** The int8 pass of the same MLP. */
export async function int8Pass(batch: number, ...widths: number[]): Promise<Plan> {
  const engine = new Engine(new ReferenceBackend(), { provider: undefined as never, findings: [] });
  const options = { loss: nn.crossEntropy, optimizer: optim.adam(), input: [widths[0]] };
  const frozen = await (await engine.train(mlp(...widths), options)).freeze();
  const random = new Random(5);
  const calibration = Float32Array.from({ length: widths[0] * 4 }, () => random.uniform());
  return quantizedPlan(await engine.quantize(frozen, { calibration }), batch);
}

const mega = (n: number) => (n / 1e6).toFixed(n < 1e7 ? 2 : 0);

/** Tables in Markdown. */
export function showStructure(s: Structure): string {
  const head = `${s.name}: ${s.dispatches} dispatches, ${s.submits} submit; ${mega(s.allocated)} MB allocated, ${mega(s.moved)} MB moved, ${mega(s.flops)} MFLOP, ${(s.flops / s.moved).toFixed(1)} FLOP/byte`;
  const lines = s.rows.map(
    (r) =>
      `| ${r.section} | ${r.kernel} | ${r.shapes} | ${r.dispatches} | ${r.workgroups} | ${mega(r.flops)} | ${mega(r.bytes)} | ${(r.flops / Math.max(1, r.bytes)).toFixed(2)} |`,
  );
  return [
    ...[head, '', '| section | kernel | inputs | dispatches | workgroups | MFLOP | MB | FLOP/byte |'],
    ...['|---|---|---|--:|--:|--:|--:|--:|', ...lines, ''],
  ].join('\n');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const software = process.argv.includes('--software');
  const traits = { software, packedDot: true };
  const large = [784, 1024, 1024, 10];
  console.log(showStructure(structureOf(trainingStep(128, ...large), 'training step, batch 128', traits)));
  console.log(showStructure(structureOf(trainingStep(1024, ...large), 'training step, batch 1024', traits)));
  console.log(showStructure(structureOf(await int8Pass(64, ...large), 'int8 pass, batch 64', traits)));
}
