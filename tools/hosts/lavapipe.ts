import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where the Vulkan loader looks for drivers. */
export const drivers = '/usr/share/vulkan/icd.d';

/** The file that names Mesa's Vulkan driver for the CPU to the Vulkan loader, if it is installed. */
export function lavapipe(): string | undefined {
  const name = existsSync(drivers) && readdirSync(drivers).find((f) => /^lvp_icd.*\.json$/.test(f));
  return name ? join(drivers, name) : undefined;
}
