import { availableParallelism, cpus, totalmem } from 'node:os';
import process from 'node:process';
import { Command } from 'commander';
import { Limits, limitUnits } from '../../../bench/run/limits.ts';
import { type Engine, type Explanation, nn, optim, type Plan, Random } from '../../node.ts';
import { openEngine } from '../engine.ts';
import { backendOption, type Common, jsonOption, threadsOption, wideOption } from '../options.ts';
import { bytes, report, say } from '../print.ts';

const EXAMPLES = `
Examples:
  biphase doctor
  biphase doctor --backend webgpu
  biphase doctor --json | jq .limits`;

export const doctor = () =>
  new Command('doctor')
    .description(
      'Says what this machine and runtime offer, how fast they are, and what would run where, and why.',
    )
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(wideOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(act);

/** The network whose plans are explained. */
const WIDTHS = [784, 256, 128, 10];
const TRAINED = 128;
const SERVED = [1, 64];

async function act({ backend, threads, wide, json }: Common): Promise<void> {
  const engine = await openEngine({ backend, threads, wide });
  try {
    const here = machine();
    const limits = await limitsOf(engine);
    say('measuring ...');
    const plans = await explain(engine);
    // After the work: whether threads can be had shows only then.
    report(json, { ...here, findings: engine.findings, limits, plans: plans.map(plain) }, [
      `${here.runtime}, ${here.processor}, ${here.processors} processors, ${bytes(here.memoryBytes)} of memory`,
      `WebAssembly: ${here.wasm.join(', ')}`,
      '',
      engine.describe(),
      '',
      ...Object.entries(limits).map(
        ([name, rate]) =>
          `limit, one thread: ${name.replace('_', '-')} ${rate.toFixed(0)} ${limitUnits[name as keyof typeof limitUnits]}`,
      ),
      ...plans.flatMap((p) => ['', String(p)]),
    ]);
  } finally {
    engine.dispose();
  }
}

function machine() {
  const { bun, deno, node } = process.versions as NodeJS.ProcessVersions & { bun?: string; deno?: string };
  const runtime = bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node ${node}`;
  return {
    ...{ runtime, processor: cpus()[0]?.model.trim() ?? process.arch, processors: availableParallelism() },
    memoryBytes: totalmem(),
    wasm: [
      WebAssembly.validate(SIMD) ? 'SIMD' : 'no SIMD',
      WebAssembly.validate(RELAXED) ? 'relaxed SIMD' : 'no relaxed SIMD',
      typeof SharedArrayBuffer === 'undefined' ? 'no shared memory' : 'shared memory',
    ],
  };
}

/** Modules of one function: () -> v128, from an instruction with zeros as its operands. */
const moduleOf = (...body: number[]) =>
  Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0],
    ...[10, body.length + 4, 1, body.length + 2, 0, ...body, 0x0b],
  );
/** i32.const 0, i8x16.splat */
const zeros = [0x41, 0, 0xfd, 0x0f];
const SIMD = moduleOf(...zeros);
/** i8x16.relaxed_swizzle */
const RELAXED = moduleOf(...zeros, ...zeros, 0xfd, 0x80, 2);

/** What one thread does at best in the wasm backend's build; nothing for other backends. */
async function limitsOf({ backend }: Engine): Promise<Record<string, number>> {
  if (backend.name !== 'wasm') return {};
  const limits = await Limits.of(backend, 1);
  const best = (name: keyof typeof limitUnits) =>
    Math.max(...Array.from({ length: 5 }, () => limits.measure(name)));
  return { multiply_add: best('multiply_add'), dot: best('dot'), copy: best('copy') };
}

/** What a training step and int8 passes take here. */
async function explain(engine: Engine): Promise<Explanation[]> {
  const random = new Random(1);
  const samples = Float32Array.from({ length: TRAINED * WIDTHS[0] }, () => random.uniform());
  const labels = Int32Array.from({ length: TRAINED }, () => random.int(10));
  const layers = WIDTHS.slice(1).flatMap((n, i) => [nn.linear(WIDTHS[i], n), ...(i < 2 ? [nn.relu()] : [])]);
  const options = { loss: nn.crossEntropy, optimizer: optim.adamw(), input: [WIDTHS[0]], seed: 1 };
  const training = await engine.train(nn.sequential(...layers), options);
  await training.stepOn(samples, labels, TRAINED);
  const plans: Plan[] = [training.plan!];
  const int8 = await engine.quantize(await training.freeze(), { calibration: samples });
  for (const batchSize of SERVED) {
    const infer = await engine.infer(int8, { batchSize });
    plans.push(infer.plan);
    infer.dispose();
  }
  const explained: Explanation[] = [];
  for (const plan of plans) explained.push(await engine.explain(plan));
  training.dispose();
  return explained;
}

const plain = ({ plan, flops, bytes, backends }: Explanation) => ({ plan, flops, bytes, backends });
