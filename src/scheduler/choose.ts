import type { Backend } from '../backend/backend.ts';
import { fail } from '../core/errors.ts';

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

/** One backend and what became of it, for people. */
export interface Finding {
  /** The backend. */
  readonly name: BackendName;
  /** Whether it can be used here. */
  readonly available: boolean;
  /** Whether the engine runs on it. */
  readonly chosen: boolean;
  /** What it is, or why it is not there; and why it was chosen or passed over. */
  readonly text: string;
}

export interface Choice {
  readonly provider: Provider;
  /** All there are, for when the chosen one is lost. */
  readonly providers?: readonly Provider[];
  /** Nobody named a backend, so each plan may go where it is fastest. */
  readonly free?: boolean;
  readonly findings: readonly Finding[];
}

/** In this order 'auto' takes the first that is there; the reference is there for checking, never for work. */
export const AUTO_ORDER: readonly BackendName[] = ['wasm', 'webgpu'];

/** Looks for what was asked for, or with 'auto' for everything, and picks. Throws 'unavailable' with all reasons. */
export async function choose(providers: readonly Provider[], wish: BackendName | 'auto'): Promise<Choice> {
  const asked = wish === 'auto' ? providers : providers.filter((p) => p.name === wish);
  if (asked.length === 0) {
    const names = ['auto', ...providers.map((p) => p.name)].map((n) => `'${n}'`).join(', ');
    fail('invalid_argument', `unknown backend '${String(wish)}'; expected one of ${names}`);
  }
  const candidates = await Promise.all(
    asked.map(async (provider) => ({ provider, probe: await provider.probe() })),
  );
  const usable = (name: BackendName) =>
    candidates.find(
      ({ provider, probe }) =>
        provider.name === name && probe.available && !(wish === 'auto' && probe.software),
    );
  const chosen = (wish === 'auto' ? AUTO_ORDER : [wish]).map(usable).find((c) => c !== undefined);
  const findings = candidates.map(({ provider, probe }) => ({
    name: provider.name,
    available: probe.available,
    chosen: provider === chosen?.provider,
    text: probe.available
      ? `${probe.description}; ${verdict(provider, probe, chosen?.provider, wish)}`
      : `not available: ${probe.reason}`,
  }));
  if (chosen) return { provider: chosen.provider, providers, free: wish === 'auto', findings };
  const reasons = findings.map((f) => `${f.name}: ${f.text}`);
  return fail('unavailable', `no backend can be used here. ${reasons.join('. ')}`);
}

/** Why a backend that is there was taken or passed over. */
function verdict(
  provider: Provider,
  probe: Probe & { available: true },
  chosen: Provider | undefined,
  wish: string,
): string {
  if (provider === chosen)
    return wish === 'auto' ? "chosen by 'auto': small networks need no GPU" : 'chosen: it was asked for';
  if (provider.name === 'reference') return "never chosen by 'auto': it is there to check the others against";
  if (probe.software) return "never chosen by 'auto': a GPU simulated on the CPU is slower than WebAssembly";
  return `not chosen: '${chosen?.name}' comes first for small networks; ask with backend: '${provider.name}'`;
}
