import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { isTransform, type Transform } from '../data/transform.ts';
import type { AnyFrozen } from '../model/frozen.ts';
import { isLone } from '../model/signature.ts';
import { inferGraph } from '../plans/infer.ts';

export { isTransform, type Transform };

/** What a model's numbers stand for. */
interface Facts {
  readonly labels?: readonly string[];
  readonly normalize?: Transform;
}

/** Class names and normalization as the notes that the command line reads. Throws 'shape_mismatch' where they don't fit the model. */
export function factNotes(frozen: AnyFrozen, { labels, normalize }: Facts): Record<string, string> {
  const notes: Record<string, string> = {};
  if (!labels && !normalize) return notes;
  const graph = inferGraph(frozen, 1);
  if (!isLone('input', frozen.inputs) || !('output' in graph.outputs))
    fail('unsupported', 'saveModel: labels and normalize are for models with one input and one output');
  if (labels) {
    const outputs = sizeOf(graph.tensors[graph.outputs.output].shape);
    if (labels.length !== (outputs === 1 ? 2 : outputs))
      fail('shape_mismatch', `saveModel: got ${labels.length} labels for a model of ${outputs} outputs`);
    notes.task = JSON.stringify(outputs === 1 ? 'binary' : 'classification');
    notes.classes = JSON.stringify(labels);
  }
  if (normalize) notes.transform = JSON.stringify(eachValue(normalize, frozen.inputs.input.shape));
  return notes;
}

/** Means and deviations of channels, the first dimension, for each of their values. */
function eachValue(transform: Transform, shape: readonly number[]): object {
  if ('scale' in transform) return transform;
  const size = sizeOf(shape);
  const spread = (what: string, list: ArrayLike<number>): number[] => {
    if (list.length !== size && list.length !== shape[0])
      fail(
        'shape_mismatch',
        `saveModel: normalize has ${list.length} of ${what}, expected one for each of ${size} values or of ${shape[0]} channels`,
      );
    return Array.from({ length: size }, (_, i) => list[Math.floor((i * list.length) / size)]);
  };
  return { mean: spread('mean', transform.mean), deviation: spread('deviation', transform.deviation) };
}

/** What notes say of these; other notes, of whoever wrote them, are left alone. */
export function factsIn({ classes, transform }: Readonly<Record<string, string>>): Facts {
  const labels = parsed(classes);
  const normalize = parsed(transform);
  return {
    ...(Array.isArray(labels) && labels.every((x) => typeof x === 'string') && { labels }),
    ...(isTransform(normalize) && { normalize: normalize as Transform }),
  };
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
