import { readIfThere, writeWhole } from '../../io/file.ts';
import { seal } from '../../io/seal.ts';
import { type Recipe, recipeOf } from '../../plans/recipe.ts';
import {
  type Checkpoint,
  type CheckpointModel,
  checkPosition,
  decodeCheckpoint,
  encodeCheckpoint,
  type FitPosition,
} from './checkpoint.ts';
import type { TrainingCore } from './core.ts';
import type { CheckpointOptions } from './fit-options.ts';

/** What a checkpoint keeps of a fit beside the training. */
export type OfFit = Omit<Checkpoint, 'snapshot'>;

/** Keeps a training in checkpoints, and goes on from them. */
export class Keeper {
  private readonly core: TrainingCore;
  private recipe: Recipe | undefined;

  constructor(core: TrainingCore) {
    this.core = core;
  }

  /** The bytes of a checkpoint. */
  async encode(fit: OfFit = { position: undefined }): Promise<Uint8Array<ArrayBuffer>> {
    const { core } = this;
    const model = await this.model();
    // In its turn, so that no step comes between the parts of the state.
    const file = await core.lanes
      .upkeep(async () => encodeCheckpoint({ ...fit, snapshot: await core.stepper.state() }, model))
      .catch(async (error) => {
        throw await core.explained(error);
      });
    await seal(file);
    return file;
  }

  async write(path: string, fit?: OfFit): Promise<void> {
    const start = performance.now();
    await writeWhole(path, await this.encode(fit));
    const { checkpoints } = this.core.stepper.meter;
    checkpoints.written++;
    checkpoints.ms += performance.now() - start;
  }

  async decode(file: Uint8Array): Promise<Checkpoint> {
    return decodeCheckpoint(file, await this.model());
  }

  /**
   * Steps that a fit has made where it begins: 0, or what its checkpoint says. Then all that the fit is goes on from there (by `goTo`), and
   * the training from where its steps led: early stopping may have left it elsewhere, at its best.
   */
  async begin(
    options: CheckpointOptions | undefined,
    where: Omit<FitPosition, 'done'>,
    goTo: (found: Checkpoint & { readonly position: FitPosition }) => Promise<void>,
  ): Promise<number> {
    const file = options?.resume ? await readIfThere(options.path) : undefined;
    if (!file) return 0;
    const found = await this.decode(file);
    const position = checkPosition(found.position, where);
    await goTo({ ...found, position });
    const { stopping, snapshot } = found;
    await this.core.stepper.restore((stopping?.left && stopping.other) || snapshot);
    return position.done;
  }

  private async model(): Promise<CheckpointModel> {
    const { core } = this;
    const { optimizer, seed = 0 } = core.options;
    const { train } = await core.prepared('a checkpoint');
    this.recipe ??= recipeOf(core.model, core.signature('a checkpoint'), core.options);
    return { train, optimizer, seed, recipe: this.recipe };
  }
}
