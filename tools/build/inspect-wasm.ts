/** The few facts about a WebAssembly binary that our builds must keep, read from its sections. */
export interface WasmFacts {
  /** `module.name` of everything it asks of its host. */
  readonly imports: readonly string[];
  /** True when it carries bytes that every instance would write into the memory it was given. */
  readonly hasData: boolean;
  /**
   * Where the flags of the imported memory are: 1 = has a maximum, 3 = has a maximum and is shared. Flipping
   * this byte is the whole difference between a build for a plain memory and one for a SharedArrayBuffer.
   */
  readonly memoryFlagsAt: number;
}

const IMPORT = 2;
const DATA = 11;
const MEMORY_KIND = 2;

export function inspectWasm(bytes: Uint8Array): WasmFacts {
  let at = 8; // after the magic number and the version
  const leb = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const name = (): string => {
    const length = leb();
    at += length;
    return new TextDecoder().decode(bytes.subarray(at - length, at));
  };

  const imports: string[] = [];
  let hasData = false;
  let memoryFlagsAt = -1;
  while (at < bytes.length) {
    const id = bytes[at++];
    const size = leb();
    const end = at + size;
    if (id === DATA) hasData = true;
    if (id === IMPORT) {
      for (let left = leb(); left > 0; left--) {
        imports.push(`${name()}.${name()}`);
        const kind = bytes[at++];
        // Functions, tables and globals are laid out otherwise; one of them is an error to report, not to parse.
        if (kind !== MEMORY_KIND) break;
        memoryFlagsAt = at;
        const hasMaximum = leb() & 1;
        leb();
        if (hasMaximum) leb();
      }
    }
    at = end;
  }
  return { imports, hasData, memoryFlagsAt };
}
