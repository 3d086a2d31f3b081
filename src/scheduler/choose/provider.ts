import type { Backend } from '../../backend/backend.ts';

/** Backends by name; 'reference' is plain TypeScript, for checking. */
export type BackendName = 'wasm' | 'webgpu' | 'reference';

/** What looking for a backend found. */
export type Probe =
  | { readonly available: true; readonly description: string; readonly software?: boolean }
  | { readonly available: false; readonly reason: string };

/** A backend that may or may not be there. */
export interface Provider {
  readonly name: BackendName;
  /** Looks without taking anything; quick. */
  probe(): Promise<Probe>;
  create(): Promise<Backend>;
}
