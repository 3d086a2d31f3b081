import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import type { Signature, TypedArray } from '../../node.ts';
import { jsonNumbers } from '../numbers.ts';
import { Refusal } from './refusal.ts';

export const JSON_TYPE = 'application/json';
export const BINARY = 'application/octet-stream';
const SUPPORTED = [JSON_TYPE, BINARY];

/** The type that a caller wants an answer in: JSON where any will do. Throws 406 where it wants others only. */
export function answerType(c: Context): string {
  const header = 'Accept';
  const supports = SUPPORTED;
  const named = accepts(c, { header, supports, default: '' });
  const type = named || accepts(c, { header, supports, default: JSON_TYPE, match: anyType });
  if (type) return type;
  throw new Refusal(
    406,
    'not_acceptable',
    `accept is ${c.req.header('accept')}; answers are ${SUPPORTED.join(' or ')}`,
  );
}

/** What any type comes to: the first type that is not refused. */
function anyType(list: readonly { readonly type: string; readonly q: number }[]): string {
  const refused = list.filter(({ q }) => q === 0).map(({ type }) => type.toLowerCase());
  const any = list.some(({ type, q }) => (type === '*/*' || type === '*') && q > 0);
  return (any && SUPPORTED.find((t) => !refused.includes(t))) || '';
}

/** Outputs as an answer: rows of numbers in JSON, by name where they have names, or the f32 values of one as they are. */
export function answer(
  c: Context,
  type: string,
  values: TypedArray | Readonly<Record<string, TypedArray>>,
  types: Signature,
) {
  c.header('vary', 'accept', { append: true });
  if (!ArrayBuffer.isView(values)) {
    if (type === BINARY)
      throw new Refusal(
        406,
        'not_acceptable',
        `this model gives ${Object.keys(values).join(', ')}; ask for ${JSON_TYPE}`,
      );
    const named = Object.entries(values).map(([name, of]) => [name, rowsOf(of, types[name])]);
    return c.json({ outputs: Object.fromEntries(named) });
  }
  if (type === BINARY)
    return c.body(new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength), 200, {
      'content-type': BINARY,
    });
  return c.json({ outputs: rowsOf(values, Object.values(types)[0]) });
}

function rowsOf(values: TypedArray, { shape }: Signature[string]) {
  const size = shape.reduce((a, b) => a * b, 1);
  return Array.from({ length: values.length / size }, (_, i) =>
    jsonNumbers(values.subarray(i * size, (i + 1) * size)),
  );
}
