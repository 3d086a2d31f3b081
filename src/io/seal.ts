import { sha256 } from '@noble/hashes/sha2.js';
import { fail } from '../core/errors.ts';

/** Stands in the metadata while the digest of the file is taken, and is then replaced by it: 64 digits of hex. */
export const UNSEALED = '0'.repeat(64);
const KEY = '"sha256":"';

/** Puts the SHA-256 of the whole file (taken with UNSEALED in its place) into its metadata's `sha256`, in place. */
export async function seal(file: Uint8Array<ArrayBuffer>): Promise<void> {
  const at = placeOf(file) ?? fail('internal', 'the file has no place for its seal');
  file.set(new TextEncoder().encode(await digest(file)), at);
}

/** Whether the file is, to the last bit, what was sealed. */
export async function isSealed(file: Uint8Array): Promise<boolean> {
  const at = placeOf(file);
  if (at === undefined) return false;
  // slice() of a Node Buffer would share the caller's memory.
  const copy = new Uint8Array(file);
  const found = new TextDecoder().decode(copy.subarray(at, at + UNSEALED.length));
  copy.set(new TextEncoder().encode(UNSEALED), at);
  return (await digest(copy)) === found;
}

/** Where the digits of the seal begin: after the first KEY in the file. */
function placeOf(file: Uint8Array): number | undefined {
  const key = new TextEncoder().encode(KEY);
  const last = file.length - key.length - UNSEALED.length;
  for (let at = file.indexOf(key[0]); at >= 0 && at <= last; at = file.indexOf(key[0], at + 1))
    if (key.every((byte, i) => file[at + i] === byte)) return at + key.length;
  return undefined;
}

/** By the runtime, where it lends its own: pages have it on https and localhost only. */
async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  const words = subtle ? new Uint8Array(await subtle.digest('SHA-256', bytes)) : sha256(bytes);
  return Array.from(words, (b) => b.toString(16).padStart(2, '0')).join('');
}
