/** What the support table says of a runtime, from the run of the suite there. */
import type { Report } from './report.ts';

export interface Found {
  readonly name: string;
  /** What depends on the runtime alone. */
  readonly engine: {
    readonly relaxed: boolean;
    readonly threads: string;
    readonly auto: string;
  };
  /** What depends on the machine's GPU and drivers, too. */
  readonly webgpu: string;
}

export function foundOf(name: string, { auto, description, webgpu, outputs }: Report): Found {
  const why = description.split('1 thread: ')[1];
  return {
    name,
    engine: {
      relaxed: auto.build === 'relaxed',
      threads: auto.threads > 1 ? 'yes' : `no${why ? `: ${why}` : ''}`,
      auto: `${auto.name}, ${auto.build}`,
    },
    webgpu: 'webgpu' in outputs ? webgpu.text.split(';')[0] : 'none',
  };
}

export const runtimeRows = (found: readonly Found[]): string =>
  found
    .map(
      ({ name, engine, webgpu }) =>
        `| ${name} | yes | ${engine.relaxed ? 'yes' : 'no'} | ${engine.threads} | ${webgpu} | ${engine.auto} |`,
    )
    .join('\n');
