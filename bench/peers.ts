import { type ChildProcess, execFile, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TypedArray } from '../src/core/dtype.ts';
import type { PeerPlace } from './peers/peer.ts';
import type { BenchCase } from './run/case.ts';
import { type Comparable, OWN_NARROW, type PeerName, peerNames } from './run/comparable.ts';

const folder = fileURLToPath(new URL('peers/', import.meta.url));

/** Installs the peers as their lock file has them, unless they are there. Throws with what npm said. */
export async function installPeers(): Promise<void> {
  if (existsSync(`${folder}node_modules/.package-lock.json`)) return;
  console.error('installing the peers (bench/peers) ...');
  await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder });
}

/** What V8 joins neighbouring vectors by, in every WebAssembly module of a process. */
const WIDE_FLAG = '--experimental-wasm-revectorize';

interface Reply {
  readonly ready?: true;
  readonly threads?: number;
  readonly backend?: string;
  readonly answer?: readonly TypedArray[];
  readonly unsupported?: true;
  readonly samples?: number[];
  readonly error?: string;
}

/** A peer in a process of its own, so that no engine's threads, memory or polyfills reach another's. */
export class PeerProcess implements Comparable {
  readonly name: string;
  private readonly child: ChildProcess;
  private readonly about: Reply;

  private constructor(name: string, child: ChildProcess, about: Reply) {
    this.name = about.backend === 'webgpu' ? name.replace('-wasm', '-webgpu') : name;
    this.child = child;
    this.about = about;
  }

  /** `biphase` is this library itself, with vectors as the runtime has them by itself. */
  static async start(name: PeerName | 'biphase', place: PeerPlace, quick: boolean): Promise<PeerProcess> {
    const { backend, threads, wide } = place;
    // In an archive for another machine it is bundled, and there is no tsx.
    const bundled = existsSync(`${folder}child.mjs`);
    const program = `${folder}child.${bundled ? 'mjs' : 'ts'}`;
    const child = fork(program, [name, backend, String(threads), String(quick)], {
      serialization: 'advanced',
      execArgv: [...process.execArgv, ...(wide ? [WIDE_FLAG] : []), ...(bundled ? [] : ['--import', 'tsx'])],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const called = name === 'biphase' ? OWN_NARROW : peerNames[name];
    return new PeerProcess(wide ? `${called}, wide` : called, child, await reply(child));
  }

  get threads(): number {
    return this.about.threads!;
  }

  get backend(): string {
    return this.about.backend!;
  }

  /** Its answer to a case, or undefined if it has no such thing; from then on `sample` runs this case. */
  async prepare({ suite, name }: BenchCase): Promise<readonly TypedArray[] | undefined> {
    return (await this.ask({ suite, name })).answer;
  }

  async sample(options: { seconds: number; fewest: number }): Promise<number[]> {
    return (await this.ask(options)).samples!;
  }

  stop(): void {
    this.child.kill();
  }

  private ask(message: object): Promise<Reply> {
    this.child.send(message);
    return reply(this.child);
  }
}

async function reply(child: ChildProcess): Promise<Reply> {
  const message = await new Promise<Reply>((resolve, reject) => {
    const gone = (code: number | null) => reject(new Error(`its process ended (${code})`));
    child.once('exit', gone);
    child.once('message', (m: Reply) => {
      child.off('exit', gone);
      resolve(m);
    });
  });
  if (message.error) throw new Error(message.error);
  return message;
}
