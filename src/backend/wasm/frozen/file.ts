import { fail } from '../../../core/errors.ts';
import { RESERVED } from '../memory.ts';
import { checksum } from './checksum.ts';
import { type Description, descriptionOf, type FrozenInfo } from './info.ts';
import { CUSTOM, DATA, join, leb, MEMORY, section, sectionsOf, signedLeb } from './sections.ts';

/** Version of a frozen module's exports; docs/ABI.md says what may change under one. */
export const FROZEN_ABI = 2;
/** The custom section at the end of a frozen file: name, ABI version u32, checksum u32, description as JSON. */
const NAME = 'biphase';
const MAX_PAGES_FLAG = 1;

/** A template with a model in it: its memory's size set, its data appended, and what it is described. */
export function writeFrozen(
  template: Uint8Array,
  image: { readonly bytes: Uint8Array; readonly pages: number },
  info: Description,
): Uint8Array<ArrayBuffer> {
  const pages = leb(image.pages);
  const kept = sectionsOf(template, 'the template').filter(({ id }) => id !== CUSTOM);
  const module = join([
    template.subarray(0, 8),
    ...kept.map(({ id, from, end }) =>
      id === MEMORY ? section(MEMORY, [1, MAX_PAGES_FLAG, ...pages, ...pages]) : template.subarray(from, end),
    ),
    // One active segment: memory 0, at (i32.const RESERVED) end, then the bytes.
    section(DATA, [1, 0, 0x41, ...signedLeb(RESERVED), 0x0b, ...leb(image.bytes.length)], image.bytes),
  ]);
  const json = new TextEncoder().encode(JSON.stringify(info));
  const head = new Uint8Array(8);
  const view = new DataView(head.buffer);
  view.setUint32(0, FROZEN_ABI, true);
  view.setUint32(4, checksum(join([module, json])), true);
  const name = new TextEncoder().encode(NAME);
  return join([module, section(CUSTOM, [name.length, ...name], head, json)]);
}

/**
 * What a frozen file says about itself, from its bytes alone: nothing is compiled or run. Throws BiphaseError:
 * 'invalid_data' for what is no frozen file, or one that was cut off or changed; 'unsupported' for a newer ABI.
 */
export function inspectFrozen(bytes: Uint8Array): FrozenInfo {
  const what = 'the file';
  const sections = sectionsOf(bytes, what);
  const name = [...new TextEncoder().encode(NAME)];
  const mark = [name.length, ...name];
  const own = sections.find(
    ({ id, start, end }) =>
      id === CUSTOM && end - start >= mark.length + 8 && mark.every((b, i) => bytes[start + i] === b),
  );
  if (!own)
    fail(
      'invalid_data',
      `${what} is WebAssembly, but not (or no longer) a frozen model: its section '${NAME}' is missing; make one with exportWasm()`,
    );
  const at = own.start + mark.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const abi = view.getUint32(at, true);
  if (abi > FROZEN_ABI || abi === 0)
    fail(
      'unsupported',
      `${what} has ABI version ${abi}; this version of biphase knows 1 to ${FROZEN_ABI}. Use a newer one, or freeze the model again`,
    );
  const json = bytes.subarray(at + 8, own.end);
  const rest = [bytes.subarray(0, own.from), json, bytes.subarray(own.end)];
  if (checksum(join(rest)) !== view.getUint32(at + 4, true))
    fail(
      'invalid_data',
      `${what} was changed after it was frozen (its checksum is wrong); fetch or freeze it again`,
    );
  const info =
    descriptionOf(parse(json, what)) ??
    fail('invalid_data', `${what} has a description that is none of a frozen model`);
  const [[input], [output]] = [info.inputs, info.outputs];
  return { ...info, input, output, fileBytes: bytes.length };
}

function parse(json: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(json));
  } catch (cause) {
    return fail('invalid_data', `${what} has a description that can't be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}
