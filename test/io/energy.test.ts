import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EnergyMeter } from '../../src/io/energy.ts';

const folder = mkdtempSync(join(tmpdir(), 'energy-'));
afterAll(() => rmSync(folder, { recursive: true }));

function counter(name: string, microjoules: number): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, 'energy_uj'), `${microjoules}\n`);
  writeFileSync(join(folder, name, 'max_energy_range_uj'), '262143328850\n');
}

describe('energy', () => {
  it('is absent where the system shows none', () => {
    expect(EnergyMeter.open(join(folder, 'nowhere'))).toBeUndefined();
    expect(EnergyMeter.open(folder)).toBeUndefined();
  });

  it('adds up packages, not their parts twice, and counters that start again', () => {
    counter('intel-rapl:0', 1_000_000);
    counter('intel-rapl:0:0', 500_000);
    counter('intel-rapl:1', 262_143_000_000);
    const meter = EnergyMeter.open(folder)!;
    expect(meter.joules()).toBe(0);
    counter('intel-rapl:0', 4_000_000);
    counter('intel-rapl:0:0', 9_500_000);
    counter('intel-rapl:1', 671_150);
    expect(meter.joules()).toBeCloseTo(3 + 1, 9);
    expect(meter.joules()).toBeCloseTo(4, 9);
  });
});
