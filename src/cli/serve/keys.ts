import { createHash, timingSafeEqual } from 'node:crypto';
import { open } from 'node:fs/promises';
import process from 'node:process';
import type { Context } from 'hono';
import { BiphaseError } from '../../node.ts';
import { Refusal } from './refusal.ts';

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Reads keys from a file, one a line. Throws 'invalid_data' where it is empty, readable by all, or holds what can't be sent. */
export async function readKeys(path: string): Promise<string[]> {
  const refuse = (what: string): never => {
    throw new BiphaseError('invalid_data', `${path}: ${what}`);
  };
  const file = await open(path);
  try {
    const info = await file.stat();
    if (!info.isFile()) refuse('is not a file; expected one with a key on each line');
    // Windows has no such bits.
    if (process.platform !== 'win32' && info.mode & 0o027)
      refuse(
        `may be read or written by others (mode ${(info.mode & 0o777).toString(8)}); chmod 600 it, or 640 for a group`,
      );
    const lines = (await file.readFile('utf8')).split(/\r?\n/).map((line) => line.trim());
    const keys = lines.filter(Boolean);
    if (keys.length === 0) refuse('holds no keys; expected one on each line');
    const bad = lines.findIndex((line) => !/^[\x21-\x7e]*$/.test(line));
    if (bad >= 0)
      refuse(`line ${bad + 1} holds spaces or characters that a header can't; expected one key on each line`);
    return keys;
  } finally {
    await file.close();
  }
}

/** Lets through who sends a key as `authorization: Bearer KEY` or `x-api-key: KEY`. */
export function requireKey(keys: readonly string[]) {
  // Digests are all of one length, so that comparing them takes the same time whatever was sent.
  const known = keys.map(digest);
  return async (c: Context, next: () => Promise<void>) => {
    const bearer = /^bearer +(.+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    const given = bearer ?? c.req.header('x-api-key');
    const sent = digest(given?.trim() ?? '');
    const matches = known.filter((key) => timingSafeEqual(key, sent)).length;
    if (given === undefined || matches === 0)
      throw new Refusal(
        401,
        'unauthorized',
        given === undefined
          ? 'a key is needed: authorization: Bearer KEY, or x-api-key: KEY'
          : 'this key is not known',
        { 'www-authenticate': 'Bearer' },
      );
    return next();
  };
}
