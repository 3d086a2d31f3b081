import { CODE, join, leb, readLeb, section, sectionsOf } from './sections.ts';

/** Functions of a template that a record needs and others may not, by its opcode; a function is named by its place in the code. */
export type Parts = Readonly<Record<number, readonly number[]>>;

/** Nothing but `unreachable`: whoever gets there traps. Its size, no locals, the instruction, the end. */
const EMPTY = [3, 0, 0, 0x0b];

/**
 * A template with the functions emptied that none of these records needs. Their places stay, so no call changes; a tape
 * with another record traps.
 */
export function withoutUnused(template: Uint8Array, parts: Parts, opcodes: ReadonlySet<number>): Uint8Array {
  const needed = new Set([...opcodes].flatMap((opcode) => parts[opcode] ?? []));
  const unused = new Set(
    Object.values(parts)
      .flat()
      .filter((place) => !needed.has(place)),
  );
  const what = 'the template';
  const sections = sectionsOf(template, what).map(({ id, from, start, end }) => {
    if (id !== CODE) return template.subarray(from, end);
    const [count, first] = readLeb(template, start, what);
    const bodies: (Uint8Array | number[])[] = [];
    for (let place = 0, at = first; place < count; place++) {
      const [size, body] = readLeb(template, at, what);
      bodies.push(unused.has(place) ? EMPTY : template.subarray(at, body + size));
      at = body + size;
    }
    return section(CODE, leb(count), ...bodies);
  });
  return join([template.subarray(0, 8), ...sections]);
}
