import { fail } from '../../core/errors.ts';
import type { Observation } from '../../optim/rate.ts';
import type { TrainPlan } from '../../plans/train.ts';

/** Parameters that are updated alike, and how. */
interface StoredGroup {
  readonly parameters: readonly string[];
  readonly attrs: object;
}

/** The groups of an optimizer, as checkpoints keep them. */
export const groupsOf = ({ update }: TrainPlan): string =>
  JSON.stringify(
    update.groups.map(
      ({ optimizer, parameters }): StoredGroup => ({
        parameters: parameters.map(({ name }) => name),
        attrs: optimizer.attrs,
      }),
    ),
  );

/** What differs first between the groups of a checkpoint and those of a training: what it is, and how it is in each. */
export function otherGroups(
  saved: string | undefined,
  now: string | undefined,
): (readonly [what: string, saved: string, now: string])[] {
  if (saved === now) return [];
  const given = (text: string | undefined) => (text === undefined ? 'none' : 'given');
  if (saved === undefined || now === undefined)
    return [["the optimizer's grouping of parameters", given(saved), given(now)]];
  const [before, after] = [byParameter(saved), byParameter(now)];
  return [...after.keys(), ...before.keys()].flatMap((name) => {
    const [a, b] = [before, after].map((groups) => groups.get(name) ?? 'none: it is frozen');
    return a === b ? [] : [[`the optimizer's group of '${name}'`, a, b] as const];
  });
}

/** Each parameter's group, in words. */
function byParameter(text: string): Map<string, string> {
  try {
    const groups = JSON.parse(text) as StoredGroup[];
    return new Map(
      groups.flatMap(({ parameters, attrs }, i) =>
        parameters.map((name) => [name, `number ${i + 1}, ${JSON.stringify(attrs)}`] as const),
      ),
    );
  } catch {
    return fail(
      'invalid_data',
      `the checkpoint's groups are '${text.slice(0, 80)}', expected an optimizer's`,
    );
  }
}

/** Observations as text. Values are texts in it: JSON has no NaN. */
export const textOf = (observed: readonly Observation[]): string =>
  JSON.stringify(observed.map(({ step, value }) => [step, String(value)]));

/** Reads them again. Throws 'invalid_data' for what textOf() did not write. */
export function observedIn(text: string | undefined): readonly Observation[] {
  if (text === undefined) return [];
  try {
    const pairs = JSON.parse(text) as [number, string][];
    if (
      Array.isArray(pairs) &&
      pairs.every((p) => Array.isArray(p) && Number.isSafeInteger(p[0]) && typeof p[1] === 'string')
    )
      return pairs.map(([step, value]) => ({ step, value: Number(value) }));
  } catch {}
  return fail(
    'invalid_data',
    `what the checkpoint observed is '${text.slice(0, 80)}', expected steps and values`,
  );
}
