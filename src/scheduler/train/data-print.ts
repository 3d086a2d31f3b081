import { contentKey } from '../../core/content.ts';
import { allocate, type TypedArray } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import type { NamedDataSet } from '../../data/index.ts';
import { type Arrays, mapFields } from '../../model/signature.ts';

/** Enough of some samples to tell one data set from another, by `inputs` and `targets`, or `inputs.mask` where they have names. */
export type DataPrint = Readonly<Record<string, Print>>;

interface Print {
  /** What the first sample begins with, for people. */
  readonly begins: readonly number[];
  /** A key of each sample that was looked at. */
  readonly keys: readonly number[];
}

/** Samples that are looked at, spread over the data set, and values of the first that messages show. */
const [LOOKED_AT, SHOWN] = [8, 4];

/** Undefined where the data set does not give the same samples when it is asked again (augmentation, say). */
export async function printOf(data: NamedDataSet): Promise<DataPrint | undefined> {
  const [once, again] = [await look(data), await look(data)];
  return JSON.stringify(once) === JSON.stringify(again) ? once : undefined;
}

async function look(data: NamedDataSet): Promise<DataPrint> {
  const count = Math.min(LOOKED_AT, data.length);
  const indices = Uint32Array.from({ length: count }, (_, i) => Math.floor((i * data.length) / count));
  const arraysOf = (types: NamedDataSet['inputs']): Arrays =>
    mapFields(types, ({ dtype, shape }) => allocate(dtype, count * sizeOf(shape)));
  const [inputs, targets] = [arraysOf(data.inputs), arraysOf(data.targets)];
  await data.gather(indices, inputs, targets);
  const prints = (part: 'input' | 'target', arrays: Arrays) =>
    Object.entries(arrays).map(([name, values]) => [
      name === part ? `${part}s` : `${part}s.${name}`,
      print(values, count),
    ]);
  return Object.fromEntries([...prints('input', inputs), ...prints('target', targets)]);
}

function print(values: TypedArray, count: number): Print {
  const size = values.length / count;
  const keys = Array.from({ length: count }, (_, i) =>
    contentKey(Float32Array.from(values.subarray(i * size, (i + 1) * size))),
  );
  return { begins: Array.from(values.subarray(0, Math.min(SHOWN, size)), readable), keys };
}

/** JSON has no NaN. */
const readable = (x: number): number => (Number.isFinite(x) ? x : 0);

/** Whether a file's JSON is one. */
export const isPrint = (x: unknown): x is DataPrint =>
  typeof x === 'object' &&
  x !== null &&
  Object.keys(x).length > 0 &&
  Object.values(x as Record<string, Partial<Print> | undefined>).every((part) => {
    const { begins, keys } = part ?? {};
    return [begins, keys].every((list) => Array.isArray(list) && list.every(Number.isFinite));
  });

/** How two data sets differ, in words; undefined where they don't, as far as was looked. */
export function difference(saved: DataPrint | undefined, now: DataPrint | undefined): string | undefined {
  if (!saved || !now) return undefined;
  const [had, has] = [saved, now].map((print) => Object.keys(print).sort().join(', '));
  if (had !== has)
    return `the data has ${has} now, and had ${had} when the checkpoint was made. Use the same names`;
  for (const part of Object.keys(saved)) {
    const at = saved[part].keys.findIndex((key, i) => key !== now[part].keys[i]);
    if (at < 0) continue;
    const list = ({ begins }: Print) => begins.map((x) => Number(x.toPrecision(4))).join(', ');
    const [then, today] = [list(saved[part]), list(now[part])];
    const seen =
      then === today
        ? `those of the ${at + 1}. of ${LOOKED_AT} samples looked at are others now`
        : `those of sample 0 began with ${then} when the checkpoint was made, and begin with ${today} now`;
    return `the data's ${part} are not what they were: ${seen}. Use the same files, order, scale and normalization`;
  }
  return undefined;
}
