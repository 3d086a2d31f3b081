import { fail } from '../../../core/errors.ts';
import { growing, UnevenError } from '../../../graph/growing.ts';
import { PAGE } from '../claim.ts';
import { inflate, loaded, type WasmBuild } from '../load.ts';
import { usualTiles } from '../tiles.ts';
import { FROZEN_ABI, writeFrozen } from './file.ts';
import { checkServable, makeImage, type PlanOf, type ServedTensor } from './image.ts';
import { layersOf, tensorOf, weightBytesOf } from './info.ts';
import { withoutUnused } from './parts.ts';

const file = () => import('../../../generated/frozen.ts');

/** What a frozen file is made from: the plan of a model, for any number of samples, and what its numbers stand for. */
export interface FreezeSource {
  readonly planOf: PlanOf;
  readonly maxBatch: number;
  readonly build: WasmBuild;
  readonly inputs: readonly ServedTensor[];
  readonly outputs: readonly ServedTensor[];
  readonly notes?: Readonly<Record<string, string>>;
}

/** One WebAssembly module with everything that a model needs; the same bytes for the same model and options. */
export async function freezePlans(source: FreezeSource): Promise<Uint8Array<ArrayBuffer>> {
  const { build, maxBatch, inputs, outputs, notes = {} } = source;
  const made = await loaded(file, 'the templates of frozen files');
  const { parts, scratchBytes, templates } = made;
  const { planOf } = growing(source.planOf, { most: maxBatch });
  const plan = planOf(maxBatch);
  if (plan.steps.some((s) => s.section !== 'forward'))
    fail('unsupported', `${plan.name} trains; only forward passes can be frozen`);
  checkServable(plan, maxBatch, [...inputs, ...outputs]);
  const plainTiles = usualTiles(build, false);
  const image = orOneSample(() =>
    makeImage({
      ...{ planOf, most: maxBatch, scratchBytes, inputs, outputs },
      tiles: build === 'relaxed' ? [plainTiles, usualTiles(build, true)] : [plainTiles],
    }),
  );
  const tier = pickTier(parts, image.opcodes, build, plan.name);
  const name = `${tier}-${build}` as const;
  const template = withoutUnused(await inflate(templates[name]), parts[name], image.opcodes);
  return writeFrozen(template, image, {
    ...{ abi: FROZEN_ABI, build, kernels: tier, maxBatch },
    inputs: inputs.map((t) => tensorOf(plan.slots[t.slot], t)),
    outputs: outputs.map((t) => tensorOf(plan.slots[t.slot], t)),
    layers: layersOf(plan, maxBatch),
    weightBytes: weightBytesOf(plan),
    memoryBytes: image.pages * PAGE,
    ...(Object.keys(notes).length > 0 && { notes }),
  });
}

/** Tells who exports a model that does not grow what else there is. */
function orOneSample<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof UnevenError)) throw error;
    return fail(error.code, `${error.message}, or set maxBatch to 1`, { cause: error });
  }
}

/** The smallest template that has every kernel of the tapes. */
function pickTier(
  parts: Readonly<Record<`${'int8' | 'full'}-${WasmBuild}`, Readonly<Record<number, readonly number[]>>>>,
  opcodes: ReadonlySet<number>,
  build: WasmBuild,
  name: string,
): 'int8' | 'full' {
  const lacks = (tier: 'int8' | 'full') => [...opcodes].filter((o) => !parts[`${tier}-${build}`][o]);
  if (lacks('int8').length === 0) return 'int8';
  const missing = lacks('full');
  if (missing.length === 0) return 'full';
  return fail('unsupported', `${name}: frozen modules have no kernel for the records ${missing.join(', ')}`);
}
