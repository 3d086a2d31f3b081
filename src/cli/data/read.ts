import { data } from '../../node.ts';
import { read } from '../files.ts';
import { parseCsv } from './csv.ts';
import { refuseOtherKinds } from './kinds.ts';
import { bad, type Header, type Source } from './source.ts';

/** Reads an IDX, NPY or CSV file (or one of them in gzip); which it is, its content says. */
export async function readSource(path: string, header: Header = 'auto'): Promise<Source> {
  const bytes = await read(path);
  if (bytes.length === 0) bad(`${path} is empty`);
  if (bytes[0] === 0x93) {
    const { shape, data: values, bool } = data.parseNpy(bytes, path);
    return ofNumbers(path, shape, values, bool ? 'bool' : undefined);
  }
  if (bytes[0] === 0 && bytes[1] === 0) {
    const { shape, data: values } = data.parseIdx(bytes, path);
    return ofNumbers(path, shape, values);
  }
  refuseOtherKinds(path, bytes);
  return parseCsv(path, bytes, header);
}

function ofNumbers(
  path: string,
  shape: readonly number[],
  stored: data.NpyArray['data'],
  bool?: 'bool',
): Source {
  if (shape.length === 0 || shape.includes(0)) bad(`${path} holds no samples`);
  const of = { path, shape, remarks: [] };
  if (stored instanceof Uint8Array) return { ...of, values: stored, type: bool ?? 'u8' };
  if (stored instanceof Float32Array) return { ...of, values: stored, type: 'number' };
  const values = new Float64Array(stored.length);
  for (let i = 0; i < values.length; i++) values[i] = Number(stored[i]);
  return { ...of, values, type: 'number' };
}
