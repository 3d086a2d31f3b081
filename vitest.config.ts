import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A process for each file: native code (Dawn) in one test file can't take another down.
    pool: 'forks',
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/setup.ts'],
    // SwiftShader compiles and runs shaders on the CPU: slow is not stuck.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
